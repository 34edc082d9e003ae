import type { GrantOperation } from '@aws-sdk/client-kms';
import { type Kysely, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { GrantConstraints, KeyGrant } from '#kernel/key-grant.ts';
import { GroupedCache } from '#storage/grouped-cache.ts';
import { PreparedQuery } from '#storage/prepared-query.ts';
import type { Migration, Records } from '#storage/records.ts';
import { keyArn } from './domain/key-identifier.ts';

/** The key that a grant is on. */
interface GrantedKey {
  readonly region: Region;
  readonly id: string;
}

/** Times are milliseconds since the epoch. */
export interface GrantRecord {
  readonly region: Region;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly key_id: string;
  /** The account that the key belongs to. */
  readonly account: AccountId;
  /** Null for a grant without one. */
  readonly name: string | null;
  /** The account of who made it. */
  readonly issuer: AccountId;
  /** An ARN, or the name of a service. */
  readonly grantee: string;
  /** The grantee's unique id when the grant was made; null where it has none. */
  readonly grantee_id: string | null;
  /** An ARN, or the name of a service. */
  readonly retiring: string | null;
  readonly retiring_id: string | null;
  /** Separated by spaces, in the order in which they were given. */
  readonly operations: string;
  /** JSON of `GrantConstraints`. */
  readonly constraints: string;
  /** A digest of what makes another request a retry of this one; null for a grant without a name. */
  readonly retry: string | null;
  /** The key under which its tokens are made. They are no secrets: they only name it. */
  readonly token_key: Uint8Array;
  readonly created_at: number;
}

export interface GrantTables {
  readonly kms_grant: GrantRecord;
}

export type GrantTransaction = Kysely<GrantTables>;

export const grantMigrations: readonly Migration[] = [
  {
    name: 'kms-grants-0001',
    sealedTables: ['kms_grant'],
    async up(transaction) {
      await sql`CREATE TABLE kms_grant (
        region TEXT NOT NULL, id TEXT NOT NULL, key_id TEXT NOT NULL, account TEXT NOT NULL, name TEXT,
        issuer TEXT NOT NULL, grantee TEXT NOT NULL, grantee_id TEXT, retiring TEXT, retiring_id TEXT,
        operations TEXT NOT NULL, constraints TEXT NOT NULL, retry TEXT, token_key BLOB NOT NULL,
        created_at INTEGER NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (region, id),
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_grant_key ON kms_grant (region, key_id, id)`.execute(transaction);
      await sql`CREATE INDEX kms_grant_grantee ON kms_grant (region, key_id, grantee, id)`.execute(transaction);
      await sql`CREATE INDEX kms_grant_retiring ON kms_grant (retiring, region, id)
        WHERE retiring IS NOT NULL`.execute(transaction);
      await sql`CREATE INDEX kms_grant_retry ON kms_grant (region, key_id, retry) WHERE retry IS NOT NULL`.execute(
        transaction,
      );
    },
  },
];

/** Whose grants are asked for; each member narrows the answer. */
export interface PrincipalFilter {
  /** An ARN, or the name of a service. */
  readonly name?: string;
  readonly uniqueId?: string;
}

/** Pairs of key and principal whose grants are remembered. */
const CACHED_LOOKUPS = 100_000;

/** The queries of grants. What a request needs of them is remembered until the next change of that key's grants. */
export class GrantStore {
  readonly #records: Records<GrantTables>;
  readonly #byGrantee = new GroupedCache<readonly KeyGrant[]>(CACHED_LOOKUPS);
  /** By how many names are asked for. */
  readonly #queries = new Map<number, PreparedQuery<GrantRecord>>();

  constructor(records: Records<GrantTables>) {
    this.#records = records;
  }

  /** INVARIANT: every change of a key's grants goes through here, so that the next request sees it. */
  async write<Result>(key: GrantedKey, work: (transaction: GrantTransaction) => Promise<Result>): Promise<Result> {
    try {
      return await this.#records.write(work);
    } finally {
      this.#byGrantee.forget(groupOf(key));
    }
  }

  /** Called when keys have gone, and their grants with them. */
  forgetAll(): void {
    this.#byGrantee.clear();
  }

  /** The grants on a key whose grantee is called by one of the names. */
  findFor(key: GrantedKey, grantees: readonly string[]): Promise<readonly KeyGrant[]> {
    return this.#byGrantee.get(groupOf(key), grantees.join(' '), async () => {
      if (grantees.length === 0) return [];
      const rows = await this.#query(grantees.length).all(this.#records.read, key.region, key.id, ...grantees);
      return rows.map(toKeyGrant);
    });
  }

  #query(count: number): PreparedQuery<GrantRecord> {
    let query = this.#queries.get(count);
    if (query === undefined) {
      query = new PreparedQuery(
        this.#records.read
          .selectFrom('kms_grant')
          .selectAll()
          .where('region', '=', '' as Region)
          .where('key_id', '=', '')
          .where(
            'grantee',
            'in',
            Array.from({ length: count }, () => ''),
          ),
      );
      this.#queries.set(count, query);
    }
    return query;
  }

  find(region: Region, id: string): Promise<GrantRecord | undefined> {
    return this.#records.read
      .selectFrom('kms_grant')
      .selectAll()
      .where('region', '=', region)
      .where('id', '=', id)
      .executeTakeFirst();
  }

  /** At most `limit` grants on a key, in the order of their ids, after `after`. */
  listOfKey(
    key: GrantedKey,
    filter: { readonly id?: string | undefined; readonly grantee: PrincipalFilter },
    after: string,
    limit: number,
  ): Promise<GrantRecord[]> {
    let query = this.#records.read
      .selectFrom('kms_grant')
      .selectAll()
      .where('region', '=', key.region)
      .where('key_id', '=', key.id)
      .where('id', '>', after);
    if (filter.id !== undefined) query = query.where('id', '=', filter.id);
    const { name, uniqueId } = filter.grantee;
    if (name !== undefined) query = query.where('grantee', '=', name);
    if (uniqueId !== undefined) query = query.where('grantee_id', '=', uniqueId);
    return query.orderBy('id').limit(limit).execute();
  }

  /** As `listOfKey`, of the grants on any key of a Region that a principal can retire. */
  listRetirable(region: Region, principal: PrincipalFilter, after: string, limit: number): Promise<GrantRecord[]> {
    let query = this.#records.read
      .selectFrom('kms_grant')
      .selectAll()
      .where('region', '=', region)
      .where('id', '>', after);
    if (principal.name !== undefined) query = query.where('retiring', '=', principal.name);
    if (principal.uniqueId !== undefined) query = query.where('retiring_id', '=', principal.uniqueId);
    return query.orderBy('id').limit(limit).execute();
  }
}

/** How many grants a key has. Counted by the index: the rows, and so their seals, are not read. */
export async function countGrants(transaction: GrantTransaction, { region, id }: GrantedKey): Promise<number> {
  const { rows } = await sql<{ readonly count: number }>`
    SELECT count(*) AS count FROM kms_grant INDEXED BY kms_grant_key
    WHERE region = ${region} AND key_id = ${id}`.execute(transaction);
  return Number(rows[0]?.count ?? 0);
}

export function operationsOf({ operations }: Pick<GrantRecord, 'operations'>): GrantOperation[] {
  return operations.split(' ') as GrantOperation[];
}

export function constraintsOf({ constraints }: Pick<GrantRecord, 'constraints'>): GrantConstraints {
  return JSON.parse(constraints) as GrantConstraints;
}

function toKeyGrant(row: GrantRecord): KeyGrant {
  return {
    id: row.id,
    key: keyArn({ region: row.region, account: row.account, id: row.key_id }),
    grantee: row.grantee,
    ...(row.grantee_id === null ? {} : { granteeId: row.grantee_id }),
    operations: operationsOf(row),
    constraints: constraintsOf(row),
  };
}

function groupOf({ region, id }: GrantedKey): string {
  return `${region} ${id}`;
}
