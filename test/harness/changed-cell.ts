import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { changed } from './changed-value.ts';

export function columnsOf(database: string, table: string): string[] {
  return withDatabase(database, (opened) =>
    opened
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(table)
      .map((row) => String(row['name'])),
  );
}

/** Writes another value into one column of one row, past the server. */
export function changeCell(database: string, table: string, where: string, column: string): void {
  withDatabase(database, (opened) => {
    const row = opened.prepare(`SELECT "${column}" AS value FROM "${table}" WHERE ${where}`).get();
    assert.ok(row, `${table} has such a row`);
    const isNumber = /INT/.test(
      String(opened.prepare('SELECT type FROM pragma_table_info(?) WHERE name = ?').get(table, column)?.['type']),
    );
    const update = opened.prepare(`UPDATE "${table}" SET "${column}" = ? WHERE ${where}`);
    assert.equal(update.run(changed(row['value'], isNumber)).changes, 1, `${table} where ${where}`);
  });
}

export function withDatabase<Result>(database: string, work: (opened: DatabaseSync) => Result): Result {
  const opened = new DatabaseSync(database, { enableForeignKeyConstraints: false });
  try {
    return work(opened);
  } finally {
    opened.close();
  }
}
