import type { Clock } from '#kernel/clock.ts';
import type { PlatformEvent } from '#kernel/event-sink.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { ruleFor } from '../domain/notification-rules.ts';
import type { BucketRow, S3Transaction } from '../store.ts';
import { type Destination, destinationOf } from './destinations.ts';
import { bridgedEvent, type Cause, type Happening, recordOf, testEvent } from './happening.ts';

/** Writes an event into the installation's event log, within the transaction of what it tells. */
export type AppendEvent = (transaction: S3Transaction, event: PlatformEvent) => Promise<void>;

/** How many events can begin in one millisecond before their numbers run ahead of the clock. */
const NUMBERS_OF_A_MILLISECOND = 4096;

/**
 * Tells what becomes of the objects of a bucket, to whom the bucket's settings say.
 *
 * INVARIANT: it is written in the transaction that changes the object: neither is there without the other.
 */
export class Announcer {
  readonly #clock: Clock;
  readonly #appendEvent: AppendEvent;
  #last: number | undefined;

  constructor(clock: Clock, appendEvent: AppendEvent) {
    this.#clock = clock;
    this.#appendEvent = appendEvent;
  }

  async announce(transaction: S3Transaction, bucket: BucketRow, happening: Happening, cause: Cause): Promise<void> {
    const { notifications } = settingsOf(bucket);
    if (notifications === undefined) return;
    const rule = ruleFor(notifications, happening.event, happening.key);
    const destination = rule && destinationOf(rule.destination);
    if (notifications.isBridged !== true && destination === undefined) return;
    const number = await this.#nextNumber(transaction);
    const occurrence = {
      sequencer: number.toString(16).toUpperCase().padStart(16, '0'),
      time: this.#clock.now(),
    };
    if (notifications.isBridged === true) {
      const event = bridgedEvent(bucket, happening, cause, occurrence);
      if (event !== undefined) await this.#appendEvent(transaction, event);
    }
    if (rule === undefined || destination === undefined) return;
    const record = recordOf(bucket, rule.id, happening, cause, occurrence);
    await this.#tell(transaction, bucket, destination, { Records: [record] }, number, occurrence.time);
  }

  /** What a destination hears first. */
  async test(transaction: S3Transaction, bucket: BucketRow, arn: string, requestId: string): Promise<void> {
    const destination = destinationOf(arn);
    if (destination === undefined) return;
    const time = this.#clock.now();
    const number = await this.#nextNumber(transaction);
    await this.#tell(transaction, bucket, destination, testEvent(bucket.name, requestId, time), number, time);
  }

  async #tell(
    transaction: S3Transaction,
    bucket: BucketRow,
    destination: Destination,
    message: object,
    number: number,
    time: number,
  ): Promise<void> {
    const { account, region, name } = bucket;
    if (destination.kind === 'log') {
      const about = { source: 'coffer.s3', 'detail-type': 'S3 Event Notification', account, region };
      const resources = [`arn:aws:s3:::${name}`];
      await this.#appendEvent(transaction, { ...about, resources, detail: { ...message } });
      return;
    }
    const row = { number, webhook: destination.name, account, time, message: JSON.stringify(message) };
    await transaction.insertInto('s3_notification').values(row).execute();
  }

  /** Never one that was there before, unless the clock went back over a restart when nothing was left to be sent. */
  async #nextNumber(transaction: S3Transaction): Promise<number> {
    this.#last ??= await newestNumber(transaction);
    this.#last = Math.max(this.#last + 1, this.#clock.now() * NUMBERS_OF_A_MILLISECOND);
    return this.#last;
  }
}

async function newestNumber(transaction: S3Transaction): Promise<number> {
  const newest = await transaction
    .selectFrom('s3_notification')
    .select('number')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.number ?? 0;
}
