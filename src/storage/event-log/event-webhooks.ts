import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Migration, Records } from '../records.ts';
import type { EventLog, LoggedEvent } from './event-log.ts';
import { hostOf, postJson } from './post-json.ts';

const POLL_MS = 500;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** As EventBridge: what could not be delivered for so long is given up. */
const GIVE_UP_MS = 24 * 3_600_000;

export interface EventWebhookTables {
  readonly event_webhook: {
    /** The SHA-256 of its address, in hex: addresses may hold tokens. */
    readonly endpoint: string;
    /** Of the last event that is done with. */
    readonly number: number;
  };
}

export const eventWebhookMigrations: readonly Migration[] = [
  {
    name: 'event-webhooks-0001-positions',
    sealedTables: ['event_webhook'],
    async up(transaction) {
      await sql`CREATE TABLE event_webhook (
        endpoint TEXT PRIMARY KEY, number INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
    },
  },
];

/**
 * Sends what is written to the event log to the addresses that the operator allows: each event by itself, in order,
 * at least once, and again until the address takes it or a day has passed. An address that is new gets what happens
 * from then on.
 */
export class EventWebhooks {
  readonly #records: Records<EventWebhookTables>;
  readonly #log: EventLog;
  readonly #addresses: readonly string[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #end = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    records: Records<EventWebhookTables>,
    log: EventLog,
    addresses: readonly string[],
    clock: Clock,
    logger: Logger,
  ) {
    this.#records = records;
    this.#log = log;
    this.#addresses = [...new Set(addresses)];
    this.#clock = clock;
    this.#logger = logger;
  }

  start(): void {
    this.#running = Promise.all(this.#addresses.map((address) => this.#serve(address)));
  }

  /** What is on its way is given up, and sent again at the next start. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #serve(address: string): Promise<void> {
    const endpoint = createHash('sha256').update(address).digest('hex');
    let retryMs = FIRST_RETRY_MS;
    while (!this.#end.signal.aborted) {
      try {
        await this.#sendAll(address, endpoint);
        retryMs = FIRST_RETRY_MS;
        await this.#wait(POLL_MS);
      } catch (error) {
        if (this.#end.signal.aborted) return;
        this.#logger.error({ err: error, host: hostOf(address) }, 'events for a webhook could not be read or noted');
        await this.#wait(retryMs);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
  }

  async #sendAll(address: string, endpoint: string): Promise<void> {
    const after = await this.#position(endpoint);
    for await (const { number, event } of this.#log.read({ after, from: 0 })) {
      await this.#deliver(address, event);
      if (this.#end.signal.aborted) return;
      await this.#note(endpoint, number);
    }
  }

  /** Resolves when the event was taken, or given up, or the end has come. */
  async #deliver(address: string, event: LoggedEvent): Promise<void> {
    const begunAt = this.#clock.now();
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      const failure = await postJson(address, JSON.stringify(event), this.#end.signal);
      if (failure === undefined || this.#end.signal.aborted) return;
      const facts = { host: hostOf(address), event: event.id, failure };
      if (this.#clock.now() - begunAt > GIVE_UP_MS) {
        this.#logger.error(facts, 'an event could not be delivered for a day and is given up');
        return;
      }
      this.#logger.warn(facts, 'an event could not be delivered; it is tried again');
      await this.#wait(retryMs);
    }
  }

  async #position(endpoint: string): Promise<number> {
    const found = await this.#records.read
      .selectFrom('event_webhook')
      .selectAll()
      .where('endpoint', '=', endpoint)
      .executeTakeFirst();
    const last = await this.#log.lastNumber();
    // Numbers are given anew when the newest events were removed with their account.
    if (found !== undefined) return Math.min(found.number, last);
    await this.#note(endpoint, last);
    return last;
  }

  async #note(endpoint: string, number: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      const found = await transaction
        .selectFrom('event_webhook')
        .selectAll()
        .where('endpoint', '=', endpoint)
        .executeTakeFirst();
      if (found === undefined) await transaction.insertInto('event_webhook').values({ endpoint, number }).execute();
      else await transaction.updateTable('event_webhook').set({ number }).where('endpoint', '=', endpoint).execute();
    });
  }

  async #wait(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }
}
