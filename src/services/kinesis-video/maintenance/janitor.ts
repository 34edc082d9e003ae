import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { FragmentArchive } from '../archive/fragment-archive.ts';
import { recordOf } from '../domain/stream-record.ts';
import type { StreamStore } from '../store.ts';

/** How often what has expired is removed. Nobody sees it meanwhile. */
const SWEEP_MS = 60_000;

export interface JanitorFacts {
  readonly store: StreamStore;
  readonly archive: FragmentArchive;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Removes in the background what nobody can reach any more: fragments that have expired, what is left of deleted
 * streams, and what a killed process left. What it does not come to before the process ends, the next start does.
 */
export class Janitor {
  readonly #facts: JanitorFacts;
  /** Blobs that are younger may be on their way into a record. */
  readonly #startedAt: number;
  #end = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  #work: Promise<void> = Promise.resolve();
  #isDeletionDue = false;
  #isSweepDue = false;
  #isFirst = true;
  readonly #urgent = new Set<string>();

  constructor(facts: JanitorFacts) {
    this.#facts = facts;
    this.#startedAt = facts.clock.now();
    this.#end.abort();
  }

  start(): void {
    this.#end = new AbortController();
    this.#timer = setInterval(() => this.sweepSoon(), SWEEP_MS);
    this.#timer.unref();
    this.sweepSoon();
  }

  /** Waits for the step under way. */
  async stop(): Promise<void> {
    this.#end.abort();
    clearInterval(this.#timer);
    await this.#work;
  }

  /** Waits until all that is due has been done. */
  async settle(): Promise<void> {
    while (this.#isRunning) await this.#work;
  }

  /** Says that a stream was deleted. */
  removeDeletedSoon(): void {
    this.#isDeletionDue = true;
    this.#wake();
  }

  /** Says that a stream's retention is shorter than before. */
  removeExpiredSoon(streamId: string): void {
    this.#urgent.add(streamId);
    this.#wake();
  }

  /** Looks at everything. */
  sweepSoon(): void {
    this.#isSweepDue = true;
    this.#wake();
  }

  /**
   * Removes a deleted stream with all that is in it.
   *
   * @returns false when something of it is left, because a connection to it is just ending
   */
  async removeStream(id: string, signal?: AbortSignal): Promise<boolean> {
    const { store, archive } = this.#facts;
    const isGone = await archive.removeStream(id, signal);
    // INVARIANT: the record goes last; until then the next start finds what is left by it.
    if (isGone) await store.forget(id);
    return isGone;
  }

  #wake(): void {
    if (this.#isRunning || this.#end.signal.aborted) return;
    this.#isRunning = true;
    this.#work = this.#doAll();
  }

  async #doAll(): Promise<void> {
    // What is due when the loop ends begins another: nothing comes between its last look and this.
    try {
      await this.#doDue(this.#end.signal);
    } finally {
      this.#isRunning = false;
    }
  }

  async #doDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#isDeletionDue) {
        this.#isDeletionDue = false;
        await this.#tryTo('remove deleted streams', () => this.#removeDeleted(signal));
        continue;
      }
      const [id] = this.#urgent;
      if (id !== undefined) {
        this.#urgent.delete(id);
        await this.#tryTo('remove expired fragments', () => this.#removeExpired(id, signal));
        continue;
      }
      if (!this.#isSweepDue) return;
      this.#isSweepDue = false;
      await this.#tryTo('sweep the streams', () => this.#sweep(signal));
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { store, archive, logger } = this.#facts;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    await this.#removeDeleted(signal);
    for (const id of await store.ids('live')) {
      if (signal.aborted) return;
      await this.#tryTo('remove expired fragments', () => this.#removeExpired(id, signal));
      if (isFirst) await this.#tryTo('remove unused data keys', () => archive.removeEmptyIngests(id));
      await new Promise(setImmediate);
    }
    await this.#tryTo('remove what no stream owns', () => this.#removeStranded(signal));
    if (!isFirst || signal.aborted) return;
    await this.#tryTo('remove orphaned blobs', async () => {
      const count = await archive.removeOrphans(this.#startedAt);
      if (count > 0) logger.info({ count }, 'blobs of video fragments that nothing refers to were removed');
    });
  }

  async #removeDeleted(signal: AbortSignal): Promise<void> {
    const { store } = this.#facts;
    for (const id of await store.ids('deleted')) {
      if (signal.aborted) return;
      await this.#tryTo('remove a deleted stream', async () => {
        // Read with its seal: nothing is removed because somebody wrote into the database that it was deleted.
        const row = await store.findById(id);
        if (row !== undefined && row.deleted_at !== null) await this.removeStream(id, signal);
      });
      await new Promise(setImmediate);
    }
  }

  async #removeExpired(id: string, signal: AbortSignal): Promise<void> {
    const { store, archive } = this.#facts;
    const row = await store.findById(id);
    if (row !== undefined && row.deleted_at === null) await archive.removeExpired(recordOf(row), signal);
  }

  /** A connection that was opened while its stream went may have left a data key behind. */
  async #removeStranded(signal: AbortSignal): Promise<void> {
    const { store, archive } = this.#facts;
    const candidates = new Set(await archive.streamsWithRemains());
    for (const which of ['live', 'deleted'] as const) {
      for (const id of await store.ids(which)) candidates.delete(id);
    }
    for (const id of candidates) {
      if (signal.aborted) return;
      await archive.removeStream(id, signal);
    }
  }

  /** One stream that cannot be swept must not keep the others from it. */
  async #tryTo(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#end.signal.aborted) this.#facts.logger.error({ err: error }, `could not ${what}`);
    }
  }
}
