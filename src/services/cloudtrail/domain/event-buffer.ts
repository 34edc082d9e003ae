import type { Logger } from '#kernel/logger.ts';
import type { CloudTrailStore } from '../store.ts';
import type { ReadEvent } from './audit-event.ts';

const FLUSH_AFTER_MS = 100;
const FLUSH_AT_ROWS = 1000;
/** More than this many unwritten events, and new ones are dropped with an error in the log: memory is bounded. */
const MAX_BUFFERED = 100_000;

export interface BufferedEvent {
  /** In whose log it stands. */
  readonly account: string;
  readonly event: ReadEvent;
}

/** Gathers events and writes them in groups, at most 100 ms late. */
export class EventBuffer {
  readonly #store: CloudTrailStore;
  readonly #logger: Logger;
  #events: BufferedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #dropped = 0;
  #isClosed = false;

  constructor(store: CloudTrailStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  add(event: BufferedEvent): void {
    if (this.#isClosed || this.#events.length >= MAX_BUFFERED) {
      this.#dropped += 1;
      if (this.#dropped % 1000 === 1) this.#logger.error({ dropped: this.#dropped }, 'audit events were dropped');
      return;
    }
    this.#events.push(event);
    if (this.#events.length === FLUSH_AT_ROWS) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS);
  }

  /** Resolves when all that was added before is durable, or could not be written (which is logged). */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Writes what there is, once more, and takes nothing afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    const batch = this.#events;
    if (batch.length === 0) return;
    this.#events = [];
    try {
      await this.#store.insert(byAccount(batch));
    } catch (error) {
      this.#logger.error(
        { err: error, events: batch.length },
        'audit events could not be written, kept for the next try',
      );
      this.#events = [...batch, ...this.#events].slice(0, MAX_BUFFERED);
      this.#timer ??= setTimeout(() => void this.flush(), 1000);
    }
  }
}

function byAccount(batch: readonly BufferedEvent[]): Map<string, ReadEvent[]> {
  const logs = new Map<string, ReadEvent[]>();
  for (const { account, event } of batch) {
    const log = logs.get(account);
    if (log === undefined) logs.set(account, [event]);
    else log.push(event);
  }
  return logs;
}
