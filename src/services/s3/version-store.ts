import { CompiledQuery } from 'kysely';
import type { Records } from '#storage/records.ts';
import { LISTED_FACTS } from './listed-facts.ts';
import type { ListedRow, S3Tables, S3Transaction, VersionRow } from './store.ts';

/** A row of a listing of versions: of the current object, or of `s3_version`. */
export interface ListedVersion extends ListedRow {
  readonly rank: number;
}

/** The rank that listings give the current version of a key: before all others. */
const CURRENT_RANK = Number.MIN_SAFE_INTEGER;

const MOVE = `insert into s3_version (bucket, key, rank, version, id, size, etag, modified_at, facts, mac, parts, body)
  select bucket, key, ?, ?, id, size, etag, modified_at, facts, ?, parts, body from s3_object
  where bucket = ? and key = ?`;
const PROMOTE = `insert into s3_object (bucket, key, id, size, etag, modified_at, facts, mac, parts, body)
  select bucket, key, id, size, etag, modified_at, facts, ?, parts, body from s3_version
  where bucket = ? and key = ? and rank = ?`;

/** The queries on versions that are not current, and on delete markers. */
export class VersionStore {
  readonly #records: Records<S3Tables>;

  constructor(records: Records<S3Tables>) {
    this.#records = records;
  }

  /** By its id, or `null`. */
  find(bucket: string, key: string, version: string): Promise<VersionRow | undefined> {
    return this.#records.read
      .selectFrom('s3_version')
      .selectAll()
      .where('bucket', '=', bucket)
      .where('key', '=', key)
      .where('version', '=', version)
      .executeTakeFirst();
  }

  /** The newest of those that are not current; without a current object it is a delete marker. */
  findNewest(bucket: string, key: string): Promise<VersionRow | undefined> {
    return this.#records.read
      .selectFrom('s3_version')
      .selectAll()
      .where('bucket', '=', bucket)
      .where('key', '=', key)
      .orderBy('rank')
      .limit(1)
      .executeTakeFirst();
  }

  /**
   * Up to `limit` versions and delete markers in the order of keys, the newest of a key first.
   *
   * @param from.rank goes on behind this version of `from.key`
   * @param facts all that their records have, or what listings tell
   */
  async list(
    bucket: string,
    from: { readonly key: string; readonly isInclusive: boolean; readonly rank?: number | undefined },
    end: string | undefined,
    limit: number,
    facts: 'whole' | 'listed',
  ): Promise<readonly ListedVersion[]> {
    const before = end === undefined ? '' : ' and key < ?';
    const last = end === undefined ? [] : [end];
    const [objects, versions]: readonly [string, string] =
      from.rank === undefined
        ? from.isInclusive
          ? ['key >= ?', 'key >= ?']
          : ['key > ?', 'key > ?']
        : ['key > ?', '(key, rank) > (?, ?)'];
    const isWhole = facts === 'whole';
    const columns = `size, etag, modified_at, ${isWhole ? 'facts' : `${LISTED_FACTS} as facts`}`;
    const table = (name: string) => (isWhole ? name : `${name} indexed by ${name}_listing`);
    const sql = `select key, ${CURRENT_RANK} as rank, ${columns} from ${table('s3_object')} where bucket = ? and ${objects}${before}
      union all select key, rank, ${columns} from ${table('s3_version')} where bucket = ? and ${versions}${before}
      order by key, rank limit ?`;
    const rank = from.rank === undefined ? [] : [from.rank];
    const values = [bucket, from.key, ...last, bucket, from.key, ...rank, ...last, limit];
    return (await this.#records.read.executeQuery<ListedVersion>(CompiledQuery.raw(sql, values))).rows;
  }

  /** The rank that listings give a version; `undefined` where there is none of that id. */
  async rankOf(bucket: string, key: string, current: string | undefined, version: string): Promise<number | undefined> {
    if (current === version) return CURRENT_RANK;
    return (await this.find(bucket, key, version))?.rank;
  }

  /** Versions after a place; of `bucket` alone, where it is given: then the place is in it. */
  async after(
    place: { readonly bucket: string; readonly key: string; readonly rank: number },
    bucket: string | undefined,
    limit: number,
  ): Promise<VersionRow[]> {
    // As rows of values, which an index can begin at; `or` would look at everything before.
    const [begin, values] =
      bucket === undefined
        ? ['(bucket, key, rank) > (?, ?, ?)', [place.bucket, place.key, place.rank]]
        : ['bucket = ? and (key, rank) > (?, ?)', [bucket, place.key, place.rank]];
    const sql = `select * from s3_version where ${begin} order by bucket, key, rank limit ?`;
    return (await this.#records.read.executeQuery<VersionRow>(CompiledQuery.raw(sql, [...values, limit]))).rows;
  }
}

/** Makes the current object one of the versions that are not. */
export async function moveToVersions(
  transaction: S3Transaction,
  place: Pick<VersionRow, 'bucket' | 'key' | 'rank' | 'version' | 'mac'>,
): Promise<void> {
  const { bucket, key, rank, version, mac } = place;
  await transaction.executeQuery(CompiledQuery.raw(MOVE, [rank, version, mac, bucket, key]));
  await transaction.deleteFrom('s3_object').where('bucket', '=', bucket).where('key', '=', key).execute();
}

/** Makes a version the current object of its key, where there is none. */
export async function promote(
  transaction: S3Transaction,
  place: Pick<VersionRow, 'bucket' | 'key' | 'rank' | 'mac'>,
): Promise<void> {
  await transaction.executeQuery(CompiledQuery.raw(PROMOTE, [place.mac, place.bucket, place.key, place.rank]));
  await removeVersion(transaction, place);
}

export async function removeVersion(
  transaction: S3Transaction,
  { bucket, key, rank }: Pick<VersionRow, 'bucket' | 'key' | 'rank'>,
): Promise<void> {
  await transaction
    .deleteFrom('s3_version')
    .where('bucket', '=', bucket)
    .where('key', '=', key)
    .where('rank', '=', rank)
    .execute();
}

export type VersionHead = Omit<VersionRow, 'body'>;

/** The versions of a key that are not current: the newest, or the one of an id. */
export function findVersionHead(
  transaction: S3Transaction,
  bucket: string,
  key: string,
  version?: string,
): Promise<VersionHead | undefined> {
  let query = transaction
    .selectFrom('s3_version')
    .select(['bucket', 'key', 'rank', 'version', 'id', 'size', 'etag', 'modified_at', 'facts', 'mac', 'parts'])
    .where('bucket', '=', bucket)
    .where('key', '=', key);
  if (version !== undefined) query = query.where('version', '=', version);
  return query.orderBy('rank').limit(1).executeTakeFirst();
}
