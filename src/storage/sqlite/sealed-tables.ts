import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { type ColumnValue, RowDamageError, type RowSeal, SEAL_COLUMN } from '../row-seal.ts';

/** A table whose rows are sealed. */
export interface SealedTable {
  readonly name: string;
  /** Sorted, without the seal's. */
  readonly columns: readonly string[];
  /** The primary key's columns: they name a row. */
  readonly key: readonly string[];
}

/** A row, as `checkRows` found it. */
export interface CheckedRow {
  /** The table and the row's primary key. */
  readonly row: string;
  readonly isSound: boolean;
  /** It bears the seal of the former key, while there are two. */
  readonly isFormer: boolean;
}

/** `row_seal_check(table, column…, mac)`: fails the query unless the row is sealed. */
export const CHECK_FUNCTION = 'row_seal_check';

/** `row_seal_renew(table, old column…, old mac, new column…)`: the new seal of a row that bears its old one. */
export const RENEW_FUNCTION = 'row_seal_renew';

const SHOWN_KEY_LENGTH = 120;

/** Knows the tables with sealed rows, and lets a connection check and renew their seals. */
export class SealedTables {
  readonly #seal: RowSeal;
  readonly #tables = new Map<string, SealedTable>();

  constructor(seal: RowSeal) {
    this.#seal = seal;
  }

  find(table: string): SealedTable | undefined {
    return this.#tables.get(table);
  }

  all(): readonly SealedTable[] {
    return [...this.#tables.values()];
  }

  /** Reads a table's columns. INVARIANT: which tables are sealed is said by the code, never by the database. */
  add(database: DatabaseSync, name: string): void {
    const found = database.prepare('SELECT name, pk FROM pragma_table_info(?)').all(name);
    const names = found.map((row) => String(row['name']));
    if (!names.includes(SEAL_COLUMN)) throw new Error(`The table ${name} has no column for its rows' seals.`);
    const columns = names.filter((column) => column !== SEAL_COLUMN).toSorted();
    const key = found.filter((row) => Number(row['pk']) > 0).map((row) => String(row['name']));
    this.#tables.set(name, { name, columns, key });
  }

  /** The table is no more. */
  drop(name: string): void {
    this.#tables.delete(name);
  }

  sealRow(table: SealedTable, values: readonly ColumnValue[]): Buffer {
    return this.#seal.seal(table.name, table.columns, values);
  }

  /** Gives a connection the functions that sealed tables' queries call. */
  register(database: DatabaseSync): void {
    // INVARIANT: called from queries alone. A trigger or view that was put into the file cannot have anything sealed.
    const options = { varargs: true, useBigIntArguments: true, directOnly: true } as const;
    database.function(CHECK_FUNCTION, options, (name: SQLInputValue, ...row: SQLInputValue[]) => {
      const table = this.#require(name);
      const [values, mac] = split(row, table.columns.length);
      this.#check(table, values, mac[0] ?? null);
      return 1;
    });
    database.function(RENEW_FUNCTION, options, (name: SQLInputValue, ...rows: SQLInputValue[]) => {
      const table = this.#require(name);
      const [values, rest] = split(rows, table.columns.length);
      const [mac = null, ...changed] = rest;
      this.#check(table, values, mac);
      return this.sealRow(table, changed);
    });
  }

  /** Every row of every sealed table, whatever its state. */
  *checkRows(database: DatabaseSync): Generator<CheckedRow> {
    for (const table of this.#tables.values()) yield* this.#checkRowsOf(database, table);
  }

  /** @throws RowDamageError when a row of the table does not bear its seal */
  requireSound(database: DatabaseSync, name: string): void {
    for (const { row, isSound } of this.#checkRowsOf(database, this.#require(name))) {
      if (!isSound) throw new RowDamageError(row);
    }
  }

  /** Seals all rows of a table, whatever seal they bear. INVARIANT: called when a migration gave it other columns alone. */
  sealAgain(database: DatabaseSync, name: string): void {
    const table = this.#require(name);
    const isRow = table.key.map((column) => `"${column}" = ?`).join(' AND ');
    const renew = database.prepare(`UPDATE "${name}" SET "${SEAL_COLUMN}" = ? WHERE ${isRow}`);
    const read = database.prepare(`SELECT * FROM "${name}" WHERE ${isRow}`);
    read.setReadBigInts(true);
    const columns = table.key.map((column) => `"${column}"`).join();
    for (const found of database.prepare(`SELECT ${columns} FROM "${name}"`).all()) {
      const key = table.key.map((column) => found[column] ?? null);
      const row = read.get(...key) ?? {};
      const values = table.columns.map((column) => asColumnValue(row[column]));
      renew.run(this.sealRow(table, values), ...key);
    }
  }

  /**
   * The seal of a row with some columns changed, under the present key.
   *
   * @param row all of its columns, the seal's too
   * @returns `undefined` where the row bears it already, `damaged` where it bears no seal
   */
  renew(
    table: SealedTable,
    row: Readonly<Record<string, ColumnValue>>,
    changes: Readonly<Record<string, ColumnValue>>,
  ): Buffer | 'damaged' | undefined {
    const values = table.columns.map((column) => row[column] ?? null);
    const found = this.#seal.check(table.name, table.columns, values, row[SEAL_COLUMN] ?? null);
    if (found === undefined) return 'damaged';
    if (found === 'present' && Object.keys(changes).length === 0) return undefined;
    const changed = table.columns.map((column, index) => changes[column] ?? (column in changes ? null : values[index]));
    return this.sealRow(
      table,
      changed.map((value) => value ?? null),
    );
  }

  *#checkRowsOf(database: DatabaseSync, table: SealedTable): Generator<CheckedRow> {
    const columns = [...table.columns, SEAL_COLUMN].map((column) => `"${column}"`).join();
    const statement = database.prepare(`SELECT ${columns} FROM "${table.name}"`);
    statement.setReadBigInts(true);
    for (const row of statement.iterate()) {
      const values = table.columns.map((column) => asColumnValue(row[column]));
      const found = this.#seal.check(table.name, table.columns, values, asColumnValue(row[SEAL_COLUMN]));
      yield { row: nameOf(table, values), isSound: found !== undefined, isFormer: found === 'former' };
    }
  }

  #check(table: SealedTable, values: readonly ColumnValue[], mac: ColumnValue): void {
    // No row at all, on the far side of an outer join. A row that is there has a primary key.
    if (mac === null && values.every((value) => value === null)) return;
    if (this.#seal.isSealed(table.name, table.columns, values, mac)) return;
    throw new RowDamageError(nameOf(table, values));
  }

  #require(name: SQLInputValue | undefined): SealedTable {
    const table = typeof name === 'string' ? this.#tables.get(name) : undefined;
    if (table === undefined) throw new TypeError('A seal was asked for in a table whose rows are not sealed.');
    return table;
  }
}

function nameOf(table: SealedTable, values: readonly ColumnValue[]): string {
  const key = table.key.map((column) => String(values[table.columns.indexOf(column)] ?? null)).join(' ');
  return `${table.name} ${key.slice(0, SHOWN_KEY_LENGTH)}`;
}

function split(row: readonly SQLInputValue[], at: number): [ColumnValue[], ColumnValue[]] {
  const values = row.map(asColumnValue);
  return [values.slice(0, at), values.slice(at)];
}

function asColumnValue(value: unknown): ColumnValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return value;
  }
  if (value instanceof Uint8Array) return value;
  throw new TypeError('SQLite has no such value.');
}
