import type { SortByType, SortOrderType } from '@aws-sdk/client-secrets-manager';
import { type Kysely, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { SecretFilter } from './domain/list-filter.ts';
import { decodePosition, type Position } from './domain/page-token.ts';
import { isGone } from './secrets.ts';
import type { SecretRow, SecretStore, SecretsTables } from './store.ts';

/** Rows that are read and checked before other requests get their turn. */
const READ_AT_ONCE = 200;

const COLUMNS = {
  'created-date': 'created_at',
  'last-changed-date': 'changed_at',
  'last-accessed-date': 'accessed_at',
  name: 'name',
} as const satisfies Record<SortByType, keyof SecretRow>;

type SortColumn = (typeof COLUMNS)[SortByType];

/** Which secrets of an account are listed, and in which order. */
export interface ListQuery {
  readonly account: AccountId;
  readonly region: Region;
  readonly now: number;
  readonly isDeletedWanted: boolean;
  readonly fits: SecretFilter;
  readonly column: SortColumn;
  readonly direction: SortOrderType;
  readonly after: Position | undefined;
}

/** @throws ServiceError InvalidNextTokenException */
export function readListQuery(
  parts: Omit<ListQuery, 'column' | 'direction' | 'after'> & {
    readonly sortBy: SortByType;
    readonly sortOrder: SortOrderType;
    readonly token: string | undefined;
  },
): ListQuery {
  const { sortBy, sortOrder, token, ...rest } = parts;
  const query = { ...rest, column: COLUMNS[sortBy], direction: sortOrder };
  return { ...query, after: decodePosition(token, orderOf(query)) };
}

/** @returns a page of secrets that fit, and where the next one begins */
export async function listPage(
  store: SecretStore,
  query: ListQuery,
  limit: number,
): Promise<{ readonly rows: readonly SecretRow[]; readonly next: Position | undefined }> {
  const rows: SecretRow[] = [];
  let after = query.after;
  for (;;) {
    const read = await readAfter(store.read, query, after);
    for (const row of read) {
      const isListed = (query.isDeletedWanted || row.purge_at === null) && !isGone(row, query.now) && query.fits(row);
      if (isListed) {
        if (rows.length === limit) {
          const last = rows.at(-1);
          return { rows, next: last === undefined ? undefined : positionOf(last, query) };
        }
        rows.push(row);
      }
      after = positionOf(row, query);
    }
    if (read.length < READ_AT_ONCE) return { rows, next: undefined };
  }
}

async function readAfter(
  queries: Kysely<SecretsTables>,
  { account, region, column, direction }: ListQuery,
  after: Position | undefined,
): Promise<SecretRow[]> {
  // What was never accessed stands before everything that was.
  const key = column === 'accessed_at' ? sql<number>`coalesce(accessed_at, 0)` : sql.ref<string | number>(column);
  const comparison = direction === 'asc' ? '>' : '<';
  let query = queries
    .selectFrom('secrets_manager_secret')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region);
  if (after !== undefined) {
    query = query.where((where) =>
      where.or([
        where(key, comparison, after.value),
        where.and([where(key, '=', after.value), where('id', comparison, after.id)]),
      ]),
    );
  }
  return query.orderBy(key, direction).orderBy('id', direction).limit(READ_AT_ONCE).execute();
}

function positionOf(row: SecretRow, query: Pick<ListQuery, 'column' | 'direction'>): Position {
  return { order: orderOf(query), value: row[query.column] ?? 0, id: row.id };
}

function orderOf({ column, direction }: Pick<ListQuery, 'column' | 'direction'>): string {
  return `secrets ${column} ${direction}`;
}
