import { CompiledQuery, type Kysely } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Records } from '#storage/records.ts';
import type { AccessLogRow } from './access-log/log-table.ts';
import type { InventoryRow } from './inventory/inventory-store.ts';
import type { NotificationRow } from './notifications/notification-table.ts';
import { successorOfPrefix } from './domain/key-range.ts';
import type { FolderSearch } from './domain/listing.ts';
import { folderQuery, type FolderTables } from './folder-query.ts';
import { LISTED_FACTS } from './listed-facts.ts';
import type { AccountRow } from './control/account-table.ts';
import type { PublicAccessBlock } from './domain/public-access-block.ts';
import { VersionStore } from './version-store.ts';

/** Times are milliseconds since the epoch; `mac` binds the other columns (see `record-seal.ts`). */
export interface BucketRow {
  readonly name: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly created_at: number;
  /** The bucket policy, as it was given. */
  readonly policy: string | null;
  /** `BucketEncryption` in JSON, where it is not the default. */
  readonly encryption: string | null;
  /** Tags in JSON, an object of strings. */
  readonly tags: string | null;
  /** `BucketSettings` in JSON, where there are any. */
  readonly settings: string | null;
  readonly mac: Uint8Array;
}

/** The current version of a key, where it is not a delete marker. */
export interface ObjectRow {
  readonly bucket: string;
  readonly key: string;
  /** Of this very content; a new one with every write. */
  readonly id: string;
  readonly size: number;
  /** Without quotation marks. */
  readonly etag: string;
  readonly modified_at: number;
  /** `ObjectFacts` in JSON. */
  readonly facts: string;
  /** `StoredPart[]` in JSON, for multipart objects; `facts` holds its digest. */
  readonly parts: string | null;
  readonly mac: Uint8Array;
  /** The ciphertext, where it is small. */
  readonly body: Uint8Array | null;
}

/** A version that is not current, or a delete marker: `facts` say which. */
export interface VersionRow extends ObjectRow {
  /** The opposite of the version's order: the newest comes first. */
  readonly rank: number;
  /** The version's id, or `null`. */
  readonly version: string;
}

export interface UploadRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** The id that the object gets when the upload is completed. */
  readonly object_id: string;
  readonly initiated_at: number;
  /** `UploadFacts` in JSON. */
  readonly facts: string;
  readonly mac: Uint8Array;
}

export interface PartRow {
  readonly upload: string;
  readonly number: number;
  /** `StoredPart` in JSON. */
  readonly facts: string;
  readonly modified_at: number;
  readonly mac: Uint8Array;
}

export interface MasterKeyRow {
  readonly id: string;
  /** 32 bytes, sealed under the root key. */
  readonly sealed: Uint8Array;
  readonly created_at: number;
}

export interface S3Tables {
  readonly s3_account: AccountRow;
  readonly s3_bucket: BucketRow;
  readonly s3_object: ObjectRow;
  readonly s3_version: VersionRow;
  readonly s3_upload: UploadRow;
  readonly s3_part: PartRow;
  readonly s3_master_key: MasterKeyRow;
  readonly s3_notification: NotificationRow;
  readonly s3_access_log: AccessLogRow;
  readonly s3_inventory: InventoryRow;
}

export type S3Transaction = Kysely<S3Tables>;

// The queries of the hot path, compiled once.
const FIND_BUCKET = 'select * from s3_bucket where name = ?';
const FIND_OBJECT = 'select * from s3_object where bucket = ? and key = ?';
const PUT_OBJECT = `insert into s3_object (bucket, key, id, size, etag, modified_at, facts, parts, mac, body)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (bucket, key) do update set id = excluded.id, size = excluded.size,
  etag = excluded.etag, modified_at = excluded.modified_at, facts = excluded.facts, parts = excluded.parts,
  mac = excluded.mac, body = excluded.body`;
const FIND_HEAD =
  'select bucket, key, id, etag, size, modified_at, facts, mac, parts from s3_object where bucket = ? and key = ?';

export type ObjectHeadRow = Omit<ObjectRow, 'body'>;
/** `facts` are those that listings tell: `LISTED_FACTS`. */
export type ListedRow = Pick<ObjectRow, 'key' | 'size' | 'etag' | 'modified_at' | 'facts'>;

/** The queries of S3. */
export class S3Store {
  readonly versions: VersionStore;
  readonly #records: Records<S3Tables>;

  constructor(records: Records<S3Tables>) {
    this.#records = records;
    this.versions = new VersionStore(records);
  }

  write<Result>(work: (transaction: S3Transaction) => Promise<Result>): Promise<Result> {
    return this.#records.write(work);
  }

  async findBucket(name: string): Promise<BucketRow | undefined> {
    return (await this.#records.read.executeQuery<BucketRow>(CompiledQuery.raw(FIND_BUCKET, [name]))).rows[0];
  }

  async findObject(bucket: string, key: string): Promise<ObjectRow | undefined> {
    return (await this.#records.read.executeQuery<ObjectRow>(CompiledQuery.raw(FIND_OBJECT, [bucket, key]))).rows[0];
  }

  async findAccountBlock(account: AccountId): Promise<PublicAccessBlock | undefined> {
    const row = await this.#records.read
      .selectFrom('s3_account')
      .selectAll()
      .where('account', '=', account)
      .executeTakeFirst();
    return row === undefined ? undefined : (JSON.parse(row.public_access_block) as PublicAccessBlock);
  }

  /** @param block `undefined` takes it away */
  async setAccountBlock(account: AccountId, block: PublicAccessBlock | undefined): Promise<void> {
    await this.write(async (transaction) => {
      await transaction.deleteFrom('s3_account').where('account', '=', account).execute();
      if (block === undefined) return;
      const row = { account, public_access_block: JSON.stringify(block) };
      await transaction.insertInto('s3_account').values(row).execute();
    });
  }

  /** Up to `limit` buckets of an account in the order of their names, after `after`. */
  listBuckets(filter: {
    readonly account: AccountId;
    readonly after: string;
    readonly prefix: string;
    readonly region: string | undefined;
    readonly limit: number;
  }): Promise<BucketRow[]> {
    let query = this.#records.read
      .selectFrom('s3_bucket')
      .selectAll()
      .where('account', '=', filter.account)
      .where('name', '>', filter.after);
    const end = filter.prefix === '' ? undefined : successorOfPrefix(filter.prefix);
    if (filter.prefix !== '') query = query.where('name', '>=', filter.prefix);
    if (end !== undefined) query = query.where('name', '<', end);
    if (filter.region !== undefined) query = query.where('region', '=', filter.region as Region);
    return query.orderBy('name').limit(filter.limit).execute();
  }

  /** Up to `limit` keys in byte order, from `from` (inclusive, or not) to before `end`. */
  async listObjects(
    bucket: string,
    from: { readonly key: string; readonly isInclusive: boolean },
    end: string | undefined,
    limit: number,
  ): Promise<ListedRow[]> {
    // By hand: a listing by folders asks a thousand times, and building each query would take longer than running it.
    const sql = `select key, size, etag, modified_at, ${LISTED_FACTS} as facts from s3_object indexed by s3_object_listing
      where bucket = ? and key ${from.isInclusive ? '>=' : '>'} ?${end === undefined ? '' : ' and key < ?'} order by key limit ?`;
    const values = end === undefined ? [bucket, from.key, limit] : [bucket, from.key, end, limit];
    return (await this.#records.read.executeQuery<ListedRow>(CompiledQuery.raw(sql, values))).rows;
  }

  /** See `folderQuery`; none where it cannot be asked. */
  async listFolders(tables: FolderTables, bucket: string, search: FolderSearch): Promise<readonly string[]> {
    const query = folderQuery(tables, bucket, search);
    if (query === undefined) return [];
    return (await this.#records.read.executeQuery(query)).rows.map(({ key }) => key);
  }

  findUpload(id: string): Promise<UploadRow | undefined> {
    return this.#records.read.selectFrom('s3_upload').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Up to `limit` uploads in the order of key and id, after the given key and upload. */
  async listUploads(
    bucket: string,
    from: { readonly key: string; readonly isInclusive: boolean; readonly uploadId?: string | undefined },
    end: string | undefined,
    limit: number,
  ): Promise<UploadRow[]> {
    const { key, isInclusive, uploadId } = from;
    // As a row of values, which an index can begin at; `or` would look at everything before.
    const begin = uploadId === undefined ? `key ${isInclusive ? '>=' : '>'} ?` : '(key, id) > (?, ?)';
    const sql = `select * from s3_upload
      where bucket = ? and ${begin}${end === undefined ? '' : ' and key < ?'} order by key, id limit ?`;
    const values = [bucket, key, ...(uploadId === undefined ? [] : [uploadId]), ...(end === undefined ? [] : [end])];
    return (await this.#records.read.executeQuery<UploadRow>(CompiledQuery.raw(sql, [...values, limit]))).rows;
  }

  listParts(upload: string, after: number, limit: number): Promise<PartRow[]> {
    return this.#records.read
      .selectFrom('s3_part')
      .selectAll()
      .where('upload', '=', upload)
      .where('number', '>', after)
      .orderBy('number')
      .limit(limit)
      .execute();
  }

  findPart(upload: string, number: number): Promise<PartRow | undefined> {
    return this.#records.read
      .selectFrom('s3_part')
      .selectAll()
      .where('upload', '=', upload)
      .where('number', '=', number)
      .executeTakeFirst();
  }

  allBuckets(account?: AccountId): Promise<BucketRow[]> {
    const query = this.#records.read.selectFrom('s3_bucket').selectAll().orderBy('name');
    return account === undefined ? query.execute() : query.where('account', '=', account).execute();
  }

  /** Objects after a bucket's key; of `bucket` alone, where it is given: then the key is one of it. */
  async objectsAfter(
    after: { readonly bucket: string; readonly key: string },
    bucket: string | undefined,
    limit: number,
  ): Promise<ObjectRow[]> {
    // As in `listUploads`: not by `or`.
    const [begin, values] =
      bucket === undefined
        ? ['(bucket, key) > (?, ?)', [after.bucket, after.key]]
        : ['bucket = ? and key > ?', [bucket, after.key]];
    const sql = `select * from s3_object where ${begin} order by bucket, key limit ?`;
    return (await this.#records.read.executeQuery<ObjectRow>(CompiledQuery.raw(sql, [...values, limit]))).rows;
  }

  uploadsAfter(after: string, limit: number): Promise<UploadRow[]> {
    return this.#records.read
      .selectFrom('s3_upload')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** Up to `limit` messages for a webhook, of those that are not older than `from`, in their order. */
  nextNotifications(webhook: string, from: number, limit: number): Promise<NotificationRow[]> {
    return this.#records.read
      .selectFrom('s3_notification')
      .selectAll()
      .where('webhook', '=', webhook)
      .where('time', '>=', from)
      .orderBy('number')
      .limit(limit)
      .execute();
  }

  masterKeys(): Promise<MasterKeyRow[]> {
    return this.#records.read.selectFrom('s3_master_key').selectAll().orderBy('created_at').execute();
  }

  async addMasterKey(row: MasterKeyRow): Promise<void> {
    await this.write((transaction) => transaction.insertInto('s3_master_key').values(row).execute());
  }
}

export async function findHead(
  transaction: S3Transaction,
  bucket: string,
  key: string,
): Promise<ObjectHeadRow | undefined> {
  return (await transaction.executeQuery<ObjectHeadRow>(CompiledQuery.raw(FIND_HEAD, [bucket, key]))).rows[0];
}

/** Writes an object over what its key held. */
export async function putObjectRow(transaction: S3Transaction, row: ObjectRow): Promise<void> {
  const { bucket, key, id, size, etag, modified_at: modifiedAt, facts, parts, mac, body } = row;
  const values = [bucket, key, id, size, etag, modifiedAt, facts, parts, mac, body];
  await transaction.executeQuery(CompiledQuery.raw(PUT_OBJECT, values));
}
