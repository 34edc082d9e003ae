import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { encodeHeAac, type EncodedHeAac } from '#test/harness/encoded-he-aac.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { type FFmpeg, loadFFmpeg } from './load-ffmpeg.ts';

/** Samples by which a decoder's output is late: those of HE-AAC, and the filters that make one channel of two. */
const DELAY = 2 * 1024 + 962 + 577;
const SECONDS = 3;

type Stereo = readonly [Float32Array, Float32Array];

interface Decoder {
  readonly name: string;
  readonly skip: string | false;
  /** Samples of the stream's that it leaves out. */
  readonly leftOut: number;
  decode(adts: Buffer): Buffer;
}

const withoutFaad: string | false = spawnSync('faad', ['-h']).error === undefined ? false : 'faad is not installed';

const DECODERS: readonly Decoder[] = [
  { name: 'ffmpeg', skip: withoutFfmpeg, leftOut: 0, decode: decodeByFfmpeg },
  // FAAD2 gives nothing for the first frame.
  { name: 'FAAD2', skip: withoutFaad, leftOut: 2048, decode: decodeByFaad },
];

/** Samples of two channels in turn. It complains of nothing. */
function decodeByFfmpeg(adts: Buffer): Buffer {
  const args = ['-v', 'warning', '-f', 'aac', '-i', 'pipe:0', '-f', 'f32le', 'pipe:1'];
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input: adts, maxBuffer: 64 * 1024 * 1024 });
  assert.equal(stderr.toString().replace(/^.*Estimating duration.*\n/gm, ''), '');
  return stdout;
}

function decodeByFaad(adts: Buffer): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'faad-'));
  try {
    writeFileSync(join(folder, 'sound.aac'), adts);
    const args = ['-q', '-f', '2', '-b', '4', '-o', join(folder, 'sound.raw'), join(folder, 'sound.aac')];
    const { status, stderr } = spawnSync('faad', args);
    assert.equal(status, 0, stderr.toString());
    return readFileSync(join(folder, 'sound.raw'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let ffmpeg: FFmpeg;
before(async () => {
  ffmpeg = await loadFFmpeg();
});

function encoded(channels: Stereo, bitrate: number, sampleRate = 48_000): EncodedHeAac {
  const facts = { sampleRate, channels: 2, bitrate, isParametric: true };
  const made = encodeHeAac(ffmpeg, facts, channels[0].length, (at, channel) => channels[channel]?.[at] ?? 0);
  assert.equal(made.codecName, 'mp4a.40.29');
  return made;
}

/** What a decoder makes of it, from the source's first sample to its last. */
function decoded({ adts, packets }: EncodedHeAac, decoder: Decoder, length: number): Stereo {
  const bytes = decoder.decode(adts);
  assert.equal(bytes.length, (packets.length * 2048 - decoder.leftOut) * 2 * 4, 'two channels');
  const side = (channel: number): Float32Array =>
    Float32Array.from({ length }, (_, index) =>
      bytes.readFloatLE(((index + DELAY - decoder.leftOut) * 2 + channel) * 4),
    );
  return [side(0), side(1)];
}

type Source = (sample: number) => readonly [number, number];

function kept(source: Source, sampleRate = 48_000): Stereo {
  const stereo = [new Float32Array(SECONDS * sampleRate), new Float32Array(SECONDS * sampleRate)] as const;
  for (let index = 0; index < SECONDS * sampleRate; index++) [stereo[0][index], stereo[1][index]] = source(index);
  return stereo;
}

/** Numbers from -1 to 1 that are the same each time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Noise that is fainter the higher it is, with what is above 10 kHz all but gone. */
function darkNoise(seed: number): () => number {
  const next = noise(seed);
  let [one, two] = [0, 0];
  return () => {
    one = 0.8 * one + 0.2 * next();
    two = 0.6 * two + 0.4 * one;
    return two;
  };
}

/** Decibels of a part of a second and more. */
function loudness(samples: Float32Array, from = 20_000, to = samples.length - 20_000): number {
  const sum = samples.subarray(from, to).reduce((all, sample) => all + sample * sample, 0);
  return 10 * Math.log10(sum / (to - from) + 1e-12);
}

/** From -1, opposite, to 1, alike. */
function likeness([left, right]: Stereo): number {
  let [both, one, other] = [0, 0, 0];
  for (let index = 20_000; index < left.length - 20_000; index++) {
    const [x, y] = [left[index] ?? 0, right[index] ?? 0];
    both += x * y;
    one += x * x;
    other += y * y;
  }
  return both / Math.sqrt(one * other);
}

const tone = (hz: number, sample: number): number => 0.3 * Math.sin((2 * Math.PI * hz * sample) / 48_000);

for (const decoder of DECODERS) {
  describe(`HE-AAC v2 in ${decoder.name}`, { skip: decoder.skip }, () => {
    for (const bitrate of [20_000, 64_000]) {
      test(`has a tone of one side there, at ${bitrate} bits a second`, () => {
        for (const [one, other] of [
          [0, 1],
          [1, 0],
        ] as const) {
          const source = kept((sample) => (one === 0 ? [tone(440, sample), 0] : [0, tone(440, sample)]));
          const heard = decoded(encoded(source, bitrate), decoder, source[0].length);
          assert.ok(Math.abs(loudness(heard[one]) - loudness(source[one])) < 1, `${loudness(heard[one])} dB`);
          assert.ok(loudness(heard[other]) < loudness(heard[one]) - 22, `${loudness(heard[other])} dB`);
        }
      });

      test(`keeps level differences, at ${bitrate} bits a second`, () => {
        for (const decibels of [3, 6, 12]) {
          const random = darkNoise(decibels);
          const source = kept(() => {
            const sample = random();
            return [sample * 10 ** (-decibels / 20), sample];
          });
          const [left, right] = decoded(encoded(source, bitrate), decoder, source[0].length);
          const seen = loudness(right) - loudness(left);
          assert.ok(Math.abs(seen - decibels) < 1.5, `${decibels}: ${seen} dB`);
          assert.ok(likeness([left, right]) > 0.95);
        }
      });
    }

    test('has tones of both sides on theirs, at the same time', () => {
      const source = kept((sample) => [tone(440, sample), tone(3000, sample)]);
      const [left, right] = decoded(encoded(source, 32_000), decoder, source[0].length);
      assert.ok(Math.abs(likeness([left, right])) < 0.05);
      for (const side of [left, right]) assert.ok(Math.abs(loudness(side) - loudness(source[0])) < 1);
    });

    test('has what both channels have in the middle, the same on both sides', () => {
      const random = darkNoise(1);
      const source = kept(() => {
        const sample = random();
        return [sample, sample];
      });
      const [left, right] = decoded(encoded(source, 24_000), decoder, source[0].length);
      assert.deepEqual(left, right);
      assert.ok(Math.abs(loudness(left) - loudness(source[0])) < 1, `${loudness(left) - loudness(source[0])} dB`);
    });

    test('keeps the width of what has nothing in common', () => {
      const [one, other] = [darkNoise(3), darkNoise(4)];
      const source = kept(() => [one(), other()]);
      const heard = decoded(encoded(source, 32_000), decoder, source[0].length);
      assert.ok(Math.abs(likeness(source)) < 0.05);
      assert.ok(Math.abs(likeness(heard)) < 0.3, `${likeness(heard)}`);
      for (const side of [0, 1] as const) {
        assert.ok(Math.abs(loudness(heard[side]) - loudness(source[side])) < 1.5, `${loudness(heard[side])} dB`);
      }
    });

    test('keeps half a width', () => {
      const [one, other, both] = [darkNoise(3), darkNoise(4), darkNoise(5)];
      const source = kept(() => {
        const middle = both();
        return [0.6 * one() + 0.8 * middle, 0.6 * other() + 0.8 * middle];
      });
      const heard = decoded(encoded(source, 32_000), decoder, source[0].length);
      assert.ok(Math.abs(likeness(heard) - likeness(source)) < 0.15, `${likeness(source)}: ${likeness(heard)}`);
    });

    test('does not lose what is the opposite on the other side', () => {
      const random = darkNoise(6);
      const source = kept(() => {
        const sample = random();
        return [sample, -sample];
      });
      const heard = decoded(encoded(source, 32_000), decoder, source[0].length);
      assert.ok(likeness(heard) < -0.8, `${likeness(heard)}`);
      for (const side of heard) assert.ok(loudness(side) > loudness(source[0]) - 3, `${loudness(side)} dB`);
    });

    test('moves in time with the source', () => {
      const [one, other] = [darkNoise(7), darkNoise(8)];
      const PERIOD = 12_345;
      const source = kept((sample) => {
        const [loud, faint] = [one(), 0.05 * other()];
        return Math.floor(sample / PERIOD) % 2 === 0 ? [loud, faint] : [faint, loud];
      });
      const heard = decoded(encoded(source, 32_000), decoder, source[0].length);
      const sides = ([left, right]: Stereo, at: number): number =>
        loudness(left, at - 300, at + 300) - loudness(right, at - 300, at + 300);
      for (let change = 3; change < 10; change++) {
        for (const shift of [-1600, 1600]) {
          const at = change * PERIOD + shift;
          const [was, is] = [sides(source, at), sides(heard, at)];
          assert.ok(Math.sign(was) === Math.sign(is) && Math.abs(is) > 12, `${change}, ${shift}: ${was}, ${is} dB`);
        }
      }
    });
  });
}

describe('HE-AAC v2', { skip: withoutFfmpeg }, () => {
  test('is in time with the source', () => {
    const random = darkNoise(2);
    const source = kept(() => {
      const sample = random();
      return [sample, 0.5 * sample];
    });
    const [decoder] = DECODERS;
    assert.ok(decoder);
    const [heard] = decoded(encoded(source, 48_000), decoder, source[0].length);
    const alike = (shift: number): number => {
      let sum = 0;
      for (let index = 20_000; index < 60_000; index++) sum += (source[0][index] ?? 0) * (heard[index + shift] ?? 0);
      return sum;
    };
    const shifts = Array.from({ length: 41 }, (_, index) => index - 20);
    const best = shifts.toSorted((a, b) => alike(b) - alike(a))[0] ?? NaN;
    assert.ok(Math.abs(best) <= 1, `${best} samples`);
  });

  const rates: readonly (readonly [number, number])[] = [
    [22_050, 8000],
    [24_000, 10_000],
    [32_000, 12_000],
    [32_000, 64_000],
    [44_100, 20_000],
    [48_000, 20_000],
    [48_000, 32_000],
    [48_000, 64_000],
  ];
  for (const [sampleRate, bitrate] of rates) {
    test(`keeps ${bitrate} bits a second at ${sampleRate} Hz`, () => {
      const [one, other] = [noise(11), darkNoise(12)];
      const source = kept((sample) => {
        const seconds = sample / sampleRate;
        let voice = 0;
        for (let harmonic = 1; harmonic < 30; harmonic++) {
          voice += Math.cos(2 * Math.PI * 140 * harmonic * seconds + harmonic ** 2) / harmonic;
        }
        const syllable = Math.max(0, Math.sin(2 * Math.PI * 3 * seconds)) ** 2;
        const middle = 0.06 * voice * syllable + 0.02 * one() * (1 - syllable);
        return [middle + 0.05 * other(), 0.8 * middle + 0.05 * other()];
      }, sampleRate);
      const made = encoded(source, bitrate, sampleRate);
      assert.ok(Math.abs(made.bitrate / bitrate - 1) < 0.05, `${Math.round(made.bitrate)} bits a second`);
    });
  }

  test('of silence is silence, of few bits', () => {
    const source = kept(() => [0, 0]);
    const [decoder] = DECODERS;
    assert.ok(decoder);
    const made = encoded(source, 32_000);
    assert.ok(made.bitrate < 6000, `${made.bitrate}`);
    for (const side of decoded(made, decoder, source[0].length)) {
      assert.ok(side.every((sample) => Math.abs(sample) < 1e-4));
    }
  });

  test('has packets that follow each other from before the first sample to the last one', () => {
    const { packets, config } = encoded(
      kept((sample) => [tone(440, sample), 0]),
      32_000,
    );
    assert.equal(config.toString('hex'), 'eb098800');
    let next = -DELAY;
    for (const { pts, duration } of packets) {
      assert.equal(pts, next);
      next += duration;
    }
    assert.equal(next, SECONDS * 48_000);
  });

  test('gives FFmpeg’s library two channels from any packet on', () => {
    const { packets, config } = encoded(
      kept((sample) => [tone(440, sample), 0]),
      32_000,
    );
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
    assert.equal(context.profile, ffmpeg.AV_PROFILE_AAC_HE_V2);
    frame.free();
    packet.free();
    context.freeContext();
  });
});
