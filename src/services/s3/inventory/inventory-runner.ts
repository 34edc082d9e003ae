import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip, type Gzip } from 'node:zlib';
import type { InventoryConfiguration, PutObjectRequest } from '@aws-sdk/client-s3';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { Upkeep } from '#kernel/upkeep.ts';
import { bucketArn } from '../access.ts';
import type { S3Api } from '../api.ts';
import type { S3Context } from '../context.ts';
import { settingsOf, versioningOf } from '../domain/bucket-settings.ts';
import { columnsOf, destinationOf, dueDay } from '../domain/inventory-settings.ts';
import { successorOfPrefix } from '../domain/key-range.ts';
import { activeRules } from '../domain/lifecycle-due.ts';
import { DeliveredBody } from '../operations/delivered-body.ts';
import type { BucketRow, ListedRow, S3Transaction } from '../store.ts';
import { inventoryLine, type InventoryScope } from './inventory-row.ts';
import type { InventoryRow } from './inventory-store.ts';

const SWEEP_MS = 3_600_000;
const PAGE = 500;
/** Between two pages: others have their turn. */
const PAUSE_MS = 2;
/** Lines of one file: compressed, it lies in memory until it is written. */
const LINES_OF_A_FILE = 100_000;
const SERVICE = 's3.amazonaws.com';

interface DataFile {
  readonly key: string;
  readonly size: number;
  readonly MD5checksum: string;
}

class Stopped extends Error {}

/**
 * Writes the inventory reports that are due, as objects in the bucket that the configuration names, in the name of
 * `s3.amazonaws.com`, which that bucket's policy (and the report's KMS key) has to let in. The last object of a report says that
 * it is whole, and its commit that it is done: a report that a kill interrupts is made anew.
 */
export class InventoryRunner {
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
      SWEEP_MS,
      () => this.sweep(),
      (error) => parts.logger.error({ err: error }, 'inventories could not be written; it is tried again in an hour'),
    );
  }

  start(): void {
    this.#upkeep.start();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#upkeep.stop();
  }

  /** Writes what is due now. */
  async sweep(): Promise<void> {
    for (let place = { bucket: '', id: '' }; ; ) {
      const rows = await this.#s3.inventories.after(place, PAGE);
      for (const row of rows) {
        if (this.#isStopped) return;
        await this.#writeIfDue(row);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      place = last;
    }
  }

  async #writeIfDue(row: InventoryRow): Promise<void> {
    const configuration = JSON.parse(row.configuration) as InventoryConfiguration;
    const day = dueDay(configuration, this.#clock.now());
    if (configuration.IsEnabled !== true || row.done >= day) return;
    try {
      await this.#writeReport(row, configuration, day);
    } catch (error) {
      if (error instanceof Stopped) return;
      const about = {
        bucket: row.bucket,
        id: row.id,
        ...(error instanceof ServiceError ? { code: error.code } : { err: error }),
      };
      this.#logger.warn(about, 'an inventory report was not written; it is tried again in an hour');
    }
  }

  async #writeReport(row: InventoryRow, configuration: InventoryConfiguration, day: string): Promise<void> {
    const found = await this.#s3.store.findBucket(row.bucket);
    if (found === undefined) return;
    const bucket = this.#s3.seal.checkBucket(found);
    const startedAt = this.#clock.now();
    const prefix = configuration.Destination?.S3BucketDestination?.Prefix ?? '';
    const base = `${prefix === '' ? '' : `${prefix}/`}${row.bucket}/${row.id}`;
    const put = (
      key: string,
      bytes: Buffer,
      contentType: string,
      also?: (transaction: S3Transaction) => Promise<void>,
    ) => this.#put(bucket, configuration, key, bytes, contentType, also);

    const files: DataFile[] = [];
    for await (const bytes of this.#dataFiles(bucket, configuration)) {
      const key = `${base}/data/${this.#randomness.uuid()}.csv.gz`;
      await put(key, bytes, 'application/octet-stream');
      files.push({ key, size: bytes.length, MD5checksum: md5(bytes, 'hex') });
    }
    const manifest = {
      sourceBucket: row.bucket,
      destinationBucket: configuration.Destination?.S3BucketDestination?.Bucket,
      version: '2016-11-30',
      creationTimestamp: String(startedAt),
      fileFormat: 'CSV',
      fileSchema: columnsOf(configuration).join(', '),
      files,
    };
    const json = Buffer.from(JSON.stringify(manifest, undefined, 2));
    const at = new Date(startedAt).toISOString();
    const [minute, hour] = [at.slice(14, 16), at.slice(11, 13)];
    const folder = `${base}/${at.slice(0, 10)}T${hour}-${minute}Z`;
    const links = files.map(({ key }) => `s3://${destinationOf(configuration)}/${key}`).join('\n');
    await put(`${base}/hive/dt=${at.slice(0, 10)}-${hour}-${minute}/symlink.txt`, Buffer.from(links), 'text/plain');
    await put(`${folder}/manifest.json`, json, 'application/json');
    await put(`${folder}/manifest.checksum`, Buffer.from(md5(json, 'hex')), 'text/plain', (transaction) =>
      this.#s3.inventories.markDone(transaction, row, day),
    );
  }

  /** The report's lines, compressed, file after file; of an empty bucket one file without lines. */
  async *#dataFiles(bucket: BucketRow, configuration: InventoryConfiguration): AsyncGenerator<Buffer> {
    const { lifecycle } = settingsOf(bucket);
    const scope: InventoryScope = {
      bucket: bucket.name,
      ownerId: await this.#s3.canonicalIdOf(bucket.account),
      isOfAllVersions: configuration.IncludedObjectVersions === 'All',
      isVersioned: versioningOf(bucket) !== 'Never',
      rules: lifecycle === undefined ? [] : activeRules(lifecycle),
      columns: columnsOf(configuration),
    };
    let file = new CompressedFile();
    let lastKey: string | undefined;
    for await (const page of this.#pages(bucket.name, configuration)) {
      if (file.lines + page.length > LINES_OF_A_FILE) {
        yield await file.end();
        file = new CompressedFile();
      }
      const lines = page.flatMap((row) => {
        const isLatest = row.key !== lastKey;
        lastKey = row.key;
        const line = inventoryLine(scope, row, isLatest);
        return line === undefined ? [] : [line];
      });
      await file.write(lines);
    }
    yield await file.end();
  }

  async *#pages(bucket: string, configuration: InventoryConfiguration): AsyncGenerator<readonly ListedRow[]> {
    const prefix = configuration.Filter?.Prefix ?? '';
    const end = prefix === '' ? undefined : successorOfPrefix(prefix);
    let from: { key: string; isInclusive: boolean; rank?: number } = { key: prefix, isInclusive: true };
    for (;;) {
      if (this.#isStopped) throw new Stopped();
      const page = await this.#s3.store.versions.list(bucket, from, end, PAGE, 'whole');
      if (page.length > 0) yield page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      from = { key: last.key, isInclusive: false, rank: last.rank };
      await sleep(PAUSE_MS);
    }
  }

  async #put(
    source: BucketRow,
    configuration: InventoryConfiguration,
    key: string,
    bytes: Buffer,
    contentType: string,
    also: (transaction: S3Transaction) => Promise<void> = async () => {},
  ): Promise<void> {
    const { account, region, name } = source;
    const { AccountId: owner, Encryption: encryption } = configuration.Destination?.S3BucketDestination ?? {};
    const input: PutObjectRequest = {
      Bucket: destinationOf(configuration),
      Key: key,
      Body: new DeliveredBody(bytes, also) as never,
      ContentLength: bytes.length,
      ContentMD5: md5(bytes, 'base64'),
      ContentType: contentType,
      // What AWS's own policies for inventories ask for.
      ACL: 'bucket-owner-full-control',
      ...(owner !== undefined && { ExpectedBucketOwner: owner }),
      ...(encryption?.SSES3 !== undefined && { ServerSideEncryption: 'AES256' }),
      ...(encryption?.SSEKMS !== undefined && {
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: encryption.SSEKMS.KeyId,
      }),
    };
    const caller = { type: 'service', service: SERVICE, sourceAccount: account, sourceArn: bucketArn(name) } as const;
    await this.#api.putObject(input, { caller, region, via: [] });
  }
}

/** Lines that are compressed as they come. */
class CompressedFile {
  lines = 0;
  readonly #gzip: Gzip = createGzip();
  readonly #chunks: Buffer[] = [];

  constructor() {
    this.#gzip.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  async write(lines: readonly string[]): Promise<void> {
    this.lines += lines.length;
    await new Promise<void>((resolve, reject) => {
      this.#gzip.write(lines.join(''), (error) => (error ? reject(error) : resolve()));
    });
  }

  async end(): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#gzip.once('end', resolve);
      this.#gzip.once('error', reject);
      this.#gzip.end();
    });
    return Buffer.concat(this.#chunks);
  }
}

function md5(bytes: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('md5').update(bytes).digest(encoding);
}
