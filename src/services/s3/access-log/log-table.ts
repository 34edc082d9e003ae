import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';

/** Lines of the access log of a bucket that have yet to be delivered. */
export interface AccessLogRow {
  readonly number: number;
  /** The bucket on which the requests were. */
  readonly bucket: string;
  /** Of the requests, in UTC: `2026-01-31`. */
  readonly day: string;
  /** Milliseconds since the epoch: when they were written. */
  readonly time: number;
  /** Characters of `lines`. */
  readonly length: number;
  readonly lines: string;
}

export const accessLogMigrations: readonly Migration[] = [
  {
    name: 's3-access-log-0001-lines',
    sealedTables: ['s3_access_log'],
    async up(transaction) {
      await sql`CREATE TABLE s3_access_log (
        number INTEGER PRIMARY KEY, bucket TEXT NOT NULL, day TEXT NOT NULL, time INTEGER NOT NULL,
        length INTEGER NOT NULL, lines TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX s3_access_log_bucket ON s3_access_log (bucket, number)`.execute(transaction);
    },
  },
];
