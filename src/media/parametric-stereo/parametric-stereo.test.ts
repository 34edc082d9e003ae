import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BitReader } from '../packaging/codecs/bit-reader.ts';
import { FRAME_SAMPLES, FRAME_SLOTS } from '../sbr/band-signal.ts';
import { chooseBands } from '../sbr/choose-bands.ts';
import { withFillElement } from '../sbr/fill-element.ts';
import type { HuffmanTable } from '../sbr/huffman-tables.ts';
import { QmfAnalysis } from '../sbr/qmf-analysis.ts';
import { QmfSynthesis } from '../sbr/qmf-synthesis.ts';
import { Downmix } from './downmix.ts';
import { type Bands, SlotMeter, STEREO_BANDS } from './hybrid-bands.ts';
import { type StereoEnvelope, stereoData } from './stereo-data.ts';
import { CORE_DELAY, StereoEncoder } from './stereo-encoder.ts';
import { gridFor } from './stereo-grid.ts';
import * as tables from './stereo-tables.ts';

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function emptyBands(slots: number): Bands {
  return { re: new Float64Array(slots * 64), im: new Float64Array(slots * 64) };
}

test('each table of codes is complete, and no code begins another', () => {
  for (const { lengths, codes, reach } of Object.values(tables)) {
    assert.deepEqual([lengths.length, codes.length], [2 * reach + 1, 2 * reach + 1]);
    assert.equal(
      lengths.reduce((sum, length) => sum + 2 ** -length, 0),
      1,
    );
    const words = codes.map((code, index) => code.toString(2).padStart(lengths[index] ?? 0, '0'));
    for (const [index, word] of words.entries()) {
      assert.ok(words.every((other, at) => at === index || !other.startsWith(word)));
    }
  }
});

/** A parser of its own, of what a decoder reads. */
function parse(bits: BitReader) {
  assert.equal(bits.bits(2), 2, 'parametric stereo');
  assert.equal(bits.bits(1), 1, 'a header');
  const levelMode = bits.flag() ? bits.bits(3) : undefined;
  const coherenceMode = bits.flag() ? bits.bits(3) : undefined;
  assert.equal(bits.bits(1), 0, 'no phases');
  assert.equal(bits.bits(1), 0, 'equal envelopes');
  const count = [0, 1, 2, 4][bits.bits(2)] ?? 0;
  const bandsOf = (mode: number): number => [10, 20, 34][mode % 3] ?? 0;
  const isFine = (levelMode ?? 0) >= 3;
  const levels =
    levelMode === undefined
      ? undefined
      : isFine
        ? readRows(bits, count, bandsOf(levelMode), tables.IID_BAND_FINE, tables.IID_TIME_FINE)
        : readRows(bits, count, bandsOf(levelMode), tables.IID_BAND_COARSE, tables.IID_TIME_COARSE);
  const coherences =
    coherenceMode === undefined
      ? undefined
      : readRows(bits, count, bandsOf(coherenceMode), tables.ICC_BAND, tables.ICC_TIME);
  return { count, isFine, levels, coherences };
}

function readRows(
  bits: BitReader,
  count: number,
  length: number,
  across: HuffmanTable,
  time: HuffmanTable,
): number[][] {
  const rows: number[][] = [];
  for (let index = 0; index < count; index++) {
    const isTime = bits.flag();
    const row: number[] = [];
    for (let band = 0; band < length; band++) {
      const from = isTime ? (rows[index - 1]?.[band] ?? NaN) : (row[band - 1] ?? 0);
      row.push(from + difference(bits, isTime ? time : across));
    }
    rows.push(row);
  }
  return rows;
}

function difference(bits: BitReader, { lengths, codes, reach }: HuffmanTable): number {
  let code = 0;
  for (let length = 1; length <= 20; length++) {
    code = code * 2 + bits.bit();
    const found = codes.findIndex((one, index) => one === code && lengths[index] === length);
    if (found >= 0) return found - reach;
  }
  throw new RangeError('No such code.');
}

describe('what is left and right', () => {
  test('is what a parser reads, whatever it is', () => {
    const random = seeded(5);
    for (let round = 0; round < 300; round++) {
      const bands = random() < 0.5 ? 10 : 20;
      const isFine = random() < 0.5;
      const most = isFine ? 15 : 7;
      const row = (low: number, high: number): number[] =>
        Array.from({ length: bands }, () => low + Math.floor(random() * (high - low + 1)));
      const envelopes: StereoEnvelope[] = Array.from({ length: [1, 2, 4][round % 3] ?? 1 }, () => ({
        levels: row(-most, most),
        coherences: row(0, 7),
      }));
      const data = stereoData({ bands, isFine }, envelopes);
      const bits = new BitReader(data.finish());
      const seen = parse(bits);
      assert.deepEqual(
        [seen.count, seen.isFine, seen.levels, seen.coherences],
        [envelopes.length, isFine, envelopes.map((one) => one.levels), envelopes.map((one) => one.coherences)],
      );
      assert.equal(bits.position, data.length);
    }
  });

  test('is these bits', () => {
    const levels = [0, 0, 1, 1, 1, -7, -7, 0, 0, 0];
    const coherences = [0, 0, 0, 0, 5, 5, 5, 5, 5, 5];
    const data = stereoData({ bands: 10, isFine: false }, [{ levels, coherences }]);
    const head = '10 1 1 000 1 000 0 0 01';
    const levelBits = '0 0 0 100 0 0 1111111111101 0 11111111110 0 0';
    const coherenceBits = '0 0 0 0 0 111111110 0 0 0 0 0';
    const expected = `${head}${levelBits}${coherenceBits}`.replaceAll(' ', '');
    assert.equal(data.length, expected.length);
    const bits = new BitReader(data.finish());
    assert.equal(Array.from({ length: data.length }, () => bits.bit()).join(''), expected);
  });

  test('takes little where both are one', () => {
    const zeros = Array.from({ length: 20 }, () => 0);
    assert.equal(stereoData({ bands: 20, isFine: true }, [{ levels: zeros, coherences: zeros }]).length, 9);
  });
});

describe('the filters', () => {
  const RATE = 48_000;
  /** The middle of each of the parameters' bands, in hertz, as bands of 375 Hz and parts of the first three. */
  const MIDDLES = [
    47, 140, 234, 328, 470, 655, 845, 1030, 1312, 1687, 2062, 2437, 2812, 3187, 3750, 4687, 6000, 7700, 10_800, 18_000,
  ];

  test('tell a tone’s level difference in its band', () => {
    for (const [band, hz] of MIDDLES.entries()) {
      const channels = [1, 0.25].map((factor) => {
        const bands = emptyBands(FRAME_SLOTS * 2);
        const filters = new QmfAnalysis(FRAME_SLOTS * 2);
        const samples = Float32Array.from(
          { length: 2 * FRAME_SAMPLES },
          (_, index) => factor * Math.cos((2 * Math.PI * hz * index) / RATE),
        );
        filters.analyze(samples, 1, bands.re, bands.im, 0);
        return bands;
      });
      const [left, right] = channels;
      assert.ok(left && right);
      const slots = { left: new Float64Array(20), right: new Float64Array(20), both: new Float64Array(20) };
      new SlotMeter().measure(left, right, 40, slots, 0);
      const all = slots.left.reduce((sum, value) => sum + value, 0);
      assert.ok(
        (slots.left[band] ?? 0) > 0.7 * all,
        `${hz} Hz: ${[...slots.left].map((one) => (one / all).toFixed(2)).join(' ')}`,
      );
      const [one = 0, other = 0, both = 0] = [slots.left[band], slots.right[band], slots.both[band]];
      assert.ok(Math.abs(10 * Math.log10(one / other) - 12.04) < 0.05);
      assert.ok(Math.abs(both / Math.sqrt(one * other) - 1) < 1e-3);
    }
    assert.equal(MIDDLES.length, STEREO_BANDS);
  });

  test('and their synthesis give the same samples, at half the rate', () => {
    const random = seeded(8);
    const tones = Array.from(
      { length: 40 },
      (_, index) => [((index + random()) * Math.PI) / 90, random() * 6] as const,
    );
    const source = (sample: number): number => tones.reduce((sum, [step, at]) => sum + Math.cos(step * sample + at), 0);
    const [filters, synthesis] = [new QmfAnalysis(FRAME_SLOTS), new QmfSynthesis()];
    const bands = emptyBands(FRAME_SLOTS);
    let [error, energy] = [0, 0];
    for (let frame = 0; frame < 4; frame++) {
      const first = frame * FRAME_SAMPLES;
      const samples = Float32Array.from({ length: FRAME_SAMPLES }, (_, index) => source(first + index));
      filters.analyze(samples, 1, bands.re, bands.im, 0);
      const half = new Float32Array(FRAME_SAMPLES / 2);
      synthesis.synthesize(bands.re, bands.im, 30, 1, half);
      if (frame === 0) continue;
      for (const [index, sample] of half.entries()) {
        const was = source(first + 2 * index - CORE_DELAY);
        error += (sample - was) ** 2;
        energy += was ** 2;
      }
    }
    assert.ok(10 * Math.log10(energy / error) > 55, `${10 * Math.log10(energy / error)} dB`);
  });
});

describe('one channel of two', () => {
  /** The energy of what is mixed, beside half of both channels'. */
  function mixed(left: (index: number) => number, right: (index: number) => number): number {
    const bands = [left, right].map((source) => {
      const all = emptyBands(FRAME_SLOTS * 4);
      const samples = Float32Array.from({ length: 4 * FRAME_SAMPLES }, (_, index) => source(index));
      new QmfAnalysis(FRAME_SLOTS * 4).analyze(samples, 32_768, all.re, all.im, 0);
      return all;
    });
    const [one, other] = bands;
    assert.ok(one && other);
    const downmix = new Downmix();
    const to = emptyBands(FRAME_SLOTS * 4);
    for (let frame = 0; frame < 4; frame++) downmix.mix(one, other, frame * FRAME_SLOTS, to, frame * FRAME_SLOTS);
    const energy = ({ re, im }: Bands): number => {
      let sum = 0;
      for (let index = FRAME_SLOTS * 64; index < re.length; index++)
        sum += (re[index] ?? 0) ** 2 + (im[index] ?? 0) ** 2;
      return sum;
    };
    return 10 * Math.log10((2 * energy(to)) / (energy(one) + energy(other)));
  }
  const [random, another] = [seeded(1), seeded(2)];
  const tone = (index: number): number => 0.3 * Math.cos(index / 20);
  const cases: readonly (readonly [string, (index: number) => number, (index: number) => number])[] = [
    ['both are alike', tone, tone],
    ['one is silent', tone, () => 0],
    ['they have nothing in common', () => random() - 0.5, () => another() - 0.5],
    ['one is the opposite of the other', tone, (index) => -tone(index)],
    ['one is the opposite of the other, and fainter', tone, (index) => -0.7 * tone(index)],
    ['one is the opposite of the other, and louder', (index) => 0.5 * tone(index), (index) => -tone(index)],
    ['one is much later', tone, (index) => tone(index + 63)],
  ];
  for (const [what, left, right] of cases) {
    test(`has half the energy of both where ${what}`, () => {
      const decibels = mixed(left, right);
      assert.ok(Math.abs(decibels) < 0.7, `${decibels} dB`);
    });
  }
});

test('more is told of stereo with more bits', () => {
  assert.deepEqual(
    [8000, 20_000, 24_000, 32_000].map((bitrate) => gridFor(bitrate)),
    [
      { bands: 10, isFine: false },
      { bands: 10, isFine: false },
      { bands: 20, isFine: false },
      { bands: 20, isFine: true },
    ],
  );
});

test('whatever samples are, there is something to write, and room for it', () => {
  const random = seeded(17);
  const encoder = new StereoEncoder(chooseBands(48_000, 62_000, 1), gridFor(64_000));
  const odd = [0, 1, -1, 999, -999, 1e-30, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let longest = 0;
  for (let frame = 0; frame < 200; frame++) {
    const few = odd.filter(() => random() < 0.4);
    const channel = (): Float32Array =>
      Float32Array.from(
        { length: Math.floor(random() * FRAME_SAMPLES) },
        () => few[Math.floor(random() * few.length)] ?? 0,
      );
    const { core, extension } = encoder.encode([channel(), channel()]);
    assert.ok(core.every((sample) => Number.isFinite(sample)));
    withFillElement(Buffer.of(0b1110_0000), extension);
    longest = Math.max(longest, extension.length);
  }
  assert.ok(longest > 200, `${longest} bits`);
});
