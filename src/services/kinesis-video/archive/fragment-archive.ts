import type { Authority } from '#kernel/door.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { FragmentContent, FragmentPage, FragmentRecord, FragmentSelection, TimestampKind } from './fragment.ts';

/** What the archive has to know of a stream. `StreamRecord` is one. */
export interface ArchivedStream {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly account: AccountId;
  readonly region: Region;
  /** As CreateStream was given it; `undefined` for the AWS managed key. */
  readonly kmsKeyId: string | undefined;
  /** 0 keeps nothing but what GetMedia reads meanwhile. */
  readonly retentionHours: number;
}

/**
 * The fragments of all streams, each sealed under a data key of KMS that belongs to the connection it came by.
 *
 * What retention has ended is not seen by any method, whether or not it was removed yet.
 */
export interface FragmentArchive {
  /**
   * Begins to take the fragments of one PutMedia connection: asks KMS for a data key in the producer's own name.
   *
   * @param authority the producer's, through `kinesisvideo`, in the stream's region
   * @throws ServiceError as KMS answers; StreamBusyError when another connection writes to the stream
   */
  openIngest(stream: ArchivedStream, authority: Authority, header: Uint8Array): Promise<Ingest>;

  /**
   * Kept fragments in the order of a timestamp (and of their numbers, where it is the same).
   *
   * @param limit at most so many fragments
   * @param after the last fragment of the page before
   */
  list(
    stream: ArchivedStream,
    selection: FragmentSelection,
    limit: number,
    after?: Pick<FragmentRecord, 'number' | 'serverTimestamp' | 'producerTimestamp'>,
  ): Promise<FragmentPage>;

  /** A kept fragment by its number. */
  find(stream: ArchivedStream, number: string): Promise<FragmentRecord | undefined>;

  /** Kept fragments by their numbers, in the order of the numbers; those that do not exist are left out. */
  findAll(stream: ArchivedStream, numbers: readonly string[]): Promise<readonly FragmentRecord[]>;

  /** The oldest fragment, also one that is not kept but still there. */
  first(stream: ArchivedStream): Promise<FragmentRecord | undefined>;

  /** The newest fragment, also one that is not kept but still there. */
  last(stream: ArchivedStream): Promise<FragmentRecord | undefined>;

  /** The fragment after a number, which need not be one of the stream's. */
  next(stream: ArchivedStream, after: string): Promise<FragmentRecord | undefined>;

  /** The fragment that holds a moment, or else the first after it. `timestamp` in milliseconds since the epoch. */
  atOrAfter(stream: ArchivedStream, by: TimestampKind, timestamp: number): Promise<FragmentRecord | undefined>;

  /**
   * As `next`, but waits for it.
   *
   * @returns `undefined` when the signal was aborted or the stream deleted
   */
  waitForNext(stream: ArchivedStream, after: string, signal: AbortSignal): Promise<FragmentRecord | undefined>;

  /**
   * Reads fragments in a consumer's name: KMS is asked to decrypt each data key for that consumer, and again whether
   * it still may, at least each minute. Close it when done.
   *
   * @param authority the consumer's, through `kinesisvideo`, in the stream's region
   */
  reader(stream: ArchivedStream, authority: Authority): FragmentReader;

  /**
   * Removes what a stream's retention no longer covers, with the data keys that no fragment needs any more.
   *
   * @returns how many fragments went
   */
  removeExpired(stream: ArchivedStream): Promise<number>;

  /** Ends a stream's producers and consumers, and removes all its fragments and data keys: they are out of reach at once. */
  removeStream(streamId: string): Promise<void>;

  /** Removes blobs that no record names, which a killed process left. @returns how many */
  removeOrphans(startedAt: number): Promise<number>;
}

/** The fragments of one connection, on their way into the archive. */
export interface Ingest {
  readonly id: string;
  /** Aborted when the stream was deleted. */
  readonly signal: AbortSignal;

  /**
   * Begins a fragment: gives it its number and its server timestamp. Fragments are begun and written one after another,
   * but need not be waited for.
   */
  begin(): FragmentStart;

  /**
   * Asks KMS whether the producer may still use the key, and stores the fragment.
   *
   * @returns when it is durable, and all that were begun before it
   * @throws ServiceError as KMS answers; StorageFullError
   */
  write(fragment: NewFragment): Promise<FragmentRecord>;

  /** Waits for what is under way and lets the next connection write to the stream. Call it always. */
  close(): Promise<void>;
}

export interface FragmentStart {
  readonly number: string;
  /** Milliseconds since the epoch. */
  readonly serverTimestamp: number;
}

export interface NewFragment extends FragmentStart {
  /** Milliseconds since the epoch. */
  readonly producerTimestamp: number;
  readonly lengthMs: number;
  /** The Cluster element's bytes, as they came. */
  readonly cluster: readonly Uint8Array[];
  /** The Tags elements that belong to it, as they came. */
  readonly tags: readonly Uint8Array[];
}

export interface FragmentReader {
  /**
   * A whole fragment, in memory.
   *
   * @throws ServiceError as KMS answers; DecryptionError; FragmentMissingError
   */
  read(record: FragmentRecord): Promise<FragmentContent>;

  /** What came before the first fragment of its connection. */
  readHeader(record: FragmentRecord): Promise<Buffer>;

  /**
   * A fragment piece by piece: its cluster (`record.clusterSize` bytes), then its tags.
   *
   * @throws as `read`, from the first piece or any later one
   */
  stream(record: FragmentRecord): AsyncIterable<Buffer>;

  /** Forgets the data keys. */
  close(): void;
}

/** Another connection writes to the stream. */
export class StreamBusyError extends Error {
  constructor() {
    super('Another connection is putting media into the stream.');
    this.name = 'StreamBusyError';
  }
}

/** The fragment went between its record's reading and its own. */
export class FragmentMissingError extends Error {
  constructor(number: string) {
    super(`The fragment ${number} is gone.`);
    this.name = 'FragmentMissingError';
  }
}
