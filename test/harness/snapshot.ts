import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What changes by itself: the audit log, and when and how often keys were used. */
const RESTLESS_TABLES = /^(cloudtrail_|sqlite_|iam_last_use|kms_usage|kms_last_usage)/;
const RESTLESS_COLUMNS = /last_used/;

/** A digest of each table, and the names of all blobs: two that are equal mean that nothing was done. */
export function snapshotOf(dataFolder: string): Readonly<Record<string, string>> {
  const database = new DatabaseSync(join(dataFolder, 'records.db'), { readOnly: true });
  try {
    const result: Record<string, string> = {};
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    for (const { name } of tables) {
      if (typeof name !== 'string' || RESTLESS_TABLES.test(name)) continue;
      const rows = database.prepare(`SELECT * FROM "${name}"`).all().map(textOf).sort();
      result[name] = `${rows.length} rows, ${createHash('sha256').update(rows.join('\n')).digest('hex')}`;
    }
    const blobs = readdirSync(join(dataFolder, 'blobs'), { recursive: true }).map(String).sort();
    result['blobs'] = createHash('sha256').update(blobs.join('\n')).digest('hex');
    return result;
  } finally {
    database.close();
  }
}

function textOf(row: Record<string, unknown>): string {
  const entries = Object.entries(row).filter(([name]) => !RESTLESS_COLUMNS.test(name));
  return JSON.stringify(entries, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
