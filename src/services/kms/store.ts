import type { KeyManagerType, KeyState } from '@aws-sdk/client-kms';
import { type Kysely, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import { ChangeCache } from '#storage/change-cache.ts';
import type { Migration, Records } from '#storage/records.ts';

/** Times are milliseconds since the epoch. */
export interface KeyRecord {
  readonly id: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly state: KeyState;
  readonly manager: KeyManagerType;
  readonly description: string;
  readonly policy: string;
  readonly created_at: number;
  /** When a key that is pending deletion goes. */
  readonly deletion_at: number | null;
  /** The material that encrypts; older ones stay for decryption. */
  readonly material_id: string;
}

export interface MaterialRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly key_id: string;
  /** The 32 bytes of the key, sealed under the root key. */
  readonly sealed: Uint8Array;
  readonly created_at: number;
}

export interface AliasRecord {
  readonly account: AccountId;
  readonly region: Region;
  /** With its prefix: `alias/…`. */
  readonly name: string;
  readonly key_id: string;
  readonly created_at: number;
  readonly updated_at: number;
}

interface TagRecord {
  readonly key_id: string;
  readonly tag_key: string;
  readonly tag_value: string;
}

export interface KmsTables {
  readonly kms_key: KeyRecord;
  readonly kms_material: MaterialRecord;
  readonly kms_alias: AliasRecord;
  readonly kms_tag: TagRecord;
}

export type KmsTransaction = Kysely<KmsTables>;

/** A key with what authorisation needs to know of it. */
export interface DescribedKey extends KeyRecord {
  /** `alias/…`, sorted. */
  readonly aliases: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

const CACHED_KEYS = 10_000;

export const kmsMigrations: readonly Migration[] = [
  {
    name: 'kms-0001-keys',
    sealedTables: ['kms_key', 'kms_material', 'kms_alias', 'kms_tag'],
    async up(transaction) {
      await sql`CREATE TABLE kms_key (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, state TEXT NOT NULL, manager TEXT NOT NULL,
        description TEXT NOT NULL, policy TEXT NOT NULL, created_at INTEGER NOT NULL, deletion_at INTEGER,
        material_id TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_key_account ON kms_key (account, region, id)`.execute(transaction);
      await sql`CREATE INDEX kms_key_deletion ON kms_key (deletion_at) WHERE deletion_at IS NOT NULL`.execute(
        transaction,
      );
      await sql`CREATE TABLE kms_material (
        id TEXT PRIMARY KEY, key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE, sealed BLOB NOT NULL,
        created_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_material_key ON kms_material (key_id)`.execute(transaction);
      await sql`CREATE TABLE kms_alias (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (account, region, name)) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_alias_key ON kms_alias (key_id)`.execute(transaction);
      await sql`CREATE TABLE kms_tag (
        key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE, tag_key TEXT NOT NULL, tag_value TEXT NOT NULL,
        mac BLOB NOT NULL, PRIMARY KEY (key_id, tag_key)) STRICT`.execute(transaction);
    },
  },
];

/** The queries of KMS. Keys and aliases are remembered until the next change of any of them. */
export class KmsStore {
  readonly #records: Records<KmsTables>;
  readonly #keys = new ChangeCache<DescribedKey>(CACHED_KEYS);
  readonly #aliases = new ChangeCache<AliasRecord>(CACHED_KEYS);

  constructor(records: Records<KmsTables>) {
    this.#records = records;
  }

  /** INVARIANT: every change goes through here, so that the next request sees it. */
  async write<Result>(work: (transaction: KmsTransaction) => Promise<Result>): Promise<Result> {
    try {
      return await this.#records.write(work);
    } finally {
      this.#keys.clear();
      this.#aliases.clear();
    }
  }

  findKey(id: string): Promise<DescribedKey | undefined> {
    return this.#keys.get(id, async () => {
      const key = await this.#records.read.selectFrom('kms_key').selectAll().where('id', '=', id).executeTakeFirst();
      return key && { ...key, aliases: await this.#aliasNamesOf(id), tags: await this.#tagsOf(id) };
    });
  }

  findMaterial(id: string): Promise<MaterialRecord | undefined> {
    return this.#records.read.selectFrom('kms_material').selectAll().where('id', '=', id).executeTakeFirst();
  }

  findAlias(account: AccountId, region: Region, name: string): Promise<AliasRecord | undefined> {
    return this.#aliases.get(`${account} ${region} ${name}`, () =>
      this.#records.read
        .selectFrom('kms_alias')
        .selectAll()
        .where('account', '=', account)
        .where('region', '=', region)
        .where('name', '=', name)
        .executeTakeFirst(),
    );
  }

  async #aliasNamesOf(keyId: string): Promise<string[]> {
    const rows = await this.#records.read
      .selectFrom('kms_alias')
      .select('name')
      .where('key_id', '=', keyId)
      .orderBy('name')
      .execute();
    return rows.map((row) => row.name);
  }

  async #tagsOf(keyId: string): Promise<Record<string, string>> {
    const rows = await this.#records.read
      .selectFrom('kms_tag')
      .selectAll()
      .where('key_id', '=', keyId)
      .orderBy('tag_key')
      .execute();
    return Object.fromEntries(rows.map((row) => [row.tag_key, row.tag_value]));
  }

  /** At most `limit` keys of an account's region, in the order of their ids, after `after`. */
  listKeys(account: AccountId, region: Region, after: string, limit: number): Promise<KeyRecord[]> {
    return this.#records.read
      .selectFrom('kms_key')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  listAliases(
    account: AccountId,
    region: Region,
    keyId: string | undefined,
    after: string,
    limit: number,
  ): Promise<AliasRecord[]> {
    let query = this.#records.read
      .selectFrom('kms_alias')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region)
      .where('name', '>', after);
    if (keyId !== undefined) query = query.where('key_id', '=', keyId);
    return query.orderBy('name').limit(limit).execute();
  }

  /** Destroys the keys whose waiting period is over, with all their material. Returns how many. */
  async purgeDueKeys(now: number): Promise<number> {
    const due = await this.#records.read.selectFrom('kms_key').select('id').where('deletion_at', '<=', now).execute();
    if (due.length === 0) return 0;
    await this.write((transaction) =>
      transaction
        .deleteFrom('kms_key')
        .where(
          'id',
          'in',
          due.map((key) => key.id),
        )
        .where('deletion_at', '<=', now)
        .execute(),
    );
    return due.length;
  }

  /** Removes every key of an account. */
  async purgeAccount(account: AccountId): Promise<void> {
    await this.write((transaction) => transaction.deleteFrom('kms_key').where('account', '=', account).execute());
  }

  /** Every material, for verification. */
  allMaterials(): Promise<MaterialRecord[]> {
    return this.#records.readUnchecked.selectFrom('kms_material').selectAll().execute();
  }
}
