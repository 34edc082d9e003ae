import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { encodeHeAac, type EncodedHeAac, type HeAacFacts } from '#test/harness/encoded-he-aac.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { type FFmpeg, loadFFmpeg } from './load-ffmpeg.ts';

/** Samples by which a decoder's output is late. */
const DELAY = 2 * 1024 + 962;
const SECONDS = 4;

let ffmpeg: FFmpeg;
before(async () => {
  ffmpeg = await loadFFmpeg();
});

type Source = (sample: number, channel: number) => number;

function encoded(facts: HeAacFacts, source: Source): EncodedHeAac {
  const made = encodeHeAac(ffmpeg, facts, SECONDS * facts.sampleRate, source);
  assert.equal(made.codecName, 'mp4a.40.5');
  return made;
}

/** What the ffmpeg command makes of it, without its delay: by channel. It complains of nothing. */
function decoded({ packets, adts }: EncodedHeAac, { sampleRate, channels }: HeAacFacts): Float32Array[] {
  // One channel comes out as two alike, as parametric stereo might follow.
  const args = ['-v', 'warning', '-f', 'aac', '-i', 'pipe:0', '-ac', '2', '-f', 'f32le', 'pipe:1'];
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input: adts, maxBuffer: 64 * 1024 * 1024 });
  assert.equal(stderr.toString().replace(/^.*Estimating duration.*\n/gm, ''), '');
  const samples = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  assert.equal(samples.length, packets.length * 2048 * 2);
  const length = SECONDS * sampleRate;
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length }, (__, index) => samples[(index + DELAY) * 2 + channel] ?? NaN),
  );
}

const WINDOW = 1024;

/** Decibels of the spectrum in windows, in slices of a number of hertz from a frequency on: by window, by slice. */
function slices(samples: Float32Array, sampleRate: number, from: number, to: number, width: number): number[][] {
  const windows: number[][] = [];
  const bins = Math.floor((width * WINDOW) / sampleRate);
  const first = Math.ceil((from * WINDOW) / sampleRate);
  const count = Math.floor((to - from) / width);
  for (let at = WINDOW * 4; at + WINDOW * 4 < samples.length; at += WINDOW * 8) {
    const row: number[] = [];
    for (let slice = 0; slice < count; slice++) {
      let energy = 1e-9;
      for (let bin = first + slice * bins; bin < first + (slice + 1) * bins; bin++)
        energy += binEnergy(samples, at, bin);
      row.push(10 * Math.log10(energy));
    }
    windows.push(row);
  }
  return windows;
}

/** By Goertzel's recursion, under a raised cosine. */
function binEnergy(samples: Float32Array, at: number, bin: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * bin) / WINDOW);
  let [one, two] = [0, 0];
  for (let index = 0; index < WINDOW; index++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / WINDOW);
    [one, two] = [(samples[at + index] ?? 0) * window + turn * one - two, one];
  }
  return one * one + two * two - turn * one * two;
}

/** Samples of which the loudness is told. */
const BLOCK = 32;

/** Of what is above 12 kHz for the most part. */
function loudnessOfHighs(samples: Float32Array): number[] {
  let filtered = samples;
  for (let round = 0; round < 8; round++) {
    filtered = filtered.map((sample, index, all) => sample - (all[index - 1] ?? 0));
  }
  return Array.from({ length: Math.floor(samples.length / BLOCK) }, (_, block) =>
    Math.sqrt(filtered.subarray(block * BLOCK, (block + 1) * BLOCK).reduce((sum, sample) => sum + sample * sample, 0)),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Noise that is the same each time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const STEREO: HeAacFacts = { sampleRate: 48_000, channels: 2, bitrate: 64_000 };

/** A signal of channels, kept so that it can be compared. */
function kept({ sampleRate, channels }: HeAacFacts, source: Source): Float32Array[] {
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length: SECONDS * sampleRate }, (__, index) => source(index, channel)),
  );
}

describe('HE-AAC in ffmpeg’s decoder', { skip: withoutFfmpeg }, () => {
  const speech = (facts: HeAacFacts): Source => {
    const random = noise(5);
    let last = 0;
    return (sample) => {
      const seconds = sample / facts.sampleRate;
      const hiss = random();
      const bright = hiss - last;
      last = hiss;
      const syllable = Math.max(0, Math.sin(2 * Math.PI * 3 * seconds)) ** 2;
      let voice = 0;
      for (let harmonic = 1; harmonic < 40; harmonic++) {
        voice += Math.cos(2 * Math.PI * 140 * harmonic * seconds + harmonic ** 2) / harmonic;
      }
      return 0.06 * voice * syllable + 0.04 * bright * (1 - syllable);
    };
  };
  const white = (): Source => {
    const random = noise(9);
    return () => 0.15 * random();
  };
  const bursts = (facts: HeAacFacts): Source => {
    const random = noise(4);
    return (sample) => 0.6 * random() * Math.exp(-((sample + 9000) % (facts.sampleRate / 4)) / 150);
  };
  const cases: readonly (readonly [string, HeAacFacts, (facts: HeAacFacts) => Source])[] = [
    ['noise', STEREO, white],
    ['noise at 44.1 kHz', { sampleRate: 44_100, channels: 2, bitrate: 96_000 }, white],
    ['noise of one channel at 32 kHz', { sampleRate: 32_000, channels: 1, bitrate: 32_000 }, white],
    ['noise at 96 kHz', { sampleRate: 96_000, channels: 2, bitrate: 128_000 }, white],
    ['what is like speech', STEREO, speech],
    ['what is like speech, of a low bitrate', { ...STEREO, bitrate: 20_000 }, speech],
    ['what is like speech, of one channel', { ...STEREO, channels: 1, bitrate: 32_000 }, speech],
    ['bursts', STEREO, bursts],
  ];
  for (const [what, facts, makeSource] of cases) {
    test(`${what} keeps its spectrum above the core’s, and its bitrate`, () => {
      const original = kept(facts, makeSource(facts));
      const made = encoded(facts, (sample, channel) => original[channel]?.[sample] ?? 0);
      if (what !== 'bursts') {
        assert.ok(Math.abs(made.bitrate / facts.bitrate - 1) < 0.05, `${Math.round(made.bitrate)} bits a second`);
      }
      const heard = decoded(made, facts);
      // Where the core leaves out bands for want of bits, there is nothing to be copied from them.
      const allowed = facts.bitrate < 32_000 ? 6 : 3;
      const highest = Math.min(17_000, facts.sampleRate * 0.44);
      const width = 1000;
      for (const [channel, samples] of heard.entries()) {
        const before = slices(original[channel] ?? samples, facts.sampleRate, 6000, highest, width);
        const after = slices(samples, facts.sampleRate, 6000, highest, width);
        for (const slice of before[0]?.keys() ?? []) {
          const differences = after.map((row, window) => (row[slice] ?? NaN) - (before[window]?.[slice] ?? NaN));
          assert.ok(Math.abs(median(differences)) < allowed, `${6000 + slice * width} Hz: ${median(differences)} dB`);
        }
      }
    });
  }

  test('a tone stays where nothing like it is below', () => {
    const at = (hz: number, sample: number): number => Math.cos((2 * Math.PI * hz * sample) / 48_000);
    const source: Source = (sample) => 0.2 * at(1000, sample) + 0.05 * at(13_000, sample);
    const [original] = kept(STEREO, source);
    const [heard] = decoded(encoded(STEREO, source), STEREO);
    assert.ok(original && heard);
    const level = (samples: Float32Array) =>
      median(slices(samples, 48_000, 12_000, 14_000, 2000).map(([one]) => one ?? NaN));
    assert.ok(Math.abs(level(heard) - level(original)) < 3.5, `${level(heard) - level(original)} dB`);
    const beside = median(slices(heard, 48_000, 15_000, 17_000, 2000).map(([one]) => one ?? NaN));
    assert.ok(beside < level(heard) - 30, `${beside}`);
  });

  test('silence stays silence', () => {
    const made = encoded(STEREO, () => 0);
    assert.ok(made.bitrate < 8000, `${made.bitrate}`);
    for (const samples of decoded(made, STEREO)) {
      assert.ok(samples.every((sample) => Math.abs(sample) < 1e-4));
    }
  });

  test('what high bands do is in time with the source', () => {
    // The low ones are steady, so that they lend no time to what is copied from them.
    const random = noise(13);
    const past = [0, 0, 0];
    const [original] = kept({ ...STEREO, channels: 1 }, (sample) => {
      const [one = 0, two = 0, three = 0] = past;
      const fresh = random();
      past.unshift(fresh);
      past.pop();
      const isOn = sample % 6007 < 3000;
      return 0.02 * random() + (isOn ? 0.05 * (fresh - 3 * one + 3 * two - three) : 0);
    });
    assert.ok(original);
    const [heard] = decoded(
      encoded(STEREO, (sample) => original[sample] ?? 0),
      STEREO,
    );
    assert.ok(heard);
    const [there, here] = [loudnessOfHighs(original), loudnessOfHighs(heard)];
    const likeness = (shift: number): number =>
      there.reduce((sum, value, index) => sum + value * (here[index + shift] ?? 0), 0);
    const shifts = Array.from({ length: 41 }, (_, index) => index - 20);
    const best = shifts.toSorted((a, b) => likeness(b) - likeness(a))[0] ?? NaN;
    assert.ok(Math.abs(best) <= 4, `${best * BLOCK} samples`);
  });

  test('the core is in time with the source', () => {
    const random = noise(2);
    let low = 0;
    const [original] = kept({ ...STEREO, channels: 1 }, () => (low = 0.95 * low + 0.02 * random()));
    assert.ok(original);
    const [heard] = decoded(
      encoded(STEREO, (sample) => original[sample] ?? 0),
      STEREO,
    );
    const likeness = (shift: number): number => {
      let sum = 0;
      for (let index = 20_000; index < 60_000; index++) sum += (original[index] ?? 0) * (heard?.[index + shift] ?? 0);
      return sum;
    };
    const shifts = Array.from({ length: 41 }, (_, index) => index - 20);
    const best = shifts.toSorted((a, b) => likeness(b) - likeness(a))[0] ?? NaN;
    assert.ok(Math.abs(best) <= 1, `${best} samples`);
  });

  test('packets follow each other from before the first sample to the last one', () => {
    const { packets } = encoded(STEREO, white());
    let next = -DELAY;
    for (const { pts, duration } of packets) {
      assert.equal(pts, next);
      next += duration;
    }
    assert.equal(next, SECONDS * 48_000);
  });

  test('FFmpeg’s library, from any packet on, gives frames of twice the core’s length', () => {
    const { packets, config } = encoded(STEREO, white());
    const codec = ffmpeg.Codec.findDecoderByName('aac' as Parameters<typeof ffmpeg.Codec.findDecoderByName>[0]);
    const context = new ffmpeg.CodecContext();
    context.allocContext3(codec);
    context.extraData = config;
    assert.equal(context.open2Sync(codec, null), 0);
    const [packet, frame] = [new ffmpeg.Packet(), new ffmpeg.Frame()];
    packet.alloc();
    frame.alloc();
    for (const { data } of packets.slice(20)) {
      packet.data = data;
      assert.equal(context.sendPacketSync(packet), 0);
      assert.equal(context.receiveFrameSync(frame), 0);
      assert.deepEqual([frame.nbSamples, frame.sampleRate, frame.channels], [2048, 48_000, 2]);
    }
    assert.equal(context.profile, ffmpeg.AV_PROFILE_AAC_HE);
    frame.free();
    packet.free();
    context.freeContext();
  });
});
