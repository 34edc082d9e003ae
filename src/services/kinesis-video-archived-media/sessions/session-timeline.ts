import { readHeader } from '#media/matroska/read-header.ts';
import type { Track } from '#media/matroska/tracks.ts';
import {
  type FragmentArchive,
  FragmentMissingError,
  type FragmentRecord,
  type FragmentSelection,
  type StreamRecord,
} from '#services/kinesis-video/api.ts';
import type { ConsumerReader } from '../domain/consumer-reader.ts';
import { groupOf, placementOf, withFollower } from '../domain/fragment-group.ts';
import { clientLimitExceeded } from '../errors.ts';
import type { StreamingSession } from './streaming-session.ts';
import {
  durationOf,
  fingerprintOf,
  firstEntry,
  nextEntry,
  selectionOf,
  stepBetween,
  type TimelineEntry,
  timestampOf,
} from './timeline-entry.ts';

const PAGE = 500;
/** Source: "GetHLSStreamingSessionURL" in the API reference. */
const MAX_CONFIGURATION_CHANGES = 500;
/** Groups that are kept in mind behind the window: players come late. */
const KEPT_BEHIND = 100;

/** What of a session a manifest shows. */
export interface TimelineWindow {
  readonly entries: readonly TimelineEntry[];
  /** The longest group that the session has shown so far, in milliseconds. */
  readonly longestMs: number;
  /** True when none will follow. */
  readonly hasEnded: boolean;
}

/**
 * A session's fragments, in order, in groups that can be decoded each by itself, and counted. It is a function of the session and the archive, so that any process
 * comes to the same: what is held here saves the counting anew.
 *
 * Fragments are only ever added at the end. Of several with the same producer timestamp the last one counts, and has
 * the place of the first.
 *
 * A connection's first group is shown as it comes. Where fragments followed it that cannot be decoded by themselves, each
 * further group is shown when it is whole: when the next one begins, or the connection has ended.
 */
export class SessionTimeline {
  readonly #session: StreamingSession;
  readonly #stream: StreamRecord;
  readonly #archive: FragmentArchive;
  readonly #reader: ConsumerReader;
  readonly #selection: FragmentSelection;
  readonly #configurations: (readonly Track[])[] = [];
  #fingerprint = '';
  readonly #entries: TimelineEntry[] = [];
  /** The connection that has brought a whole group of more than one fragment. */
  #grouped: string | undefined;
  /** How long the fragments lasted that were played and are no longer in mind. */
  #forgottenMs = 0;
  /** The last fragment that was looked at. */
  #last: FragmentRecord | undefined;
  #hasMore = true;
  #longestMs = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(session: StreamingSession, stream: StreamRecord, archive: FragmentArchive, reader: ConsumerReader) {
    this.#session = session;
    this.#stream = stream;
    this.#archive = archive;
    this.#reader = reader;
    this.#selection = selectionOf(session);
  }

  /**
   * What a manifest shows now.
   *
   * @param now milliseconds since the epoch
   * @throws ServiceError as KMS answers
   */
  async window(now: number): Promise<TimelineWindow> {
    const elapsed = now - this.#session.createdAt;
    await this.#extend(elapsed);
    const { mode, maxFragments, end } = this.#session;
    const count = this.#visibleCount(elapsed);
    const visible = count === this.#entries.length && this.#isGrowing() ? count - 1 : count;
    const isAllVisible = visible === this.#entries.length && !this.#hasMore;
    const hasEnded = mode === 'ON_DEMAND' || (end !== undefined && end < now && isAllVisible);
    const entries = this.#entries.slice(Math.max(0, visible - maxFragments), visible);
    this.#longestMs = entries.reduce((longest, { durationMs }) => Math.max(longest, durationMs), this.#longestMs);
    this.#forget(visible);
    return { entries, longestMs: this.#longestMs, hasEnded };
  }

  /** The group at a place, as far as the session has come. @throws as `window` */
  async at(sequence: number, now: number): Promise<TimelineEntry | undefined> {
    const known = this.#find(sequence);
    if (known !== undefined) return known;
    await this.window(now);
    return this.#find(sequence);
  }

  #find(sequence: number): TimelineEntry | undefined {
    const entry = this.#entries.find((candidate) => candidate.sequence === sequence);
    return entry === this.#entries.at(-1) && this.#isGrowing() ? undefined : entry;
  }

  /** One of the configurations of the session's tracks, in the order in which they came. @throws as `window` */
  async configuration(initSequence: number, now: number): Promise<readonly Track[] | undefined> {
    if (this.#configurations[initSequence] === undefined) await this.window(now);
    return this.#configurations[initSequence];
  }

  /** True of a fragment that belongs to the session, shown or not. */
  holds(record: FragmentRecord): boolean {
    const { mode, start, end, firstNumber } = this.#session;
    if (mode === 'LIVE') return record.number >= (firstNumber ?? '');
    const timestamp = timestampOf(this.#session, record);
    return timestamp >= start && timestamp <= (end ?? timestamp);
  }

  /** One request after another: what one adds the next one sees. */
  async #extend(elapsed: number): Promise<void> {
    const work = this.#working.then(async () => {
      this.#hasMore = true;
      while (this.#hasMore && !this.#isLongEnough(elapsed)) await this.#addPage();
    });
    this.#working = work.catch(() => {});
    await work;
    // INVARIANT: a manifest is made for a consumer who may read the stream now.
    const last = this.#entries.at(-1);
    if (last !== undefined) await this.#reader.readHeader(last.record).catch(ignoreMissing);
  }

  #isLongEnough(elapsed: number): boolean {
    const { mode, maxFragments } = this.#session;
    if (mode === 'LIVE') return false;
    // One more than is shown: how long a fragment lasts is known by the next one.
    if (mode === 'ON_DEMAND') return this.#entries.length > maxFragments;
    return this.#visibleCount(elapsed) < this.#entries.length;
  }

  async #addPage(): Promise<void> {
    const page = await this.#archive.list(this.#stream, this.#selection, PAGE, this.#last);
    for (const record of page.fragments) {
      await this.#add(record);
      this.#last = record;
    }
    this.#hasMore = page.hasMore;
  }

  async #add(record: FragmentRecord): Promise<void> {
    const { by, mode, firstNumber } = this.#session;
    if (record.number < (firstNumber ?? '')) return;
    const before = this.#entries.at(-1);
    const placement = placementOf(record, before);
    if (placement === 'stray') return;
    if (placement === 'follower' && before !== undefined) {
      const group = withFollower(before, record);
      this.#replaceLast({ ...before, ...group, durationMs: durationOf(group) });
      return;
    }
    const timestamp = timestampOf(this.#session, record);
    if (by === 'producer' && before !== undefined && timestamp < before.timestamp) return;
    const initSequence = await this.#configurationOf(record, before);
    if (initSequence === undefined) return;
    if (before !== undefined && before.followers > 0) this.#grouped = before.record.ingestId;
    if (before === undefined) {
      this.#entries.push(firstEntry(this.#session, record, initSequence));
    } else if (by === 'producer' && timestamp === before.timestamp) {
      this.#replaceLast({ ...before, ...groupOf(record), durationMs: durationOf(record), initSequence });
    } else {
      // A playlist that never changes may know more: where the next one begins.
      if (mode === 'ON_DEMAND') this.#replaceLast({ ...before, durationMs: stepBetween(before, record) });
      this.#entries.push(nextEntry(this.#session, before, record, initSequence));
    }
  }

  /** True while fragments are expected that belong to the last group. */
  #isGrowing(): boolean {
    const last = this.#entries.at(-1);
    if (last === undefined || this.#session.mode === 'ON_DEMAND') return false;
    const { ingestId } = last.record;
    return ingestId === this.#grouped && this.#archive.isConnected(this.#stream, ingestId);
  }

  #replaceLast(entry: TimelineEntry): void {
    this.#entries[this.#entries.length - 1] = entry;
  }

  /** Reads the header where a new connection begins. @returns `undefined` when the fragment went meanwhile */
  async #configurationOf(record: FragmentRecord, before: TimelineEntry | undefined): Promise<number | undefined> {
    if (before?.record.ingestId === record.ingestId) return before.initSequence;
    const bytes = await this.#reader.readHeader(record).catch(ignoreMissing);
    if (bytes === undefined) return undefined;
    const { tracks } = readHeader(bytes);
    const fingerprint = fingerprintOf(tracks);
    if (fingerprint !== this.#fingerprint) {
      if (this.#configurations.length > MAX_CONFIGURATION_CHANGES) {
        throw clientLimitExceeded(`The codec private data changed more than ${MAX_CONFIGURATION_CHANGES} times.`);
      }
      this.#configurations.push(tracks);
      this.#fingerprint = fingerprint;
    }
    return this.#configurations.length - 1;
  }

  /**
   * How many of the fragments in mind are shown. A replay begins with as many as a manifest may have; each further one
   * is added when it would have been played.
   */
  #visibleCount(elapsed: number): number {
    const { mode, maxFragments } = this.#session;
    if (mode === 'LIVE') return this.#entries.length;
    if (mode === 'ON_DEMAND') return Math.min(this.#entries.length, maxFragments);
    let count = 0;
    let playedMs = this.#forgottenMs;
    for (const { sequence, durationMs } of this.#entries) {
      if (sequence >= maxFragments) playedMs += durationMs;
      if (playedMs > elapsed) break;
      count += 1;
    }
    return count;
  }

  #forget(visible: number): void {
    const { mode, maxFragments } = this.#session;
    const surplus = visible - 2 * maxFragments - KEPT_BEHIND;
    if (mode === 'ON_DEMAND' || surplus <= 0) return;
    for (const { sequence, durationMs } of this.#entries.splice(0, surplus)) {
      if (sequence >= maxFragments) this.#forgottenMs += durationMs;
    }
  }
}

/** A fragment whose time is over just now is as good as gone. */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof FragmentMissingError) return undefined;
  throw error;
}
