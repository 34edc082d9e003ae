import type { Clock } from '#kernel/clock.ts';
import type { Authority } from '#kernel/door.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { Blobs } from '#storage/blobs.ts';
import type { Records } from '#storage/records.ts';
import { retentionStart } from '../domain/stream-record.ts';
import type { ArchiveParts } from './archive-parts.ts';
import type { ArchivedStream, FragmentPage, FragmentRecord, FragmentSelection, TimestampKind } from './fragment.ts';
import { normalNumber } from './fragment-number.ts';
import { FragmentReader } from './fragment-reader.ts';
import {
  type ArchiveTables,
  FragmentStore,
  type PageEnd,
  recordOf,
  type RemovedRow,
  type Visibility,
} from './fragment-store.ts';
import { Ingest } from './ingest.ts';
import { PASSING_MS } from './passing-window.ts';
import { RecentFragments } from './recent-fragments.ts';
import { BLOB_SPACE } from './sealed-fragment.ts';
import { StreamActivity } from './stream-activity.ts';

/** Fragments that go in one step of a removal. */
const REMOVED_AT_ONCE = 200;
const ORPHAN_PAGE = 1000;
/** Before every number. */
const BEFORE_ALL = '0';

/** What the archive needs of the rest of the platform. */
export interface ArchiveDependencies {
  readonly records: Records<ArchiveTables>;
  readonly blobs: Blobs;
  readonly kms: KmsApi;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

/**
 * The fragments of all streams, each sealed under a data key of KMS that belongs to the connection it came by.
 *
 * What a stream's retention no longer covers is not told by any method, whether or not it was removed yet. Timestamps
 * are milliseconds since the epoch.
 */
export class FragmentArchive {
  readonly #parts: ArchiveParts;

  constructor(dependencies: ArchiveDependencies) {
    const { records, ...rest } = dependencies;
    const store = new FragmentStore(records);
    this.#parts = { ...rest, store, activity: new StreamActivity(), recent: new RecentFragments() };
  }

  /**
   * Lets a connection write to the stream, the only one until it closes its ingest.
   *
   * @throws StreamBusyError when there is one already
   */
  connect(stream: ArchivedStream): Ingest {
    return new Ingest(this.#parts, stream);
  }

  /**
   * Kept fragments in the order of a timestamp, and of their numbers where it is the same.
   *
   * @param limit at most so many
   * @param after the last fragment of the page before
   */
  async list(
    stream: ArchivedStream,
    selection: FragmentSelection,
    limit: number,
    after?: PageEnd,
  ): Promise<FragmentPage> {
    const rows = await this.#parts.store.list(stream.id, selection, this.#visibility(stream), limit + 1, after);
    return { fragments: rows.slice(0, limit).map(recordOf), hasMore: rows.length > limit };
  }

  /** A kept fragment by its number. */
  async find(stream: ArchivedStream, number: string): Promise<FragmentRecord | undefined> {
    return (await this.findAll(stream, [number]))[0];
  }

  /** Kept fragments by their numbers, in the order of the numbers; those that do not exist are left out. */
  async findAll(stream: ArchivedStream, numbers: readonly string[]): Promise<readonly FragmentRecord[]> {
    const { keptFrom } = this.#visibility(stream);
    const rows = await this.#parts.store.find(stream.id, numbers.map(normalNumber));
    return rows.filter((row) => row.is_kept === 1 && row.server_time >= keptFrom).map(recordOf);
  }

  /** True while the connection may bring further fragments. */
  isConnected(stream: ArchivedStream, ingestId: string): boolean {
    return this.#parts.activity.producerOf(stream.id) === ingestId;
  }

  /** True of a fragment that is there, kept or not. */
  async has(stream: ArchivedStream, number: string): Promise<boolean> {
    const { keptFrom, passingFrom } = this.#visibility(stream);
    const [row] = await this.#parts.store.find(stream.id, [normalNumber(number)]);
    return row !== undefined && row.server_time >= (row.is_kept === 1 ? keptFrom : passingFrom);
  }

  /** The oldest fragment, kept or not. */
  async first(stream: ArchivedStream): Promise<FragmentRecord | undefined> {
    return (await this.after(stream, BEFORE_ALL, 1))[0];
  }

  /** The newest fragment, kept or not. */
  async last(stream: ArchivedStream): Promise<FragmentRecord | undefined> {
    const row = await this.#parts.store.last(stream.id, this.#visibility(stream));
    return row && recordOf(row);
  }

  /** The fragments after a number, which need not be one of the stream's, in order; kept or not. */
  async after(stream: ArchivedStream, number: string, limit: number): Promise<readonly FragmentRecord[]> {
    const rows = await this.#parts.store.after(stream.id, normalNumber(number), this.#visibility(stream), limit);
    return rows.map(recordOf);
  }

  /** The fragment that holds a moment, or else the first that begins after it; kept or not. */
  async atOrAfter(stream: ArchivedStream, by: TimestampKind, timestamp: number): Promise<FragmentRecord | undefined> {
    const { store } = this.#parts;
    const visibility = this.#visibility(stream);
    const before = await store.lastUntil(stream.id, by, timestamp, visibility);
    if (before !== undefined) {
      const start = by === 'server' ? before.server_time : before.producer_time;
      if (timestamp === start || timestamp < start + before.length) return recordOf(before);
    }
    const row = await store.firstAfter(stream.id, by, timestamp, visibility);
    return row && recordOf(row);
  }

  /**
   * As `after`, but waits until there is at least one.
   *
   * @returns none when the signal was aborted or the stream deleted
   */
  async waitAfter(
    stream: ArchivedStream,
    number: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly FragmentRecord[]> {
    for (;;) {
      const news = this.#parts.activity.news(stream.id, signal);
      const found = await this.after(stream, number, limit).catch((error: unknown) => {
        news.cancel();
        throw error;
      });
      if (found.length > 0) {
        news.cancel();
        return found;
      }
      if (!(await news.arrived)) return [];
    }
  }

  /**
   * Reads fragments in a consumer's name: KMS is asked to decrypt each data key for that consumer, and again and again
   * whether it still may. Close it when done.
   *
   * @param authority the consumer's, through `kinesisvideo`, in the stream's region
   */
  reader(stream: ArchivedStream, authority: Authority): FragmentReader {
    return new FragmentReader(this.#parts, stream, authority);
  }

  /**
   * Removes what a stream's retention no longer covers, with the data keys that no fragment needs any more.
   *
   * @param signal ends it early: the next time goes on
   * @returns how many fragments went
   */
  async removeExpired(stream: ArchivedStream, signal?: AbortSignal): Promise<number> {
    const { store } = this.#parts;
    const { keptFrom, passingFrom } = this.#visibility(stream);
    const kept = await this.#removeAll(() => store.removeKept(stream.id, keptFrom, REMOVED_AT_ONCE), signal);
    const passing = await this.#removeAll(() => store.removePassing(stream.id, passingFrom, REMOVED_AT_ONCE), signal);
    // Where nothing is kept, fragments go as others come, too.
    if (kept + passing > 0 || stream.retentionHours === 0) await this.removeEmptyIngests(stream.id);
    return kept + passing;
  }

  /** Removes the data keys of a stream's connections of which no fragment is left. */
  async removeEmptyIngests(streamId: string): Promise<void> {
    const { store, activity } = this.#parts;
    await store.removeEmptyIngests(streamId, activity.producerOf(streamId));
  }

  /** Ends a stream's producer and consumers. */
  endStream(streamId: string): void {
    this.#parts.activity.end(streamId);
    this.#parts.recent.forget(streamId);
  }

  /**
   * Ends a stream's producer and consumers, and removes all its fragments and data keys. Begun again, it goes on where
   * it ended.
   *
   * @param signal ends it early
   * @returns true when nothing is left: a connection that is just ending may leave something to the next time
   */
  async removeStream(streamId: string, signal?: AbortSignal): Promise<boolean> {
    this.endStream(streamId);
    const { store } = this.#parts;
    await this.#removeAll(() => store.removeAny(streamId, REMOVED_AT_ONCE), signal);
    await this.removeEmptyIngests(streamId);
    return await store.isEmpty(streamId);
  }

  /** The ids of all streams of which something is stored, whether or not they exist. */
  streamsWithRemains(): Promise<readonly string[]> {
    return this.#parts.store.streams();
  }

  /**
   * Removes blobs that no record names, which a killed process left.
   *
   * A record that was changed may name another blob than its own: while there is one, nothing is removed.
   *
   * @param before only blobs that are older: when the process began
   * @returns how many were removed
   * @throws RowDamageError
   */
  async removeOrphans(before: number): Promise<number> {
    const { blobs, store } = this.#parts;
    const candidates = new Set<string>();
    for await (const { id, writtenAt } of blobs.list(BLOB_SPACE)) if (writtenAt < before) candidates.add(id);
    if (candidates.size === 0) return 0;
    for await (const blob of store.blobs(ORPHAN_PAGE)) candidates.delete(blob);
    for (const id of candidates) await blobs.delete(id);
    return candidates.size;
  }

  async #removeAll(removeSome: () => Promise<readonly RemovedRow[]>, signal?: AbortSignal): Promise<number> {
    const { blobs } = this.#parts;
    let count = 0;
    while (signal?.aborted !== true) {
      const removed = await removeSome();
      for (const { blob } of removed) if (blob !== null) await blobs.delete(blob);
      count += removed.length;
      if (removed.length < REMOVED_AT_ONCE) break;
    }
    return count;
  }

  #visibility(stream: ArchivedStream): Visibility {
    const now = this.#parts.clock.now();
    return { keptFrom: retentionStart(stream, now), passingFrom: now - PASSING_MS };
  }
}
