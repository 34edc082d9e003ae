import type { Logger } from '#kernel/logger.ts';
import { recordOf } from '../domain/stream-record.ts';
import type { StreamStore } from '../store.ts';

/** How often what has expired is removed. Nobody sees it meanwhile. */
const SWEEP_MS = 60_000;
const PAGE = 200;

export interface JanitorFacts {
  readonly store: StreamStore;
  readonly logger: Logger;
}

/**
 * Removes in the background what nobody can reach any more: what is left of deleted streams, and fragments that have
 * expired. What it does not come to, because the process ends, the next start does.
 */
export class Janitor {
  readonly #facts: JanitorFacts;
  #timer: NodeJS.Timeout | undefined;
  #sweep: Promise<void> | undefined;
  #isStarted = false;
  #isWoken = false;

  constructor(facts: JanitorFacts) {
    this.#facts = facts;
  }

  start(): void {
    this.#isStarted = true;
    this.#timer = setInterval(() => this.wake(), SWEEP_MS);
    this.#timer.unref();
    this.wake();
  }

  /** Waits for the stream that is being swept. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    clearInterval(this.#timer);
    await this.#sweep;
  }

  /** Says that there may be something to remove. */
  wake(): void {
    if (!this.#isStarted) return;
    this.#isWoken = true;
    this.#sweep ??= this.#run().finally(() => {
      this.#sweep = undefined;
      if (this.#isWoken) this.wake();
    });
  }

  async #run(): Promise<void> {
    this.#isWoken = false;
    try {
      await this.#removeDeleted();
    } catch (error) {
      if (this.#isStarted) this.#facts.logger.error({ err: error }, 'Could not remove what streams left');
    }
  }

  async #removeDeleted(): Promise<void> {
    const { store } = this.#facts;
    for (;;) {
      const rows = await store.listDeleted(PAGE);
      for (const row of rows) {
        if (!this.#isStarted) return;
        await store.forget(recordOf(row).id);
      }
      if (rows.length < PAGE) return;
    }
  }
}
