import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';

export const kmsMigrations: readonly Migration[] = [
  {
    name: 'kms-0001-keys',
    sealedTables: ['kms_key', 'kms_material', 'kms_alias', 'kms_tag'],
    async up(transaction) {
      await sql`CREATE TABLE kms_key (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, state TEXT NOT NULL, manager TEXT NOT NULL,
        description TEXT NOT NULL, policy TEXT NOT NULL, created_at INTEGER NOT NULL, deletion_at INTEGER,
        material_id TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_key_account ON kms_key (account, region, id)`.execute(transaction);
      await sql`CREATE INDEX kms_key_deletion ON kms_key (deletion_at) WHERE deletion_at IS NOT NULL`.execute(
        transaction,
      );
      await sql`CREATE TABLE kms_material (
        id TEXT PRIMARY KEY, key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE, sealed BLOB NOT NULL,
        created_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_material_key ON kms_material (key_id)`.execute(transaction);
      await sql`CREATE TABLE kms_alias (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (account, region, name)) STRICT`.execute(transaction);
      await sql`CREATE INDEX kms_alias_key ON kms_alias (key_id)`.execute(transaction);
      await sql`CREATE TABLE kms_tag (
        key_id TEXT NOT NULL REFERENCES kms_key (id) ON DELETE CASCADE, tag_key TEXT NOT NULL, tag_value TEXT NOT NULL,
        mac BLOB NOT NULL, PRIMARY KEY (key_id, tag_key)) STRICT`.execute(transaction);
    },
  },
  {
    name: 'kms-0002-key-kinds',
    reshapedTables: ['kms_key', 'kms_material', 'kms_alias', 'kms_tag'],
    async up(transaction) {
      await sql`CREATE TABLE kms_key_2 (
        region TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL, manager TEXT NOT NULL,
        description TEXT NOT NULL, policy TEXT NOT NULL, created_at INTEGER NOT NULL, deletion_at INTEGER,
        material_id TEXT NOT NULL, spec TEXT NOT NULL, usage TEXT NOT NULL, origin TEXT NOT NULL, multi_region TEXT,
        primary_region TEXT, mac BLOB NOT NULL, PRIMARY KEY (region, id)) STRICT`.execute(transaction);
      await sql`INSERT INTO kms_key_2 SELECT region, id, account, state, manager, description, policy, created_at,
        deletion_at, material_id, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'AWS_KMS', NULL, NULL, mac
        FROM kms_key`.execute(transaction);
      await sql`CREATE TABLE kms_material_2 (
        region TEXT NOT NULL, id TEXT NOT NULL, key_id TEXT NOT NULL, sealed BLOB NOT NULL, created_at INTEGER NOT NULL,
        mac BLOB NOT NULL, PRIMARY KEY (id, region),
        FOREIGN KEY (region, key_id) REFERENCES kms_key_2 (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`INSERT INTO kms_material_2 SELECT k.region, m.id, m.key_id, m.sealed, m.created_at, m.mac
        FROM kms_material m JOIN kms_key k ON k.id = m.key_id`.execute(transaction);
      await sql`CREATE TABLE kms_alias_2 (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, key_id TEXT NOT NULL,
        created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (account, region, name),
        FOREIGN KEY (region, key_id) REFERENCES kms_key_2 (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`INSERT INTO kms_alias_2 SELECT account, region, name, key_id, created_at, updated_at, mac
        FROM kms_alias`.execute(transaction);
      await sql`CREATE TABLE kms_tag_2 (
        region TEXT NOT NULL, key_id TEXT NOT NULL, tag_key TEXT NOT NULL, tag_value TEXT NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (region, key_id, tag_key),
        FOREIGN KEY (region, key_id) REFERENCES kms_key_2 (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`INSERT INTO kms_tag_2 SELECT k.region, t.key_id, t.tag_key, t.tag_value, t.mac
        FROM kms_tag t JOIN kms_key k ON k.id = t.key_id`.execute(transaction);
      for (const table of ['kms_material', 'kms_alias', 'kms_tag', 'kms_key']) {
        await sql`DROP TABLE ${sql.table(table)}`.execute(transaction);
        await sql`ALTER TABLE ${sql.table(`${table}_2`)} RENAME TO ${sql.table(table)}`.execute(transaction);
      }
      await sql`CREATE INDEX kms_key_account ON kms_key (account, region, id)`.execute(transaction);
      await sql`CREATE INDEX kms_key_deletion ON kms_key (deletion_at) WHERE deletion_at IS NOT NULL`.execute(
        transaction,
      );
      await sql`CREATE INDEX kms_material_key ON kms_material (region, key_id)`.execute(transaction);
      await sql`CREATE INDEX kms_alias_key ON kms_alias (region, key_id)`.execute(transaction);
    },
  },
];
