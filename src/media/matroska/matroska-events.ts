import type { MatroskaError } from './matroska-error.ts';
import type { SimpleTag } from './tags.ts';
import type { Track } from './tracks.ts';

/** What bounds a stream, and the memory that its parser holds. */
export interface MatroskaLimits {
  /** Bytes of everything before the first Cluster. */
  readonly headerBytes: number;
  /** Bytes of a Cluster. */
  readonly fragmentBytes: number;
  /** How far a frame may lie behind the timecode of its Cluster, in milliseconds. */
  readonly fragmentMs: number;
  readonly tracks: number;
  /** Tags of one fragment; control tags do not count. */
  readonly tagsPerFragment: number;
  /** Bytes of UTF-8. */
  readonly tagNameBytes: number;
  readonly tagValueBytes: number;
}

/** The quotas of Kinesis Video Streams. */
export const DEFAULT_MATROSKA_LIMITS: MatroskaLimits = {
  headerBytes: 1024 * 1024,
  fragmentBytes: 50 * 1024 * 1024,
  fragmentMs: 20_000,
  tracks: 3,
  tagsPerFragment: 10,
  tagNameBytes: 128,
  tagValueBytes: 256,
};

/** Everything before the first Cluster. Comes once, before the first Cluster's own events. */
export interface HeaderEvent {
  readonly type: 'header';
  /**
   * The producer's EBML header, a Segment of unknown size (8 bytes of size), and the producer's further elements
   * verbatim (Info, Tracks, initial Tags, SeekHead, Void …; without Attachments and Cues). With a Cluster behind it, it
   * is a whole Matroska stream.
   */
  readonly bytes: Buffer;
  readonly tracks: readonly Track[];
  /** Nanoseconds of one unit of the timecodes. */
  readonly timecodeScale: number;
  /** The tags that came before the first Cluster. */
  readonly simpleTags: readonly SimpleTag[];
}

/** A Cluster has begun and its timecode is known. */
export interface ClusterStartEvent {
  readonly type: 'cluster-start';
  /** Milliseconds, rounded to a whole number. */
  readonly timecodeMs: number;
}

/** A whole fragment. */
export interface FragmentEvent {
  readonly type: 'fragment';
  readonly timecodeMs: number;
  /** The Cluster verbatim, in pieces. They are views of the chunks that were pushed, or copies of small ones. */
  readonly cluster: readonly Buffer[];
  readonly clusterBytes: number;
  /** The fragment's Tags elements verbatim; the end-of-fragment tag too. */
  readonly tags: readonly Buffer[];
  readonly tagBytes: number;
  readonly simpleTags: readonly SimpleTag[];
  /** True when the producer closed the fragment with AWS_KINESISVIDEO_END_OF_FRAGMENT. */
  readonly hasEndOfFragment: boolean;
  /** From the Cluster's timecode to the end of its last frame, as far as the stream tells how long frames last. */
  readonly durationMs: number;
  readonly trackNumbers: readonly number[];
  /** Frames of all tracks; those of a lace each count. */
  readonly frames: number;
  /** True when each video track begins with a block that is marked as a keyframe. */
  readonly startsWithKeyframe: boolean;
}

/** The stream is refused; nothing follows. Fragments that came before it stand. */
interface ErrorEvent {
  readonly type: 'error';
  readonly error: MatroskaError;
}

export type MatroskaEvent = HeaderEvent | ClusterStartEvent | FragmentEvent | ErrorEvent;
