import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { header } from '#test/harness/matroska-builder.ts';
import { FragmentWriter, MissingTrackError, type WrittenPiece } from './fragment-writer.ts';
import { MatroskaParser } from './matroska-parser.ts';
import { type Frame, readFrames } from './read-frames.ts';

const RULES = { minimumMs: 1000, maximumMs: 15_000, maximumBytes: 1_000_000 };

/** Frames of a picture (track 1, every 40 ms) and of sound (track 2, every 20 ms), as they stand in a file. */
function frames(facts: {
  readonly from?: number;
  readonly video: number;
  readonly audio: number;
  readonly keyframeEvery: number;
  readonly bytes?: number;
}): Frame[] {
  const { from = 0, video, audio, keyframeEvery, bytes = 10 } = facts;
  const payload = Buffer.alloc(bytes);
  const pictures = Array.from({ length: Math.ceil(video / 40) }, (_, index) => ({
    track: 1,
    timecodeMs: from + index * 40,
    isKeyframe: (index * 40) % keyframeEvery === 0,
    payload,
  }));
  const sounds = Array.from({ length: Math.ceil(audio / 20) }, (_, index) => ({
    track: 2,
    timecodeMs: from + index * 20,
    isKeyframe: true,
    payload,
  }));
  return [...pictures, ...sounds].sort((a, b) => a.timecodeMs - b.timecodeMs || a.track - b.track);
}

function writeAll(input: readonly Frame[], writer = new FragmentWriter(1, [2], RULES)): WrittenPiece[] {
  return [...input.flatMap((frame) => writer.add(frame)), ...writer.end()];
}

/** What the service's own parser makes of it: start, length in ms, frames, and whether a keyframe comes first. */
function fragmentsOf(pieces: readonly WrittenPiece[]): [number, number, number, boolean][] {
  const parser = new MatroskaParser();
  const start = header({ number: 1 }, { number: 2, type: 'audio' });
  const events = [start, ...pieces.flatMap(({ bytes }) => bytes)].flatMap((bytes) => parser.push(bytes));
  const all = [...events, ...parser.end()];
  const last = all.at(-1);
  assert.notEqual(last?.type, 'error', last?.type === 'error' ? last.error.message : '');
  return all
    .filter((event) => event.type === 'fragment')
    .map((one) => [one.timecodeMs, one.durationMs, one.frames, one.startsWithKeyframe]);
}

describe('FragmentWriter', () => {
  it('cuts before keyframes, and ends each fragment so that it need not be waited for', () => {
    const pieces = writeAll(frames({ video: 6000, audio: 6000, keyframeEvery: 2000 }));
    assert.deepEqual(fragmentsOf(pieces), [
      [0, 2000, 150, true],
      [2000, 2000, 150, true],
      [4000, 2000, 150, true],
    ]);
    assert.equal(pieces.filter(({ endsFragment }) => endsFragment).length, 3);
  });

  it('begins at the leading track’s first keyframe, and counts time from there', () => {
    const late = frames({ from: 123_000, video: 3000, audio: 3000, keyframeEvery: 1000 }).slice(5);
    assert.deepEqual(
      fragmentsOf(writeAll(late)).map(([start]) => start),
      [0, 1000],
    );
  });

  it('keeps the sound that stands just before the first keyframe', () => {
    const video = frames({ video: 1000, audio: 0, keyframeEvery: 1000 });
    const early = [-500, -40, -20].map((time) => ({
      track: 2,
      timecodeMs: time,
      isKeyframe: true,
      payload: Buffer.from('sound'),
    }));
    assert.deepEqual(fragmentsOf(writeAll([...early, ...video])), [[0, 1000, 27, true]]);
  });

  it('gives frames their own times, also those that are shown before the keyframe', () => {
    const payload = Buffer.from('frame');
    const shown = [0, 120, 40, 80].map((time, index) => ({
      track: 1,
      timecodeMs: 5000 + time,
      isKeyframe: index === 0,
      payload,
    }));
    const sound = { track: 2, timecodeMs: 4980, isKeyframe: true, payload };
    const cluster = Buffer.concat(
      writeAll([...shown, sound]).flatMap(({ bytes, endsFragment }) => (endsFragment ? [] : bytes)),
    );
    const tracks = [1, 2].map((number) => ({ number, type: 'other', codecId: 'X', language: 'und' }) as const);
    assert.deepEqual(
      readFrames(cluster, tracks, 1_000_000).map(({ timecodeMs }) => timecodeMs),
      [0, 120, 40, 80, -20],
    );
  });

  it('makes no fragment of less than a second from pictures that are all keyframes', () => {
    const pieces = writeAll(frames({ video: 3000, audio: 3000, keyframeEvery: 40 }));
    assert.deepEqual(
      fragmentsOf(pieces).map(([start]) => start),
      [0, 1000, 2000],
    );
  });

  it('cuts between keyframes where they stand too far apart, and where a fragment grows too large', () => {
    const rare = fragmentsOf(writeAll(frames({ video: 40_000, audio: 40_000, keyframeEvery: 60_000 })));
    assert.deepEqual(
      rare.map(([start, , , startsWithKeyframe]) => [start, startsWithKeyframe]),
      [
        [0, true],
        [15_000, false],
        [30_000, false],
      ],
    );
    const large = fragmentsOf(writeAll(frames({ video: 4000, audio: 4000, keyframeEvery: 60_000, bytes: 10_000 })));
    assert.ok(large.length > 1);
  });

  it('leaves what trails at the end in the last fragment, so that it lacks no track', () => {
    const pieces = writeAll(frames({ video: 4040, audio: 4000, keyframeEvery: 2000 }));
    assert.deepEqual(fragmentsOf(pieces), [
      [0, 2000, 150, true],
      [2000, 2040, 151, true],
    ]);
  });

  it('says which track stopped when the others go on too long, and still makes a good end', () => {
    for (const [video, audio, track] of [
      [60_000, 3000, 2],
      [3000, 60_000, 1],
      [60_000, 0, 2],
    ] as const) {
      const writer = new FragmentWriter(1, [2], RULES);
      const pieces: WrittenPiece[] = [];
      assert.throws(
        () => {
          for (const frame of frames({ video, audio, keyframeEvery: 2000 })) pieces.push(...writer.add(frame));
        },
        (error) => error instanceof MissingTrackError && error.track === track,
      );
      if (audio > 0) assert.ok(fragmentsOf([...pieces, ...writer.end()]).every(([, length]) => length <= 20_000));
    }
  });

  it('cuts a single track of sound each second', () => {
    const sound = frames({ video: 0, audio: 3000, keyframeEvery: 1 });
    const pieces = writeAll(sound, new FragmentWriter(2, [], RULES));
    assert.equal(pieces.filter(({ endsFragment }) => endsFragment).length, 3);
  });
});
