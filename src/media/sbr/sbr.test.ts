import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BitReader } from '../packaging/codecs/bit-reader.ts';
import { BandSignal, FRAME_SAMPLES } from './band-signal.ts';
import { BitWriter } from './bit-writer.ts';
import { chooseBands } from './choose-bands.ts';
import { withFillElement } from './fill-element.ts';
import { type FrequencyBands, frequencyBands } from './frequency-bands.ts';
import { heAacConfig } from './he-aac-config.ts';
import * as tables from './huffman-tables.ts';
import { QmfAnalysis } from './qmf-analysis.ts';
import { SbrEncoder } from './sbr-encoder.ts';
import { type ChannelFrame, sbrPayload } from './sbr-payload.ts';

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const RATES = [22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const ALL_BANDS: readonly (readonly [number, FrequencyBands])[] = RATES.flatMap((rate) =>
  Array.from({ length: 16 * 14 }, (_, index) => frequencyBands(rate, index % 16, Math.floor(index / 16))).flatMap(
    (bands) => (bands === undefined ? [] : [[rate, bands] as const]),
  ),
);

/** A parser of its own, of what a decoder reads. */
function parse(bits: BitReader, bands: FrequencyBands, channels: number) {
  assert.equal(bits.bits(4), 13);
  assert.equal(bits.bits(1), 1, 'a header');
  assert.equal(bits.bits(1), 1, 'steps of 3 dB');
  assert.deepEqual([bits.bits(4), bits.bits(4)], [bands.startIndex, bands.stopIndex]);
  assert.equal(bits.bits(3 + 2 + 1), 0);
  if (bits.flag()) assert.deepEqual([bits.bits(2), bits.bits(2), bits.bits(2)], [2, 3, 3]);
  assert.equal(bits.bits(channels), 0, 'no more data, and no coupling');
  const frames = Array.from({ length: channels }, () => {
    assert.equal(bits.bits(2), 0, 'FIXFIX');
    return { count: 2 ** bits.bits(2), isHigh: bits.flag() };
  });
  const noiseBands = bands.noise.length - 1;
  const times = frames.map(({ count }) => ({
    envelopes: Array.from({ length: count }, () => bits.flag()),
    noise: Array.from({ length: count > 1 ? 2 : 1 }, () => bits.flag()),
  }));
  const whitening = frames.map(() => Array.from({ length: noiseBands }, () => bits.bits(2)));
  const levels = frames.map(({ count, isHigh }, channel) => {
    const length = (isHigh ? bands.high : bands.low).length - 1;
    const [start, across, time] =
      count === 1
        ? [7, tables.ENVELOPE_BAND_FINE, tables.ENVELOPE_TIME_FINE]
        : [6, tables.ENVELOPE_BAND_COARSE, tables.ENVELOPE_TIME_COARSE];
    return readRows(bits, times[channel]?.envelopes ?? [], length, start as number, across, time);
  });
  const noise = frames.map((_, channel) =>
    readRows(bits, times[channel]?.noise ?? [], noiseBands, 5, tables.ENVELOPE_BAND_COARSE, tables.NOISE_TIME),
  );
  const tones = frames.map(() =>
    bits.flag() ? Array.from({ length: bands.high.length - 1 }, () => bits.flag()) : undefined,
  );
  assert.equal(bits.bits(1), 0, 'no extension');
  return frames.map(({ isHigh }, channel) => ({
    levels: levels[channel],
    isHigh,
    noise: noise[channel],
    whitening: whitening[channel],
    ...(tones[channel] !== undefined && { tones: tones[channel] }),
  }));
}

function readRows(
  bits: BitReader,
  areTime: readonly boolean[],
  length: number,
  start: number,
  across: tables.HuffmanTable | number,
  time: tables.HuffmanTable | number,
): number[][] {
  assert.ok(typeof across === 'object' && typeof time === 'object');
  const rows: number[][] = [];
  for (const isTime of areTime) {
    const before = rows.at(-1);
    const row: number[] = [];
    for (let band = 0; band < length; band++) {
      if (isTime) row.push((before?.[band] ?? NaN) + difference(bits, time));
      else row.push(band === 0 ? bits.bits(start) : (row[band - 1] ?? NaN) + difference(bits, across));
    }
    rows.push(row);
  }
  return rows;
}

function difference(bits: BitReader, { lengths, codes, reach }: tables.HuffmanTable): number {
  let code = 0;
  for (let length = 1; length <= 20; length++) {
    code = code * 2 + bits.bit();
    const found = codes.findIndex((one, index) => one === code && lengths[index] === length);
    if (found >= 0) return found - reach;
  }
  throw new RangeError('No such code.');
}

test('each table of codes is complete, and no code begins another', () => {
  for (const { lengths, codes, reach } of Object.values(tables)) {
    assert.deepEqual([lengths.length, codes.length], [2 * reach + 1, 2 * reach + 1]);
    assert.equal(
      lengths.reduce((sum, length) => sum + 2 ** -length, 0),
      1,
    );
    const words = codes.map((code, index) => code.toString(2).padStart(lengths[index] ?? 0, '0')).toSorted();
    for (const [index, word] of words.entries()) assert.ok(!(words[index + 1] ?? '').startsWith(word), word);
  }
});

test('whatever a frame says is read back by a parser of its own, to the last bit', () => {
  const random = seeded(7);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let round = 0; round < 3000; round++) {
    const [, bands] = ALL_BANDS[below(ALL_BANDS.length)] ?? [];
    assert.ok(bands);
    const frames = Array.from({ length: 1 + below(2) }, (): ChannelFrame => {
      const count = [1, 2, 4][below(3)] ?? 1;
      const isHigh = random() < 0.5;
      const length = (isHigh ? bands.high : bands.low).length - 1;
      const most = count === 1 ? 61 : 32;
      const row = (size: number, limit: number): number[] => Array.from({ length: size }, () => below(limit));
      return {
        levels: Array.from({ length: count }, () => row(length, most)),
        isHigh,
        noise: Array.from({ length: count > 1 ? 2 : 1 }, () => row(bands.noise.length - 1, 31)),
        whitening: row(bands.noise.length - 1, 4),
        ...(random() < 0.5 && { tones: Array.from({ length: bands.high.length - 1 }, () => random() < 0.5) }),
      };
    });
    const payload = sbrPayload(bands, frames);
    const bits = new BitReader(payload.finish());
    assert.deepEqual(parse(bits, bands, frames.length), frames);
    assert.equal(bits.position, payload.length);
  }
});

describe('the division of the spectrum', () => {
  test('has bands of at least one, which noise and the lower resolution share their borders with', () => {
    assert.ok(ALL_BANDS.length > 500);
    for (const [, { start, stop, high, low, noise, origins }] of ALL_BANDS) {
      for (const borders of [high, low, noise]) {
        assert.deepEqual([borders[0], borders.at(-1)], [start, stop]);
        for (const [index, border] of borders.entries()) assert.ok(index === 0 || border > (borders[index - 1] ?? 0));
      }
      assert.ok(low.every((border) => high.includes(border)) && noise.every((border) => low.includes(border)));
      assert.equal(low.length - 1, Math.ceil((high.length - 1) / 2));
      assert.ok(noise.length <= 6);
      assert.ok(origins.every((origin) => origin >= -1 && origin < start));
    }
  });

  test('follows the bitrate, and leaves the core its half', () => {
    for (const rate of [32_000, 44_100, 48_000, 96_000]) {
      const starts = [16_000, 20_000, 32_000, 64_000].map((each) => chooseBands(rate, each * 2, 2).start);
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      );
      for (const start of starts) assert.ok(start <= 29, `${start}`);
    }
    const { start, stop } = chooseBands(48_000, 64_000, 2);
    assert.deepEqual([Math.round(start * 0.375), Math.round(stop * 0.375)], [9, 18]);
  });
});

test('a tone is in the band of its frequency alone', () => {
  const slots = 4;
  for (const band of [1, 20, 47, 62]) {
    const filters = new QmfAnalysis(slots);
    const [re, im] = [new Float64Array(slots * 64), new Float64Array(slots * 64)];
    for (let part = 0; part < 6; part++) {
      const at = (index: number): number => Math.cos((2 * Math.PI * (band + 0.5) * (index + part * slots * 64)) / 128);
      filters.analyze(
        Float32Array.from({ length: slots * 64 }, (_, index) => at(index)),
        1,
        re,
        im,
        0,
      );
    }
    const decibels = Array.from(
      { length: 64 },
      (_, index) => 10 * Math.log10((re[index] ?? 0) ** 2 + (im[index] ?? 0) ** 2),
    );
    const top = decibels[band] ?? 0;
    for (const [index, value] of decibels.entries()) {
      if (index !== band)
        assert.ok(value < top - (Math.abs(index - band) === 1 ? 35 : 70), `${band}: ${index} ${value}`);
    }
  }
});

test('noise is told from a tone', () => {
  const random = seeded(3);
  const signal = new BandSignal();
  for (let frame = 0; frame < 20; frame++) {
    const sample = (index: number): number => {
      const tone = Math.cos((2 * Math.PI * 40.3 * (index + frame * FRAME_SAMPLES)) / 128);
      return 0.2 * tone + 0.002 * (random() - 0.5);
    };
    signal.push(
      Float32Array.from({ length: FRAME_SAMPLES }, (_, index) => sample(index)),
      64,
    );
  }
  assert.ok((signal.noisiness[40] ?? 1) < 0.01);
  const far = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((band) => signal.noisiness[band] ?? 0);
  assert.ok(far.reduce((sum, value) => sum + value, 0) / far.length > 0.85, far.join(' '));
});

test('silence needs a few bytes a frame', () => {
  const encoder = new SbrEncoder(chooseBands(48_000, 64_000, 2), 2);
  const silent = new Float32Array(FRAME_SAMPLES);
  for (let frame = 0; frame < 5; frame++) assert.ok(encoder.encode([silent, silent]).length < 120);
});

test('whatever samples are, there is something to write', () => {
  const random = seeded(17);
  const bands = chooseBands(44_100, 64_000, 2);
  const encoder = new SbrEncoder(bands, 2);
  const odd = [0, 1, -1, 999, -999, 1e-30, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let frame = 0; frame < 200; frame++) {
    const few = odd.filter(() => random() < 0.4);
    const channel = (): Float32Array =>
      Float32Array.from(
        { length: Math.floor(random() * FRAME_SAMPLES) },
        () => few[Math.floor(random() * few.length)] ?? 0,
      );
    const payload = encoder.encode([channel(), channel()]);
    const bits = new BitReader(payload.finish());
    parse(bits, bands, 2);
    assert.equal(bits.position, payload.length);
  }
});

describe('a fill element', () => {
  test('stands behind what a frame has, wherever in a byte that ends', () => {
    const random = seeded(11);
    for (let length = 3; length < 60; length++) {
      for (const size of [4, 9, 80, 118, 119, 120, 121, 128, 1000, 2100]) {
        const content = Array.from({ length }, () => (random() < 0.5 ? 1 : 0));
        const extension = Array.from({ length: size }, () => (random() < 0.5 ? 1 : 0));
        const frame = withFillElement(bytesOf([...content, 1, 1, 1]), writerOf(extension));
        const bits = new BitReader(frame);
        assert.deepEqual(
          content.map(() => bits.bit()),
          content,
        );
        assert.equal(bits.bits(3), 6);
        const count = bits.bits(4);
        const bytes = count === 15 ? 14 + bits.bits(8) : count;
        assert.equal(bytes, Math.ceil(size / 8));
        assert.deepEqual(
          extension.map(() => bits.bit()),
          extension,
        );
        bits.skip(bytes * 8 - size);
        assert.equal(bits.bits(3), 7);
        assert.ok(frame.length * 8 - bits.position < 8);
      }
    }
  });

  test('has no place in what is not a frame', () => {
    const extension = writerOf([1, 0, 1]);
    for (const bytes of [[], [0], [0xff, 0], [0x02], [0xf6, 0xc0]]) {
      assert.throws(() => withFillElement(Buffer.from(bytes), extension), RangeError);
    }
    assert.throws(
      () => withFillElement(bytesOf([1, 1, 1]), writerOf(Array.from({ length: 2200 }, () => 1))),
      RangeError,
    );
  });
});

function writerOf(bits: readonly number[]): BitWriter {
  const writer = new BitWriter();
  for (const bit of bits) writer.write(bit, 1);
  return writer;
}

function bytesOf(bits: readonly number[]): Buffer {
  return writerOf(bits).finish();
}

test('the configuration names the replication, both rates and the core', () => {
  assert.equal(heAacConfig(48_000, 2).toString('hex'), '2b118800');
  assert.equal(heAacConfig(44_100, 1).toString('hex'), '2b8a0800');
  assert.equal(heAacConfig(48_000, 'parametric').toString('hex'), 'eb098800');
  assert.throws(() => heAacConfig(40_000, 2), RangeError);
});
