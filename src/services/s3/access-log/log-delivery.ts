import { createHash } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { Upkeep } from '#kernel/upkeep.ts';
import { bucketArn } from '../access.ts';
import type { S3Api } from '../api.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { grantMembers, type LoggingSettings, logKey, partitionOf } from '../domain/logging-settings.ts';
import { DeliveredBody } from '../operations/delivered-body.ts';
import type { BucketRow } from '../store.ts';
import type { AccessLogRow } from './log-table.ts';

const DELIVER_MS = 5 * 60_000;
/** Characters of one object, unless one group of lines is longer. */
const MOST_OF_AN_OBJECT = 4 * 1024 * 1024;
const GIVE_UP_MS = 24 * 3_600_000;
const SERVICE = 'logging.s3.amazonaws.com';
const UNIQUE = '0123456789ABCDEF';

/**
 * Delivers access logs: as objects in the bucket that a bucket's settings name, in the name of the service
 * `logging.s3.amazonaws.com`, which that bucket's policy has to let in.
 */
export class LogDelivery {
  readonly #s3: S3Context;
  readonly #api: S3Api;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #logger: Logger;
  readonly #upkeep: Upkeep;
  #isStopped = false;

  constructor(parts: {
    readonly s3: S3Context;
    readonly api: S3Api;
    readonly clock: Clock;
    readonly randomness: Randomness;
    readonly logger: Logger;
  }) {
    this.#s3 = parts.s3;
    this.#api = parts.api;
    this.#clock = parts.clock;
    this.#randomness = parts.randomness;
    this.#logger = parts.logger;
    this.#upkeep = new Upkeep(
      DELIVER_MS,
      () => this.deliver(),
      (error) => parts.logger.error({ err: error }, 'access logs could not be delivered; it is tried again'),
    );
  }

  start(): void {
    this.#upkeep.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#upkeep.stop();
    await this.#s3.accessLog.flush();
  }

  /** Delivers all that there is. */
  async deliver(): Promise<void> {
    await this.#s3.accessLog.flush();
    for (const name of await this.#s3.accessLogStore.buckets()) {
      if (this.#isStopped) return;
      try {
        await this.#deliverOf(name);
      } catch (error) {
        const isRefused = error instanceof ServiceError;
        const about = { bucket: name, ...(isRefused ? { code: error.code } : { err: error }) };
        this.#logger.warn(about, 'the access log of a bucket was not delivered; it is tried again for a day');
        await this.#s3.accessLogStore.drop(name, this.#clock.now() - GIVE_UP_MS);
      }
    }
  }

  async #deliverOf(name: string): Promise<void> {
    const row = await this.#s3.store.findBucket(name);
    const source = row && this.#s3.seal.checkBucket(row);
    const logging = source && settingsOf(source).logging;
    if (source === undefined || logging === undefined) {
      // Read first: a row that was changed, so that it names another bucket, is an error and not forgotten.
      await this.#s3.accessLogStore.next(name, MOST_OF_AN_OBJECT, false);
      return await this.#s3.accessLogStore.drop(name);
    }
    const isOneDay = partitionOf(logging) === 'EventTime';
    while (!this.#isStopped) {
      const rows = await this.#s3.accessLogStore.next(name, MOST_OF_AN_OBJECT, isOneDay);
      const [first] = rows;
      if (first === undefined) return;
      await this.#put(source, logging, first.day, rows);
    }
  }

  async #put(source: BucketRow, logging: LoggingSettings, day: string, rows: readonly AccessLogRow[]): Promise<void> {
    const bytes = Buffer.from(rows.map(({ lines }) => `${lines}\n`).join(''));
    const unique = this.#randomness.text(16, UNIQUE);
    const { account, region } = source;
    // The lines go in the commit that makes the object: they are in one of the two, and in no more.
    const body = new DeliveredBody(bytes, (transaction) => this.#s3.accessLogStore.remove(transaction, rows));
    await this.#api.putObject(
      {
        Bucket: logging.target,
        Key: logKey(logging, source, day, this.#clock.now(), unique),
        Body: body as never,
        ContentLength: bytes.length,
        ContentMD5: createHash('md5').update(bytes).digest('base64'),
        ContentType: 'text/plain',
        ExpectedBucketOwner: account,
        ...grantMembers(logging, await this.#s3.canonicalIdOf(account)),
      },
      {
        caller: { type: 'service', service: SERVICE, sourceAccount: account, sourceArn: bucketArn(source.name) },
        region,
        via: [],
      },
    );
    this.#s3.accessLogStore.forget(rows);
  }
}
