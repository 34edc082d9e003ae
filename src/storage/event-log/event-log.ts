import { type Kysely, sql } from 'kysely';
import type { Clock } from '#kernel/clock.ts';
import type { EventSink, PlatformEvent } from '#kernel/event-sink.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { Migration, Records } from '../records.ts';

const FLUSH_AFTER_MS = 100;
const RETRY_AFTER_MS = 1000;
/** More unwritten events than this, and new ones are dropped with an error in the log: memory is bounded. */
const MAX_BUFFERED = 10_000;
const ROWS_OF_ONE_READ = 200;

export interface EventLogTables {
  readonly event_log: {
    readonly number: number;
    readonly account: string;
    /** Milliseconds since the epoch. */
    readonly time: number;
    readonly source: string;
    /** The event in JSON. */
    readonly event: string;
  };
}

export const eventLogMigrations: readonly Migration[] = [
  {
    name: 'event-log-0001-events',
    sealedTables: ['event_log'],
    async up(transaction) {
      await sql`CREATE TABLE event_log (
        number INTEGER PRIMARY KEY, account TEXT NOT NULL, time INTEGER NOT NULL, source TEXT NOT NULL,
        event TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX event_log_time ON event_log (time)`.execute(transaction);
    },
  },
];

/** An event as EventBridge delivers it. */
export interface LoggedEvent extends PlatformEvent {
  readonly version: '0';
  readonly id: string;
  /** ISO 8601, in UTC. */
  readonly time: string;
}

export interface EventSelection {
  /** Events after the one of this number. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly account?: string;
  readonly source?: string;
}

/** What happened in the installation, for its operator: an append-only log in the form of EventBridge's events. */
export class EventLog implements EventSink {
  readonly #records: Records<EventLogTables>;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #logger: Logger;
  #buffer: LoggedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(records: Records<EventLogTables>, clock: Clock, randomness: Randomness, logger: Logger) {
    this.#records = records;
    this.#clock = clock;
    this.#randomness = randomness;
    this.#logger = logger;
  }

  put(event: PlatformEvent): void {
    if (this.#isClosed || this.#buffer.length >= MAX_BUFFERED) {
      this.#logger.error({ source: event.source, detailType: event['detail-type'] }, 'an event was dropped');
      return;
    }
    this.#buffer.push(this.#logged(event));
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS);
  }

  /** Writes an event within the transaction of what it tells: neither is there without the other. */
  async append(transaction: Kysely<EventLogTables>, event: PlatformEvent): Promise<void> {
    await insert(transaction, (await newestNumber(transaction)) + 1, this.#logged(event));
  }

  /** Resolves when all that was put before is durable, or could not be written (which is logged). */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
    clearTimeout(this.#timer);
  }

  /** The events that were selected, in the order in which they were written, with their numbers. */
  async *read(selection: EventSelection): AsyncGenerator<{ readonly number: number; readonly event: LoggedEvent }> {
    await this.flush();
    for (let after = selection.after; ; ) {
      let query = this.#records.read
        .selectFrom('event_log')
        .selectAll()
        .where('number', '>', after)
        .where('time', '>=', selection.from)
        .orderBy('number')
        .limit(ROWS_OF_ONE_READ);
      if (selection.account !== undefined) query = query.where('account', '=', selection.account);
      if (selection.source !== undefined) query = query.where('source', '=', selection.source);
      const rows = await query.execute();
      for (const { number, event } of rows) yield { number, event: JSON.parse(event) as LoggedEvent };
      const last = rows.at(-1);
      if (last === undefined || rows.length < ROWS_OF_ONE_READ) return;
      after = last.number;
    }
  }

  /** The number of the newest event; 0 where there is none. */
  async lastNumber(): Promise<number> {
    await this.flush();
    return newestNumber(this.#records.read);
  }

  /** Removes events from before `time`. */
  async prune(time: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('event_log').where('time', '<', time).execute();
    });
  }

  async purgeAccount(account: string): Promise<void> {
    await this.flush();
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('event_log').where('account', '=', account).execute();
    });
  }

  async #write(): Promise<void> {
    const batch = this.#buffer;
    if (batch.length === 0) return;
    this.#buffer = [];
    try {
      await this.#records.write(async (transaction) => {
        const first = (await newestNumber(transaction)) + 1;
        for (const [index, event] of batch.entries()) await insert(transaction, first + index, event);
      });
    } catch (error) {
      this.#logger.error({ err: error, events: batch.length }, 'events could not be written, kept for the next try');
      this.#buffer = [...batch, ...this.#buffer].slice(0, MAX_BUFFERED);
      if (!this.#isClosed) this.#timer ??= setTimeout(() => void this.flush(), RETRY_AFTER_MS);
    }
  }

  #logged(event: PlatformEvent): LoggedEvent {
    const time = `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
    return { version: '0', id: this.#randomness.uuid(), time, ...event };
  }
}

async function insert(transaction: Kysely<EventLogTables>, number: number, event: LoggedEvent): Promise<void> {
  const { account, source } = event;
  const row = { number, account, source, time: Date.parse(event.time), event: JSON.stringify(event) };
  await transaction.insertInto('event_log').values(row).execute();
}

async function newestNumber(records: Kysely<EventLogTables>): Promise<number> {
  const row = await records.selectFrom('event_log').selectAll().orderBy('number', 'desc').limit(1).executeTakeFirst();
  return row?.number ?? 0;
}
