import type { Authority } from '#kernel/door.ts';
import { sealStream } from '#crypto/streaming-aead.ts';
import type { ArchiveParts } from './archive-parts.ts';
import { checkGenerate, type DataKey, generateDataKey } from './data-keys.ts';
import type { ArchivedStream, FragmentRecord } from './fragment.ts';
import { fragmentNumber, sequenceOf } from './fragment-number.ts';
import { type FragmentRow, recordOf } from './fragment-store.ts';
import { PassingWindow } from './passing-window.ts';
import {
  fragmentAssociatedData,
  HEADER_SEGMENT_SIZE,
  headerAssociatedData,
  SEGMENT_SIZE,
  type SealedFragment,
  sealFragment,
} from './sealed-fragment.ts';

export interface FragmentStart {
  readonly number: string;
  /** Milliseconds since the epoch. */
  readonly serverTimestamp: number;
}

export interface NewFragment extends FragmentStart {
  /** Milliseconds since the epoch. */
  readonly producerTimestamp: number;
  readonly lengthMs: number;
  /** The Cluster element's bytes, as they came. They must not change afterwards. */
  readonly cluster: readonly Uint8Array[];
  /** The Tags elements that belong to it, as they came. */
  readonly tags: readonly Uint8Array[];
  /** As the parser tells it. */
  readonly startsWithKeyframe: boolean;
  /** False where the stream's retention is 0. */
  readonly isKept: boolean;
}

/** How far the one before is on its way. */
interface Turn {
  /** Its record has been handed to the database: the next one may follow. */
  readonly isSubmitted: Promise<void>;
  readonly isDurable: Promise<void>;
}

const FIRST_TURN: Turn = { isSubmitted: Promise.resolve(), isDurable: Promise.resolve() };

/** The fragments of one PutMedia connection, on their way into the archive. */
export class Ingest {
  readonly id: string;
  /** Aborted when the stream is deleted. */
  readonly signal: AbortSignal;
  readonly #parts: ArchiveParts;
  readonly #stream: ArchivedStream;
  #key: DataKey | undefined;
  #authority: Authority | undefined;
  #row: Promise<void> = Promise.resolve();
  #sequence = 0;
  #serverTimestamp = 0;
  #last: Turn = FIRST_TURN;
  #passing: PassingWindow | undefined;
  #isEmpty = true;
  #isClosed = false;

  /** @throws StreamBusyError when another connection writes to the stream */
  constructor(parts: ArchiveParts, stream: ArchivedStream) {
    this.id = parts.randomness.uuid();
    this.signal = parts.activity.enter(stream.id, this.id);
    this.#parts = parts;
    this.#stream = stream;
  }

  /**
   * Asks KMS for a data key in the producer's own name. Comes once, before the first fragment.
   *
   * @param authority the producer's, through `kinesisvideo`, in the stream's region
   * @param header all that came before the first fragment
   * @throws ServiceError as KMS answers
   */
  async open(authority: Authority, header: Uint8Array): Promise<void> {
    const { kms, clock, store } = this.#parts;
    const { account, id: streamId } = this.#stream;
    const key = await generateDataKey(kms, this.#stream, authority);
    this.#key = key;
    this.#authority = authority;
    const last = await store.lastNumber(streamId);
    if (last !== undefined) {
      this.#sequence = sequenceOf(last.number);
      this.#serverTimestamp = last.server_time;
    }
    const associatedData = headerAssociatedData({ account, streamId, ingestId: this.id });
    // Not waited for: the first fragment takes longer to come than this to be written, and waits for it.
    this.#row = store.addIngest({
      id: this.id,
      stream: streamId,
      key_arn: key.keyArn,
      data_key: key.ciphertext,
      header: sealStream(key.plaintext, associatedData, HEADER_SEGMENT_SIZE, [header]),
      created_at: clock.now(),
    });
    this.#row.catch(() => {});
  }

  /** Begins a fragment: gives it its number and its server timestamp. */
  begin(): FragmentStart {
    const { clock, randomness } = this.#parts;
    // Numbers and server timestamps of a stream have one order, whatever the clock does.
    this.#serverTimestamp = Math.max(this.#serverTimestamp, clock.now());
    this.#sequence = Math.max(this.#sequence + 1, this.#serverTimestamp);
    return {
      number: fragmentNumber(this.#sequence, randomness.bytes(12)),
      serverTimestamp: this.#serverTimestamp,
    };
  }

  /**
   * Asks KMS whether the producer may still use the key, and stores the fragment. Fragments are handed in in the order
   * of their numbers; the next one need not wait for this one.
   *
   * @returns when it is durable, and all that were handed in before it
   * @throws ServiceError as KMS answers; StorageFullError
   */
  write(fragment: NewFragment): Promise<FragmentRecord> {
    const before = this.#last;
    const submitted = Promise.withResolvers<void>();
    const written = this.#write(fragment, before, submitted.resolve);
    const isDurable = written.then(() => {});
    isDurable.catch(submitted.reject);
    submitted.promise.catch(() => {});
    this.#last = { isSubmitted: submitted.promise, isDurable };
    return written;
  }

  /** Waits for what is under way, and lets the next connection write to the stream. Call it always. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { activity, store, logger } = this.#parts;
    try {
      await this.#last.isDurable.catch(() => {});
      await this.#row.catch(() => {});
      await this.#passing?.settle();
      if (this.#isEmpty && this.#key !== undefined) await store.removeEmptyIngests(this.#stream.id, undefined);
    } catch (error) {
      logger.warn({ err: error, stream: this.#stream.arn }, 'a connection without fragments could not be removed');
    } finally {
      this.#key?.plaintext.fill(0);
      activity.leave(this.#stream.id);
    }
  }

  async #write(fragment: NewFragment, before: Turn, markSubmitted: () => void): Promise<FragmentRecord> {
    const { activity, recent, store, blobs } = this.#parts;
    const [key, authority] = [this.#key, this.#authority];
    if (key === undefined || authority === undefined || this.#isClosed) throw new Error('The ingest is not open.');
    const { cluster, tags, number } = fragment;
    const pieces = [...cluster, ...tags];
    const clusterSize = lengthOf(cluster);
    const size = clusterSize + lengthOf(tags);
    // INVARIANT: a data key at hand is no permission.
    await checkGenerate(this.#parts.kms, this.#stream, authority);
    const binding = { account: this.#stream.account, streamId: this.#stream.id, ingestId: this.id, number };
    const sealed = await sealFragment(blobs, key.plaintext, fragmentAssociatedData(binding), pieces, size);
    const row = this.#rowOf(fragment, clusterSize, size, sealed);
    try {
      await this.#row;
      await before.isSubmitted;
      this.signal.throwIfAborted();
      const added = store.addFragment(row, 'body' in sealed ? sealed.body : undefined);
      markSubmitted();
      await added;
    } catch (error) {
      // Should this fail too, the clean-up at the next start finds the blob.
      if (row.blob !== null) await blobs.delete(row.blob).catch(() => {});
      throw error;
    }
    this.#isEmpty = false;
    if (activity.isWatched(this.#stream.id)) recent.add(this.#stream.id, number, pieces, size);
    activity.announce(this.#stream.id);
    if (!fragment.isKept) {
      this.#passing ??= new PassingWindow(this.#parts, this.#stream.id);
      this.#passing.add(row);
    }
    await before.isDurable;
    return recordOf(row);
  }

  #rowOf(fragment: NewFragment, clusterSize: number, size: number, sealed: SealedFragment): FragmentRow {
    return {
      stream: this.#stream.id,
      number: fragment.number,
      ingest: this.id,
      server_time: fragment.serverTimestamp,
      producer_time: fragment.producerTimestamp,
      length: fragment.lengthMs,
      size,
      cluster_size: clusterSize,
      starts_with_keyframe: fragment.startsWithKeyframe ? 1 : 0,
      is_kept: fragment.isKept ? 1 : 0,
      segment_size: SEGMENT_SIZE,
      blob: 'blob' in sealed ? sealed.blob : null,
    };
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}
