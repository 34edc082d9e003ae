import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AacConfig } from './codecs/aac-config.ts';
import type { AvcConfig } from './codecs/avc-config.ts';
import type { CodedTrack } from './codecs/track-codec.ts';
import { type TimedFrame, timeSamples, VIDEO_TIMESCALE } from './track-samples.ts';

const START = 1_790_000_000_000;

function video(reorderedFrames?: number, frameMs?: number): CodedTrack {
  const codec: AvcConfig = {
    kind: 'avc',
    name: 'avc1.64000d',
    record: Buffer.alloc(0),
    parameterSets: [],
    lengthSize: 4,
    width: 16,
    height: 16,
    reorderedFrames,
  };
  return { number: 1, codec, frameMs };
}

function audio(sampleRate: number): CodedTrack {
  const adts = { objectType: 2, frequencyIndex: 3, channelConfiguration: 2 };
  const facts = { name: 'mp4a.40.2', record: Buffer.alloc(2), channels: 2, samplesPerFrame: 1024, adts };
  return { number: 2, codec: { kind: 'aac', sampleRate, ...facts } satisfies AacConfig, frameMs: undefined };
}

function frames(...times: readonly number[]): TimedFrame[] {
  return times.map((timeMs, index) => ({ timeMs, isKeyframe: index === 0, payload: Buffer.of(1) }));
}

/** Groups of one P frame and two B frames, as they are decoded. */
const REORDERED = [0, 120, 40, 80, 240, 160, 200];

describe('the times of video frames', () => {
  it('without reordering are decoded when they are shown', () => {
    const times = timeSamples(video(0), frames(0, 40, 80), { startMs: START });
    assert.deepEqual(
      times.map(({ decodeTime, duration, compositionOffset }) => [
        decodeTime - START * 90,
        duration,
        compositionOffset,
      ]),
      [
        [0, 3600, 0],
        [3600, 3600, 0],
        [7200, 3600, 0],
      ],
    );
  });

  it('with reordering are decoded early enough, and shown when Matroska says', () => {
    const times = timeSamples(video(2, 40), frames(...REORDERED), { startMs: START });
    assert.deepEqual(
      times.map(({ decodeTime }) => decodeTime / 90 - START),
      [-80, -40, 0, 40, 80, 120, 160],
    );
    assert.deepEqual(
      times.map(({ decodeTime, compositionOffset }) => (decodeTime + compositionOffset) / 90 - START),
      REORDERED,
    );
  });

  it('are decoded early by as much in each fragment, though one has no reordered frames', () => {
    const first = timeSamples(video(2, 40), frames(...REORDERED), { startMs: START });
    const second = timeSamples(video(2, 40), frames(0, 40, 80), { startMs: START + 280 });
    const end = (first.at(-1)?.decodeTime ?? 0) + (first.at(-1)?.duration ?? 0);
    assert.equal(second[0]?.decodeTime, end);
  });

  it('end with the fragment, or as the frames before, or as the producer says', () => {
    const last = (track: CodedTrack, place: object) =>
      (timeSamples(track, frames(0, 40, 80), { startMs: 0, ...place }).at(-1)?.duration ?? 0) / 90;
    assert.equal(last(video(0), { lengthMs: 125 }), 45);
    assert.equal(last(video(0), {}), 40);
    // A gap is no part of the last frame.
    assert.equal(last(video(0), { lengthMs: 2000 }), 40);
    assert.equal(last(video(0), { lengthMs: 80 }), 40);
    assert.equal(last(video(0, 33), { lengthMs: 125 }), 33);
    assert.equal(timeSamples(video(0), frames(0), { startMs: 0, lengthMs: 1000 })[0]?.duration, VIDEO_TIMESCALE);
  });

  it('are always in order, never shown before they are decoded, and without gaps', () => {
    const order = fc
      .array(fc.integer({ min: -40, max: 2000 }), { minLength: 1, maxLength: 60 })
      .chain((times) => fc.tuple(fc.constant(times), fc.option(fc.nat(4), { nil: undefined })));
    fc.assert(
      fc.property(order, ([given, reordered]) => {
        const times = timeSamples(video(reordered), frames(...given), { startMs: START });
        for (const [index, { decodeTime, duration, compositionOffset }] of times.entries()) {
          const next = times[index + 1];
          if (next !== undefined) assert.equal(decodeTime + duration, next.decodeTime);
          assert.ok(duration > 0 && compositionOffset >= 0);
          // Frames of the same time are pushed apart by a tick each.
          const shown = (START + (given[index] ?? 0)) * 90;
          assert.ok(Math.abs(decodeTime + compositionOffset - shown) <= given.length);
        }
      }),
    );
  });
});

describe('the times of audio frames', () => {
  /** The times of frames that follow one another, in whole milliseconds as Matroska has them. */
  const rounded = (count: number, rate: number): number[] =>
    Array.from({ length: count }, (_, index) => Math.round((index * 1024 * 1000) / rate));

  for (const rate of [48_000, 44_100, 16_000]) {
    it(`follow one another by whole frames at ${rate} Hz, whatever the rounding`, () => {
      const times = timeSamples(audio(rate), frames(...rounded(100, rate)), { startMs: START });
      assert.deepEqual([...new Set(times.map(({ duration }) => duration))], [1024]);
      assert.equal(times[0]?.decodeTime, Math.round((START * rate) / 1000));
    });
  }

  it('leave a gap where frames are missing, and none for small unevenness', () => {
    const times = timeSamples(audio(48_000), frames(0, 25, 40, 564, 585), { startMs: 0 });
    assert.deepEqual(
      times.map(({ decodeTime }) => decodeTime),
      [0, 1024, 2048, 564 * 48, 564 * 48 + 1024],
    );
    assert.equal(times[2]?.duration, 564 * 48 - 2048);
  });

  it('follow the fragment before without a seam, where that is asked for', () => {
    const [first] = timeSamples(audio(48_000), frames(0, 21), { startMs: 1000, expected: 48_123 });
    assert.equal(first?.decodeTime, 48_123);
    const [late] = timeSamples(audio(48_000), frames(0, 21), { startMs: 5000, expected: 48_123 });
    assert.equal(late?.decodeTime, 240_000);
  });

  it('of G.711 are as long as their bytes', () => {
    const track: CodedTrack = {
      number: 2,
      codec: { kind: 'g711', name: 'alaw', sampleRate: 8000, channels: 1 },
      frameMs: undefined,
    };
    const packets = [0, 20, 40].map((timeMs) => ({ timeMs, isKeyframe: true, payload: Buffer.alloc(160) }));
    const times = timeSamples(track, packets, { startMs: 0 });
    assert.deepEqual(
      times.map(({ decodeTime, duration }) => [decodeTime, duration]),
      [
        [0, 160],
        [160, 160],
        [320, 160],
      ],
    );
  });
});
