import type { InventoryConfiguration } from '@aws-sdk/client-s3';
import { sql } from 'kysely';
import type { Migration, Records } from '#storage/records.ts';
import { noSuchBucket, noSuchConfiguration, tooManyConfigurations } from '../errors.ts';
import type { S3Tables, S3Transaction } from '../store.ts';

const MOST_OF_A_BUCKET = 1000;

/** A bucket's inventory. */
export interface InventoryRow {
  readonly bucket: string;
  readonly id: string;
  /** `InventoryConfiguration` in JSON. */
  readonly configuration: string;
  /** The day whose report is there, as in `2026-01-31`; empty where there is none. */
  readonly done: string;
}

export const inventoryMigrations: readonly Migration[] = [
  {
    name: 's3-inventory-0001-configurations',
    sealedTables: ['s3_inventory'],
    async up(transaction) {
      await sql`CREATE TABLE s3_inventory (
        bucket TEXT NOT NULL, id TEXT NOT NULL, configuration TEXT NOT NULL, done TEXT NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (bucket, id)) STRICT`.execute(transaction);
    },
  },
];

/** The inventories of buckets. They may be many: not in the bucket's record, which every request reads. */
export class InventoryStore {
  readonly #records: Records<S3Tables>;

  constructor(records: Records<S3Tables>) {
    this.#records = records;
  }

  /** @throws ServiceError NoSuchBucket, TooManyConfigurations */
  async put(bucket: string, id: string, configuration: InventoryConfiguration): Promise<void> {
    const text = JSON.stringify(configuration);
    await this.#records.write(async (transaction) => {
      const found = await transaction
        .selectFrom('s3_bucket')
        .select('name')
        .where('name', '=', bucket)
        .executeTakeFirst();
      if (found === undefined) throw noSuchBucket(bucket);
      const others = await transaction.selectFrom('s3_inventory').select('id').where('bucket', '=', bucket).execute();
      if (!others.some((row) => row.id === id)) {
        if (others.length >= MOST_OF_A_BUCKET) throw tooManyConfigurations();
        await transaction.insertInto('s3_inventory').values({ bucket, id, configuration: text, done: '' }).execute();
        return;
      }
      await transaction
        .updateTable('s3_inventory')
        .set({ configuration: text })
        .where('bucket', '=', bucket)
        .where('id', '=', id)
        .execute();
    });
  }

  /** @throws ServiceError NoSuchConfiguration */
  async get(bucket: string, id: string): Promise<InventoryConfiguration> {
    const row = await this.#records.read
      .selectFrom('s3_inventory')
      .selectAll()
      .where('bucket', '=', bucket)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw noSuchConfiguration(bucket);
    return JSON.parse(row.configuration) as InventoryConfiguration;
  }

  /** Up to `limit` rows of a bucket in the order of their ids, after `after`. */
  list(bucket: string, after: string, limit: number): Promise<InventoryRow[]> {
    return this.#records.read
      .selectFrom('s3_inventory')
      .selectAll()
      .where('bucket', '=', bucket)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** @throws ServiceError NoSuchConfiguration */
  async remove(bucket: string, id: string): Promise<void> {
    await this.#records.write(async (transaction) => {
      const { numDeletedRows } = await transaction
        .deleteFrom('s3_inventory')
        .where('bucket', '=', bucket)
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) throw noSuchConfiguration(bucket);
    });
  }

  /** Those after a place, of all buckets. */
  after(place: { readonly bucket: string; readonly id: string }, limit: number): Promise<InventoryRow[]> {
    return this.#records.read
      .selectFrom('s3_inventory')
      .selectAll()
      .where((where) =>
        where.or([
          where('bucket', '>', place.bucket),
          where.and([where('bucket', '=', place.bucket), where('id', '>', place.id)]),
        ]),
      )
      .orderBy('bucket')
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** Within the transaction that makes the last object of a report. */
  async markDone(transaction: S3Transaction, row: InventoryRow, day: string): Promise<void> {
    await transaction
      .updateTable('s3_inventory')
      .set({ done: day })
      .where('bucket', '=', row.bucket)
      .where('id', '=', row.id)
      .where('configuration', '=', row.configuration)
      .execute();
  }
}

/** Within the transaction that removes the bucket. */
export async function removeInventories(transaction: S3Transaction, bucket: string): Promise<void> {
  await transaction.deleteFrom('s3_inventory').where('bucket', '=', bucket).execute();
}
