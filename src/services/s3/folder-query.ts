import { CompiledQuery } from 'kysely';
import { successorOfPrefix } from './domain/key-range.ts';
import type { FolderSearch } from './domain/listing.ts';

export type FolderTables = readonly ('s3_object' | 's3_version' | 's3_upload')[];

/**
 * A query for the first key of each folder, from `from` on, as long as one folder follows another: it ends before the first
 * key that is in none. One step through the index for each, all in one query: a thousand queries would take ten times as
 * long.
 *
 * @returns `undefined` where no text comes behind all that begin with the delimiter
 */
export function folderQuery(
  tables: FolderTables,
  bucket: string,
  { prefix, delimiter, from, end, limit }: FolderSearch,
): CompiledQuery<{ readonly key: string }> | undefined {
  const behind = successorOfPrefix(delimiter);
  if (behind === undefined) return undefined;
  // By bytes: SQLite's functions on text end at a NUL, which keys may have.
  const at = 'instr(substr(cast(step.key as blob), ?3), ?4)';
  const next = `cast(substr(cast(step.key as blob), 1, ?3 + ${at} - 2) || ?5 as text)`;
  const firstOf = (table: string, place: string) =>
    `select key from (select key from ${table} where bucket = ?1 and key >= ${place}${end === undefined ? '' : ' and key < ?7'}
      order by key limit 1)`;
  const first = (place: string) =>
    `(select key from (${tables.map((table) => firstOf(table, place)).join(' union all ')}) order by key limit 1)`;
  const sql = `with recursive step(key) as (select ${first('?2')} union all select ${first(next)} from step where ${at} > 0)
    select key from step where ${at} > 0 limit ?6`;
  const values = [bucket, from, Buffer.byteLength(prefix) + 1, Buffer.from(delimiter), behind, limit];
  return CompiledQuery.raw(sql, end === undefined ? values : [...values, end]);
}
