import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';
import { YEAR_IN_DAYS, nextRotation } from './domain/rotation-schedule.ts';
import type { KmsTables } from './tables.ts';

/** What KMS keeps of materials beside their bytes: rotations, imports, multi-Region keys, destroyed keys. */
export const kmsMaterialMigrations: readonly Migration[] = [
  {
    name: 'kms-material-0001-rotations',
    sealedTables: ['kms_material_history', 'kms_rotation_schedule'],
    async up(transaction) {
      await sql`CREATE TABLE kms_material_history (
        region TEXT NOT NULL, key_id TEXT NOT NULL, material_id TEXT NOT NULL, position INTEGER NOT NULL,
        is_pending INTEGER NOT NULL, rotated_at INTEGER, rotation_type TEXT, description TEXT, expiration_model TEXT,
        valid_to INTEGER, mac BLOB NOT NULL, PRIMARY KEY (region, key_id, material_id),
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_material_history_end ON kms_material_history (valid_to)
        WHERE valid_to IS NOT NULL`.execute(transaction);
      await sql`CREATE TABLE kms_rotation_schedule (
        region TEXT NOT NULL, key_id TEXT NOT NULL, period_days INTEGER NOT NULL, next_at INTEGER NOT NULL,
        mac BLOB NOT NULL, PRIMARY KEY (region, key_id),
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_rotation_schedule_next ON kms_rotation_schedule (next_at)`.execute(transaction);
    },
  },
  {
    // A step of its own: rows are sealed when their tables are known.
    name: 'kms-material-0002-managed-keys',
    async up(transaction) {
      const tables = transaction as Kysely<KmsTables>;
      const managed = await tables.selectFrom('kms_key').selectAll().where('manager', '=', 'AWS').execute();
      for (const { region, id, created_at } of managed) {
        const row = { region, key_id: id, period_days: YEAR_IN_DAYS, next_at: nextRotation(created_at, YEAR_IN_DAYS) };
        await tables.insertInto('kms_rotation_schedule').values(row).execute();
      }
    },
  },
  {
    name: 'kms-material-0003-imports',
    sealedTables: ['kms_import_parameters'],
    async up(transaction) {
      await sql`CREATE TABLE kms_import_parameters (
        id TEXT PRIMARY KEY, region TEXT NOT NULL, key_id TEXT NOT NULL, algorithm TEXT NOT NULL, sealed BLOB,
        expires_at INTEGER NOT NULL, mac BLOB NOT NULL,
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_import_parameters_key ON kms_import_parameters (region, key_id)`.execute(transaction);
      await sql`CREATE INDEX kms_import_parameters_end ON kms_import_parameters (expires_at)`.execute(transaction);
    },
  },
  {
    name: 'kms-material-0004-multi-region',
    sealedTables: ['kms_waiting_primary'],
    async up(transaction) {
      await sql`CREATE TABLE kms_waiting_primary (
        region TEXT NOT NULL, key_id TEXT NOT NULL, window_days INTEGER NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (region, key_id),
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
    },
  },
];
