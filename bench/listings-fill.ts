import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { loadRootKeyFile } from '#crypto/root-key-file.ts';
import { RecordSeal } from '#services/s3/domain/record-seal.ts';
import type { ObjectRow, S3Tables, S3Transaction } from '#services/s3/store.ts';
import { putObjectRow } from '#services/s3/store.ts';
import { ROW_SEAL_PURPOSE } from '#storage/row-seal.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { allMigrations } from '../bin/compose-services.ts';
import { BUCKET, prepareBucket } from './objects.ts';
import { type BenchServer, startCoffer } from './processes.ts';

export const VERSIONED_KEYS = 1000;
/** Half of the keys end with a delete marker, and each has one in its middle. */
export const VERSIONS_OF_A_KEY = 1000;
export const PARTS = 10_000;
const UPLOADS = 100_000;
/** Of one key, among the others. */
const UPLOADS_OF_A_KEY = 20_000;
const ROWS_OF_ONE_COMMIT = 5000;
/** Objects come in another order than that of their keys, within so many: their rows lie far from each other. */
const WINDOW = 100_000;
/** Has no factor in common with the window. */
const STRIDE = 61_803;
const VERSIONED = 'versioned';
const UPLOADING = 'uploading';

/** What lies in the data folder now. */
export interface Filled {
  readonly credentials: BenchServer['credentials'];
  readonly buckets: readonly { readonly bucket: string; readonly size: number }[];
  readonly versioned: string;
  /** A version in the middle of its key. */
  readonly marker: { readonly key: string; readonly version: string };
  readonly uploading: string;
  /** An upload with 10,000 parts, in the middle of its key's. */
  readonly upload: { readonly key: string; readonly id: string };
}

/** The index-th key of a bucket, in their order: a thousand folders with a thousandth of them each. */
export function keyOf(index: number, size: number): string {
  const inFolder = Math.max(1, size / 1000);
  const folder = String(Math.floor(index / inFolder)).padStart(4, '0');
  return `recordings-${folder}/${String(index % inFolder).padStart(8, '0')}.mp4`;
}

/** Makes buckets by requests, and a real object, upload and part; then rows like theirs, sealed as the server seals them. */
export async function fillBuckets(folder: string, sizes: readonly number[]): Promise<Filled> {
  const coffer = await startCoffer(folder);
  const s3 = await prepareBucket(coffer);
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'model', Body: Buffer.alloc(100) }));
  const buckets = sizes.map((size) => ({ bucket: `of-${size}`, size }));
  const names = [...buckets.map(({ bucket }) => bucket), VERSIONED, UPLOADING];
  for (const name of names) await s3.send(new CreateBucketCommand({ Bucket: name }));
  const versioning = { Bucket: VERSIONED, VersioningConfiguration: { Status: 'Enabled' as const } };
  await s3.send(new PutBucketVersioningCommand(versioning));
  const upload = { Bucket: BUCKET, Key: 'model' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
  await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: Buffer.alloc(100) }));
  s3.destroy();
  await coffer.stop();

  const rootKey = await loadRootKeyFile(join(folder, 'root.key'));
  const file = join(folder, 'data', 'records.db');
  const opened = await SqliteRecords.open(file, allMigrations, rootKey.deriveKey(ROW_SEAL_PURPOSE));
  const fill = new Fill(opened, new RecordSeal(rootKey.deriveKey('s3/record-seal/1')));
  for (const { bucket, size } of buckets) await fill.objects(bucket, size);
  const marker = await fill.versions();
  const middle = await fill.uploads();
  await opened.close();
  const { credentials } = coffer;
  return { credentials, buckets, versioned: VERSIONED, marker, uploading: UPLOADING, upload: middle };
}

class Fill {
  readonly #opened: SqliteRecords;
  readonly #seal: RecordSeal;

  constructor(opened: SqliteRecords, seal: RecordSeal) {
    this.#opened = opened;
    this.#seal = seal;
  }

  async objects(bucket: string, size: number): Promise<void> {
    const model = await this.#model();
    await this.#inGroups(size, async (transaction, count) => {
      const window = Math.floor(count / WINDOW) * WINDOW;
      const length = Math.min(WINDOW, size - window);
      const index = length === WINDOW ? window + (((count - window) * STRIDE) % WINDOW) : count;
      await putObjectRow(transaction, this.#objectLike(model, bucket, keyOf(index, size)));
    });
  }

  /** @returns a version in the middle of its key */
  async versions(): Promise<{ readonly key: string; readonly version: string }> {
    const model = await this.#model();
    const facts = JSON.parse(model.facts) as object;
    let middle = { key: '', version: '' };
    await this.#inGroups(VERSIONED_KEYS * VERSIONS_OF_A_KEY, async (transaction, count) => {
      const [keyIndex, order] = [Math.floor(count / VERSIONS_OF_A_KEY), (count % VERSIONS_OF_A_KEY) + 1];
      const key = keyOf(keyIndex, VERSIONED_KEYS);
      const version = { id: randomBytes(24).toString('base64url'), order };
      const isLast = order === VERSIONS_OF_A_KEY;
      const isMarker = order === VERSIONS_OF_A_KEY / 2 || (isLast && keyIndex % 2 === 1);
      if (keyIndex === VERSIONED_KEYS / 2 && order === 300) middle = { key, version: version.id };
      const text = JSON.stringify(isMarker ? { version, isMarker } : { ...facts, version });
      const row = this.#objectLike({ ...model, facts: text, body: isMarker ? null : model.body }, VERSIONED, key);
      if (isLast && !isMarker) await putObjectRow(transaction, row);
      else {
        const place = { rank: -order, version: version.id };
        await transaction
          .insertInto('s3_version')
          .values({ ...row, ...place })
          .execute();
      }
    });
    return middle;
  }

  /** @returns an upload in the middle of its key */
  async uploads(): Promise<{ readonly key: string; readonly id: string }> {
    const { read } = this.#records();
    const model = await read.selectFrom('s3_upload').selectAll().executeTakeFirstOrThrow();
    const part = await read.selectFrom('s3_part').selectAll().executeTakeFirstOrThrow();
    const ids: string[] = [];
    const key = 'recordings-0500/again';
    await this.#inGroups(UPLOADS, async (transaction, count) => {
      const isAgain = count < UPLOADS_OF_A_KEY;
      const id = randomUUID();
      if (isAgain) ids.push(id);
      const place = {
        id,
        bucket: UPLOADING,
        key: isAgain ? key : keyOf(count - UPLOADS_OF_A_KEY, UPLOADS - UPLOADS_OF_A_KEY),
        object_id: randomUUID(),
      };
      await transaction
        .insertInto('s3_upload')
        .values(this.#seal.upload({ ...model, ...place }))
        .execute();
    });
    const id = ids.toSorted()[UPLOADS_OF_A_KEY / 2] ?? '';
    await this.#inGroups(PARTS, async (transaction, count) => {
      const row = { ...part, upload: id, number: count + 1 };
      await transaction
        .insertInto('s3_part')
        .values(this.#seal.part({ ...row, facts: JSON.stringify({ ...JSON.parse(part.facts), number: count + 1 }) }))
        .execute();
    });
    return { key, id };
  }

  #records() {
    return this.#opened.of<S3Tables>();
  }

  async #model(): Promise<ObjectRow> {
    return await this.#records().read.selectFrom('s3_object').selectAll().executeTakeFirstOrThrow();
  }

  #objectLike(model: ObjectRow, bucket: string, key: string): ObjectRow {
    return this.#seal.object({ ...model, bucket, key, id: randomUUID() });
  }

  async #inGroups(count: number, insert: (transaction: S3Transaction, index: number) => Promise<void>): Promise<void> {
    for (let done = 0; done < count; done += ROWS_OF_ONE_COMMIT) {
      await this.#records().write(async (transaction) => {
        const end = Math.min(count, done + ROWS_OF_ONE_COMMIT);
        for (let index = done; index < end; index++) await insert(transaction, index);
      });
    }
  }
}
