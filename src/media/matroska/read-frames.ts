import type { Track } from './tracks.ts';

/** One frame of a Cluster. */
export interface Frame {
  readonly track: number;
  /** Milliseconds since the stream's zero (the Cluster's timecode included); may have a fraction. Presentation time. */
  readonly timecodeMs: number;
  /** Where the block or the track says it. */
  readonly durationMs?: number;
  readonly isKeyframe: boolean;
  /** A view of the Cluster's bytes, or a copy where the track's frames lack their first bytes (header stripping). */
  readonly payload: Buffer;
}

/**
 * The frames of one whole Cluster, in the order of the stream (decoding order), laces taken apart.
 *
 * @param cluster the Cluster element, its id and size included
 * @throws MatroskaError INVALID_MKV_DATA
 */
export function readFrames(_cluster: Buffer, _tracks: readonly Track[], _timecodeScale: number): Frame[] {
  throw new Error('not built');
}
