import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import { Upkeep } from '#kernel/upkeep.ts';
import { hostOf, postJson } from '#storage/event-log/post-json.ts';
import type { S3Store } from '../store.ts';
import type { NotificationRow } from './notification-table.ts';

const POLL_MS = 500;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5 * 60_000;
const GIVE_UP_MS = 24 * 3_600_000;
/** Records that go in one message, when so many wait. */
const MOST_RECORDS = 100;

interface Webhook {
  readonly name: string;
  readonly address: string;
  retryMs: number;
  /** Milliseconds since the epoch: it is not tried again before. */
  notBefore: number;
}

/**
 * Tells webhooks what buckets have for them: in the order in which it happened, at least once, and again until the address
 * takes it or a day has passed. What was taken is forgotten.
 */
export class WebhookDeliveries {
  readonly #store: S3Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #upkeeps: readonly Upkeep[];
  readonly #end = new AbortController();

  /** @param webhooks addresses by the names that the operator has given them */
  constructor(store: S3Store, webhooks: ReadonlyMap<string, string>, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    const ofHooks = [...webhooks].map(([name, address]) => {
      const webhook: Webhook = { name, address, retryMs: FIRST_RETRY_MS, notBefore: 0 };
      return new Upkeep(
        POLL_MS,
        () => this.#serve(webhook),
        (error) => {
          this.#putOff(webhook);
          logger.error({ err: error, webhook: name }, 'notifications for a webhook could not be read or forgotten');
        },
      );
    });
    const pruning = new Upkeep(
      3_600_000,
      () => this.#giveUp(),
      (error) => logger.error({ err: error }, 'old notifications could not be given up'),
    );
    this.#upkeeps = [...ofHooks, pruning];
  }

  start(): void {
    for (const upkeep of this.#upkeeps) upkeep.start();
  }

  /** What is on its way is given up, and sent again at the next start. */
  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#upkeeps.map((upkeep) => upkeep.stop()));
  }

  async #serve(webhook: Webhook): Promise<void> {
    while (!this.#end.signal.aborted && this.#clock.now() >= webhook.notBefore) {
      const rows = await this.#next(webhook.name);
      if (rows.length === 0) return;
      const { message, numbers } = messageOf(rows);
      const failure = await postJson(webhook.address, message, this.#end.signal);
      if (this.#end.signal.aborted) return;
      if (failure !== undefined) {
        this.#putOff(webhook);
        const facts = { host: hostOf(webhook.address), webhook: webhook.name, failure };
        this.#logger.warn(facts, 'a notification could not be delivered; it is tried again');
        return;
      }
      webhook.retryMs = FIRST_RETRY_MS;
      await this.#store.write((transaction) =>
        transaction.deleteFrom('s3_notification').where('number', 'in', numbers).execute(),
      );
    }
  }

  #next(webhook: string): Promise<NotificationRow[]> {
    return this.#store.nextNotifications(webhook, this.#clock.now() - GIVE_UP_MS, MOST_RECORDS);
  }

  #putOff(webhook: Webhook): void {
    webhook.notBefore = this.#clock.now() + webhook.retryMs;
    webhook.retryMs = Math.min(webhook.retryMs * 2, LONGEST_RETRY_MS);
  }

  /** What nobody took for a day; also of webhooks that the operator has taken away. */
  async #giveUp(): Promise<void> {
    const { numDeletedRows } = await this.#store.write((transaction) =>
      transaction
        .deleteFrom('s3_notification')
        .where('time', '<', this.#clock.now() - GIVE_UP_MS)
        .executeTakeFirstOrThrow(),
    );
    if (numDeletedRows === 0n) return;
    this.#logger.error({ count: Number(numDeletedRows) }, 'notifications were not taken for a day and are given up');
  }
}

/** Records that follow each other go together; a test event goes by itself. */
function messageOf(rows: readonly NotificationRow[]): { readonly message: string; readonly numbers: number[] } {
  const records: unknown[] = [];
  const numbers: number[] = [];
  for (const { number, message } of rows) {
    const parsed = JSON.parse(message) as { readonly Records?: readonly unknown[] };
    if (parsed.Records === undefined && records.length === 0) return { message, numbers: [number] };
    if (parsed.Records === undefined) break;
    records.push(...parsed.Records);
    numbers.push(number);
  }
  return { message: JSON.stringify({ Records: records }), numbers };
}
