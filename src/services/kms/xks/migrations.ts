import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';

export const customKeyStoreMigrations: readonly Migration[] = [
  {
    name: 'kms-custom-key-stores-0001',
    sealedTables: ['kms_custom_key_store', 'kms_external_key'],
    async up(transaction) {
      await sql`CREATE TABLE kms_custom_key_store (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        uri_endpoint TEXT NOT NULL, uri_path TEXT NOT NULL, access_key_id TEXT NOT NULL, sealed_secret BLOB NOT NULL,
        connection_state TEXT NOT NULL, connection_error TEXT, created_at INTEGER NOT NULL, mac BLOB NOT NULL)
        STRICT`.execute(transaction);
      await sql`CREATE UNIQUE INDEX kms_custom_key_store_name ON kms_custom_key_store (account, region, name)`.execute(
        transaction,
      );
      await sql`CREATE UNIQUE INDEX kms_custom_key_store_uri
        ON kms_custom_key_store (account, region, uri_endpoint, uri_path)`.execute(transaction);
      await sql`CREATE TABLE kms_external_key (
        region TEXT NOT NULL, key_id TEXT NOT NULL, store_id TEXT NOT NULL REFERENCES kms_custom_key_store (id),
        xks_key_id TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (region, key_id),
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`CREATE UNIQUE INDEX kms_external_key_store ON kms_external_key (store_id, xks_key_id)`.execute(
        transaction,
      );
    },
  },
];
