import type { AccountId, Region } from '#kernel/ids.ts';

/** What the archive has to know of a stream. `StreamRecord` is one. */
export interface ArchivedStream {
  readonly id: string;
  readonly arn: string;
  readonly account: AccountId;
  readonly region: Region;
  /** As CreateStream was given it; `undefined` for the AWS managed key. */
  readonly kmsKeyId: string | undefined;
  /** 0 keeps nothing but what GetMedia reads meanwhile. */
  readonly retentionHours: number;
}

/** By which of its two times a fragment is looked for. */
export type TimestampKind = 'server' | 'producer';

/** What is known of a stored fragment. */
export interface FragmentRecord {
  readonly streamId: string;
  /** 47 decimal digits: their order as text is that in which fragments came. */
  readonly number: string;
  /** The connection by which it came: fragments of one share a header and a data key. */
  readonly ingestId: string;
  /** When its first byte came, in milliseconds since the epoch. */
  readonly serverTimestamp: number;
  /** Milliseconds since the epoch. */
  readonly producerTimestamp: number;
  readonly lengthMs: number;
  /** Bytes of plaintext: the cluster and its tags. */
  readonly size: number;
  /** How many of them are the cluster's; the tags follow. */
  readonly clusterSize: number;
  /** True when decoding can begin here: each video track begins with a keyframe. Always true without video. */
  readonly startsWithKeyframe: boolean;
  /** False for what came while the stream kept nothing: only GetMedia reads it, for some minutes. */
  readonly isKept: boolean;
  /** Bytes of ciphertext in a segment. */
  readonly segmentSize: number;
  /** Where the ciphertext lies; `null` where it is in the database. */
  readonly blob: string | null;
}

/** A fragment in the clear. */
export interface FragmentContent {
  /** EBML header, Segment, Info, Tracks and first Tags of the connection, as they came. */
  readonly header: Buffer;
  /** The Cluster element, as it came. */
  readonly cluster: Buffer;
  /** The producer's Tags elements that belong to the fragment, as they came. */
  readonly tags: Buffer;
}

/** Milliseconds since the epoch, both ends included; an end that is absent is open. */
export interface FragmentSelection {
  readonly by: TimestampKind;
  readonly start?: number;
  readonly end?: number;
}

export interface FragmentPage {
  readonly fragments: readonly FragmentRecord[];
  /** True when more may follow. */
  readonly hasMore: boolean;
}
