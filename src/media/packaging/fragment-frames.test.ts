import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockGroup, cluster, simpleBlock } from '#test/harness/matroska-builder.ts';
import type { Track } from '../matroska/tracks.ts';
import { fragmentFrames } from './fragment-frames.ts';
import { PackagingError } from './packaging-error.ts';

const tracks: readonly Track[] = [
  { number: 1, type: 'video', codecId: 'V_MPEG4/ISO/AVC', language: 'eng' },
  { number: 2, type: 'audio', codecId: 'A_AAC', language: 'eng' },
];

describe('the frames of a fragment', () => {
  it('are told apart by track, with times from the fragment’s beginning', () => {
    const blocks = [
      simpleBlock({ time: 5 }),
      simpleBlock({ track: 2, time: -3 }),
      blockGroup({ time: 40, duration: 10, references: true }),
      simpleBlock({ time: 80, payload: Buffer.alloc(0) }),
    ];
    const frames = fragmentFrames({ tracks, timecodeScale: 500_000 }, cluster(1_790_000_000_000, { blocks }));
    const payload = Buffer.from('frame');
    assert.deepEqual(frames.get(1), [
      { timeMs: 2.5, isKeyframe: true, payload },
      { timeMs: 20, durationMs: 5, isKeyframe: false, payload },
    ]);
    assert.deepEqual(frames.get(2), [{ timeMs: -1.5, isKeyframe: true, payload }]);
  });

  it('are refused where there are more than a fragment can have', () => {
    const laced = simpleBlock({ lacing: 2, payload: Buffer.concat([Buffer.of(255), Buffer.alloc(256)]) });
    const many = (count: number) => cluster(0, { blocks: Array.from({ length: count }, () => laced) });
    assert.equal(fragmentFrames({ tracks, timecodeScale: 1_000_000 }, many(100)).get(1)?.length, 25_600);
    assert.throws(() => fragmentFrames({ tracks, timecodeScale: 1_000_000 }, many(200)), PackagingError);
  });

  it('are refused where they are no Matroska', () => {
    for (const bytes of [Buffer.from('1f43b67584deadbeef', 'hex'), Buffer.from('00', 'hex')]) {
      assert.throws(() => fragmentFrames({ tracks, timecodeScale: 1_000_000 }, bytes), PackagingError);
    }
  });
});
