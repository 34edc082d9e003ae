import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';
import { listingIndexes } from './listed-facts.ts';

export const s3Migrations: readonly Migration[] = [
  {
    name: 's3-0001-buckets-and-objects',
    async up(transaction) {
      await sql`CREATE TABLE s3_bucket (
        name TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, created_at INTEGER NOT NULL, policy TEXT,
        encryption TEXT, tags TEXT, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX s3_bucket_account ON s3_bucket (account, name)`.execute(transaction);
      // The body comes last: a listing then never reads the pages on which it lies.
      await sql`CREATE TABLE s3_object (
        bucket TEXT NOT NULL REFERENCES s3_bucket (name), key TEXT NOT NULL, id TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, modified_at INTEGER NOT NULL, facts TEXT NOT NULL, mac BLOB NOT NULL, parts TEXT, body BLOB,
        PRIMARY KEY (bucket, key)) STRICT`.execute(transaction);
      await sql`CREATE TABLE s3_upload (
        id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES s3_bucket (name), key TEXT NOT NULL,
        object_id TEXT NOT NULL, initiated_at INTEGER NOT NULL, facts TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
        transaction,
      );
      await sql`CREATE INDEX s3_upload_key ON s3_upload (bucket, key, id)`.execute(transaction);
      await sql`CREATE TABLE s3_part (
        upload TEXT NOT NULL REFERENCES s3_upload (id) ON DELETE CASCADE, number INTEGER NOT NULL, facts TEXT NOT NULL,
        modified_at INTEGER NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (upload, number)) STRICT`.execute(transaction);
      await sql`CREATE TABLE s3_master_key (
        id TEXT PRIMARY KEY, sealed BLOB NOT NULL, created_at INTEGER NOT NULL) STRICT`.execute(transaction);
    },
  },
  {
    name: 's3-0002-versions',
    async up(transaction) {
      await sql`ALTER TABLE s3_bucket ADD COLUMN settings TEXT`.execute(transaction);
      // Versions that are not current, and delete markers. The newest of a key has the lowest rank.
      await sql`CREATE TABLE s3_version (
        bucket TEXT NOT NULL REFERENCES s3_bucket (name), key TEXT NOT NULL, rank INTEGER NOT NULL, version TEXT NOT NULL,
        id TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified_at INTEGER NOT NULL, facts TEXT NOT NULL,
        mac BLOB NOT NULL, parts TEXT, body BLOB, PRIMARY KEY (bucket, key, rank)) STRICT`.execute(transaction);
      await sql`CREATE UNIQUE INDEX s3_version_name ON s3_version (bucket, key, version)`.execute(transaction);
    },
  },
  listingIndexes,
];
