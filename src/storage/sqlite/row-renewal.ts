import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { sealedPrefix } from '#crypto/root-secret.ts';
import type { RootSealedColumn, RowRenewal, TableRenewal } from '../root-sealed-column.ts';
import { type ColumnValue, SEAL_COLUMN } from '../row-seal.ts';
import type { SealedTables } from './sealed-tables.ts';

/** Rows of one transaction: a few milliseconds, in which others wait. */
const ROWS_OF_ONE_COMMIT = 100;

const SEALED_PREFIX_LENGTH = 9;
const ROWS_OF_ONE_TURN = 500;

/** Blobs that are contents of objects and fragments: they may be long, and are never sealed under the root key itself. */
const CONTENT_COLUMNS: ReadonlySet<string> = new Set(['body']);

/** What one piece of a walk did. */
export interface RenewedRows {
  readonly rows: number;
  readonly renewed: number;
  readonly damaged: number;
  /** The primary key where the next piece begins; absent at the table's end. */
  readonly next?: readonly SQLInputValue[];
}

/** Every table with rows or columns that depend on the root key, and how its rows are renewed. */
export function renewalsOf(
  sealed: SealedTables,
  columns: readonly RootSealedColumn[],
  rootKey: RootKey,
): readonly TableRenewal[] {
  const byTable = Map.groupBy(columns, ({ table }) => table);
  const ofSealedTables = sealed.all().map((table): TableRenewal => {
    const own = byTable.get(table.name) ?? [];
    byTable.delete(table.name);
    return {
      table: table.name,
      isExact: true,
      renew(row) {
        const renewal = renewColumns(own, row, rootKey);
        const mac = sealed.renew(table, row as Readonly<Record<string, ColumnValue>>, renewal.changes);
        if (mac === 'damaged') return { ...renewal, isDamaged: true };
        return mac === undefined ? renewal : { ...renewal, changes: { ...renewal.changes, [SEAL_COLUMN]: mac } };
      },
    };
  });
  const ofOthers = [...byTable].map(
    ([table, own]): TableRenewal => ({
      table,
      isExact: true,
      renew: (row) => renewColumns(own, row, rootKey),
    }),
  );
  return [...ofSealedTables, ...ofOthers];
}

function renewColumns(
  columns: readonly RootSealedColumn[],
  row: Readonly<Record<string, unknown>>,
  rootKey: RootKey,
): RowRenewal {
  const changes: Record<string, Uint8Array | null> = {};
  let isDamaged = false;
  for (const place of columns) {
    const { column } = place;
    const value = row[column];
    if (!(value instanceof Uint8Array)) continue;
    if (place.isGivenUp?.(value) === true) {
      changes[column] = null;
      continue;
    }
    try {
      const resealed = rootKey.reseal(value, place.contextOf(row));
      if (resealed !== undefined) changes[column] = resealed;
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      isDamaged = true;
    }
  }
  return { changes, isDamaged };
}

/** Renews some rows of a table, from a primary key on. Called within a transaction of `writer`. */
export function renewSome(
  writer: DatabaseSync,
  renewal: TableRenewal,
  after: readonly SQLInputValue[] | undefined,
): RenewedRows {
  const { table, isExact } = renewal;
  const key = primaryKeyOf(writer, table);
  const names = key.map((name) => `"${name}"`).join();
  const marks = key.map(() => '?').join();
  const columns = columnsOf(writer, table)
    .filter((name) => renewal.skips?.includes(name) !== true)
    .map((name) => `"${name}"`)
    .join();
  const read = writer.prepare(
    `SELECT ${columns} FROM "${table}" ${after === undefined ? '' : `WHERE (${names}) > (${marks})`} ` +
      `ORDER BY ${names} LIMIT ${ROWS_OF_ONE_COMMIT}`,
  );
  read.setReadBigInts(isExact);
  const updates = new Map<string, StatementSync>();
  let renewed = 0;
  let damaged = 0;
  const found = read.all(...(after ?? []));
  for (const row of found) {
    const { changes, isDamaged } = renewal.renew(row);
    if (isDamaged) damaged += 1;
    const changed = Object.entries(changes);
    if (changed.length === 0) continue;
    const assignments = changed.map(([name]) => `"${name}" = ?`).join();
    let update = updates.get(assignments);
    if (update === undefined) {
      update = writer.prepare(`UPDATE "${table}" SET ${assignments} WHERE (${names}) = (${marks})`);
      updates.set(assignments, update);
    }
    update.run(...changed.map(([, value]) => value), ...key.map((name) => row[name] ?? null));
    renewed += 1;
  }
  const last = found.length < ROWS_OF_ONE_COMMIT ? undefined : found.at(-1);
  return {
    rows: found.length,
    renewed,
    damaged,
    ...(last !== undefined && { next: key.map((name) => last[name] ?? null) }),
  };
}

/**
 * The columns, beside those that are known, in which something lies that is sealed under the secret of this id; and
 * seals of rows that were not renewed.
 *
 * @param renewed the tables through which the walk went
 * INVARIANT: a root key is not given up while this finds anything.
 */
export async function findSealedElsewhere(
  database: DatabaseSync,
  known: readonly RootSealedColumn[],
  renewed: ReadonlySet<string>,
  id: string,
): Promise<readonly string[]> {
  const prefix = sealedPrefix(id);
  const places = tablesWithSeals(database)
    .filter((table) => !renewed.has(table))
    .map((table) => `${table}.${SEAL_COLUMN}`);
  for (const { table, column } of blobColumnsOf(database)) {
    if (known.some((other) => other.table === table && other.column === column)) continue;
    const heads = database.prepare(
      `SELECT substr("${column}", 1, ${SEALED_PREFIX_LENGTH}) AS head FROM "${table}" WHERE "${column}" IS NOT NULL`,
    );
    let rows = 0;
    for (const { head } of heads.iterate()) {
      if (head instanceof Uint8Array && prefix.equals(head)) {
        places.push(`${table}.${column}`);
        break;
      }
      rows += 1;
      if (rows % ROWS_OF_ONE_TURN === 0) await new Promise(setImmediate);
    }
  }
  return places;
}

function tablesWithSeals(database: DatabaseSync): readonly string[] {
  return database
    .prepare(
      `SELECT m.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' AND c.name = ?`,
    )
    .all(SEAL_COLUMN)
    .map((row) => String(row['name']));
}

/** How many texts of a column are sealed under which secret: id → count; under the empty id those that name none. */
export function countSealed(database: DatabaseSync, { table, column }: RootSealedColumn): ReadonlyMap<string, number> {
  const counts = database
    .prepare(
      `SELECT CASE substr("${column}", 1, 1) WHEN X'02' THEN lower(hex(substr("${column}", 2, 8))) ELSE '' END AS id,
       count(*) AS n FROM "${table}" WHERE "${column}" IS NOT NULL GROUP BY 1`,
    )
    .all();
  return new Map(counts.map(({ id, n }) => [String(id), Number(n)]));
}

function blobColumnsOf(database: DatabaseSync): { readonly table: string; readonly column: string }[] {
  return database
    .prepare(
      `SELECT m.name AS "table", c.name AS "column" FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
       WHERE m.type = 'table' AND c.type = 'BLOB'`,
    )
    .all()
    .map((row) => ({ table: String(row['table']), column: String(row['column']) }))
    .filter(({ column }) => column !== SEAL_COLUMN && !CONTENT_COLUMNS.has(column));
}

function columnsOf(database: DatabaseSync, table: string): readonly string[] {
  return database
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map((row) => String(row['name']));
}

function primaryKeyOf(database: DatabaseSync, table: string): readonly string[] {
  const key = database
    .prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk')
    .all(table)
    .map((row) => String(row['name']));
  if (key.length === 0) throw new Error(`The table ${table} has no primary key.`);
  return key;
}
