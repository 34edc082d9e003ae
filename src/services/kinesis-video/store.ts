import type { DefaultStorageTier } from '@aws-sdk/client-kinesis-video';
import { type Kysely, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import { ChangeCache } from '#storage/change-cache.ts';
import type { Migration, Records } from '#storage/records.ts';

/** Times are milliseconds since the epoch. */
export interface StreamRow {
  readonly id: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  readonly created_at: number;
  /** When DeleteStream came: from then on nobody finds the stream, and its fragments are being removed. */
  readonly deleted_at: number | null;
  readonly version: string;
  readonly device_name: string | null;
  readonly media_type: string | null;
  /** As CreateStream gave it. */
  readonly kms_key_id: string | null;
  readonly retention_hours: number;
  readonly storage_tier: DefaultStorageTier;
  /** The tags in JSON. */
  readonly tags: string;
  /** `ImageGenerationConfiguration` in JSON. */
  readonly image_generation: string | null;
  /** `NotificationConfiguration` in JSON. */
  readonly notification: string | null;
}

export interface StreamTables {
  readonly kinesis_video_stream: StreamRow;
}

export type StreamTransaction = Kysely<StreamTables>;

export const streamMigrations: readonly Migration[] = [
  {
    name: 'kinesis-video-0001-streams',
    sealedTables: ['kinesis_video_stream'],
    async up(transaction) {
      await sql`CREATE TABLE kinesis_video_stream (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        created_at INTEGER NOT NULL, deleted_at INTEGER, version TEXT NOT NULL, device_name TEXT, media_type TEXT,
        kms_key_id TEXT, retention_hours INTEGER NOT NULL, storage_tier TEXT NOT NULL, tags TEXT NOT NULL,
        image_generation TEXT, notification TEXT, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE UNIQUE INDEX kinesis_video_stream_name ON kinesis_video_stream (account, region, name)
        WHERE deleted_at IS NULL`.execute(transaction);
      await sql`CREATE INDEX kinesis_video_stream_deleted ON kinesis_video_stream (deleted_at)
        WHERE deleted_at IS NOT NULL`.execute(transaction);
    },
  },
];

const CACHED_STREAMS = 10_000;

/** Sorts behind every character that a name can have. */
const BEHIND_ALL = '\u{10ffff}';

/** The streams, as records. They are remembered until the next change of any of them. */
export class StreamStore {
  readonly #records: Records<StreamTables>;
  readonly #byName = new ChangeCache<StreamRow>(CACHED_STREAMS);

  constructor(records: Records<StreamTables>) {
    this.#records = records;
  }

  /** INVARIANT: every change goes through here, so that the next request sees it. */
  async write<Result>(work: (transaction: StreamTransaction) => Promise<Result>): Promise<Result> {
    try {
      return await this.#records.write(work);
    } finally {
      this.#byName.clear();
    }
  }

  /** The stream of that name that was not deleted. */
  find(account: AccountId, region: Region, name: string): Promise<StreamRow | undefined> {
    return this.#byName.get(`${account} ${region} ${name}`, () =>
      findStream(this.#records.read, account, region, name),
    );
  }

  /** Streams that were not deleted, in the order of their names, after a name. */
  list(
    account: AccountId,
    region: Region,
    { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
  ): Promise<StreamRow[]> {
    let query = this.#records.read
      .selectFrom('kinesis_video_stream')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region)
      .where('deleted_at', 'is', null)
      .where('name', '>', after);
    if (prefix !== '') query = query.where('name', '>=', prefix).where('name', '<', `${prefix}${BEHIND_ALL}`);
    return query.orderBy('name').limit(limit).execute();
  }

  /** A stream by its id, deleted or not. */
  findById(id: string): Promise<StreamRow | undefined> {
    return this.#records.read.selectFrom('kinesis_video_stream').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /**
   * The ids of streams, of all accounts. A row that does not bear its seal is among them: reading it is an error, which
   * must not keep others from being swept.
   *
   * @param which those that were deleted, of which something may be left, or those that were not
   */
  async ids(which: 'deleted' | 'live', account?: AccountId): Promise<readonly string[]> {
    let query = this.#records.readUnchecked
      .selectFrom('kinesis_video_stream')
      .select('id')
      .where('deleted_at', which === 'deleted' ? 'is not' : 'is', null);
    if (account !== undefined) query = query.where('account', '=', account);
    return (await query.execute()).map(({ id }) => id);
  }

  /** Every stream, whether or not its row bears its seal, for verification. */
  allUnchecked(): Promise<StreamRow[]> {
    return this.#records.readUnchecked.selectFrom('kinesis_video_stream').selectAll().execute();
  }

  /** Removes the record of a stream, of which nothing is left. */
  async forget(id: string): Promise<void> {
    await this.write((transaction) => transaction.deleteFrom('kinesis_video_stream').where('id', '=', id).execute());
  }

  /** Marks a stream as deleted. */
  async markDeleted(id: string, now: number): Promise<void> {
    await this.write((transaction) =>
      transaction.updateTable('kinesis_video_stream').set({ deleted_at: now }).where('id', '=', id).execute(),
    );
  }
}

/** The stream of that name that was not deleted, as a transaction sees it. */
export function findStream(
  queries: Kysely<StreamTables>,
  account: AccountId,
  region: Region,
  name: string,
): Promise<StreamRow | undefined> {
  return queries
    .selectFrom('kinesis_video_stream')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}
