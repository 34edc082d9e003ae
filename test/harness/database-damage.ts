import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';

/** One value of one row, as a vandal sees it. */
interface Cell {
  readonly table: string;
  readonly column: string;
  readonly rowid: number;
  readonly length: number;
}

export function allTables(database: DatabaseSync): string[] {
  return database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    .all()
    .map((row) => String(row['name']));
}

/** A value that differs in its last bit. */
export function changed(value: SQLOutputValue): SQLInputValue {
  if (typeof value === 'number' || typeof value === 'bigint') return value === 0 ? 1 : Number(value) + 1;
  if (typeof value === 'string') return flipBit(Buffer.from(value), Buffer.byteLength(value) - 1).toString();
  return value === null ? null : flipBit(Buffer.from(value), value.length - 1);
}

export function cellsOf(file: string, table: string, where: string): Cell[] {
  return withDatabase(file, (database) => {
    const columns = database
      .prepare(`PRAGMA table_info("${table}")`)
      .all()
      .map((row) => String(row['name']));
    return database
      .prepare(`SELECT rowid FROM "${table}" WHERE ${where}`)
      .all()
      .flatMap(({ rowid }) =>
        columns.map((column) => {
          const query = `SELECT length(CAST("${column}" AS BLOB)) AS length FROM "${table}" WHERE rowid = ?`;
          const length = Number(database.prepare(query).get(Number(rowid))?.['length'] ?? 0);
          return { table, column, rowid: Number(rowid), length };
        }),
      );
  });
}

/** Flips a bit of a random byte; adds one to a number. */
export function changeCell(file: string, { table, column, rowid, length }: Cell): void {
  withDatabase(file, (database) => {
    const value = database.prepare(`SELECT "${column}" AS value FROM "${table}" WHERE rowid = ?`).get(rowid)?.['value'];
    const position = randomBytes(4).readUInt32LE() % length;
    const update = database.prepare(`UPDATE "${table}" SET "${column}" = ? WHERE rowid = ?`);
    if (typeof value === 'number') update.run(value + 1, rowid);
    else if (typeof value === 'string') update.run(flipBit(Buffer.from(value), position).toString('latin1'), rowid);
    else if (value instanceof Uint8Array) update.run(flipBit(Buffer.from(value), position), rowid);
    else assert.fail(`${table}.${column} of row ${rowid} holds nothing to be damaged`);
  });
}

export function swapCells(
  file: string,
  table: string,
  first: string,
  second: string,
  columns: readonly string[],
): void {
  withDatabase(file, (database) => {
    const select = (where: string) => database.prepare(`SELECT ${columns.join()} FROM ${table} WHERE ${where}`).get();
    const [a, b] = [select(first), select(second)];
    assert.ok(a !== undefined && b !== undefined);
    const set = columns.map((column) => `${column} = ?`).join();
    for (const [where, row] of [
      [first, b],
      [second, a],
    ] as const) {
      const values = columns.map((column) => row[column] ?? null);
      database.prepare(`UPDATE ${table} SET ${set} WHERE ${where}`).run(...values);
    }
  });
}

export function withDatabase<Result>(file: string, work: (database: DatabaseSync) => Result): Result {
  // Damage does not care what refers to what.
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Bit 0 of a byte: a letter or digit stays one, so that texts stay texts and only what they say changes. */
export function flipBit(bytes: Buffer, position: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[position] = (flipped[position] ?? 0) ^ 1;
  return flipped;
}
