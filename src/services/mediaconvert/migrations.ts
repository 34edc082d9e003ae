import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';

export const mediaconvertMigrations: readonly Migration[] = [
  {
    name: 'mediaconvert-0001-jobs-and-resources',
    sealedTables: ['mediaconvert_job', 'mediaconvert_resource'],
    async up(transaction) {
      // What versions before the first release have made.
      await sql`DROP TABLE IF EXISTS mediaconvert_job`.execute(transaction);
      await sql`CREATE TABLE mediaconvert_job (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        status TEXT NOT NULL,
        phase TEXT,
        percent INTEGER,
        priority INTEGER NOT NULL,
        queue TEXT NOT NULL,
        current_queue TEXT NOT NULL,
        current_priority INTEGER NOT NULL,
        hop_at BIGINT,
        hops TEXT NOT NULL,
        transitions TEXT NOT NULL,
        role TEXT NOT NULL,
        request BLOB NOT NULL,
        client_token TEXT,
        tags TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        started_at BIGINT,
        finished_at BIGINT,
        error_code INTEGER,
        error_message TEXT,
        output_details TEXT,
        warnings TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        lease_owner TEXT,
        lease_until BIGINT,
        mac BLOB NOT NULL
      )`.execute(transaction);
      await sql`CREATE INDEX mediaconvert_job_list ON mediaconvert_job (account, region, created_at, id)`.execute(
        transaction,
      );
      await sql`CREATE INDEX mediaconvert_job_work
        ON mediaconvert_job (status, account, region, current_queue, current_priority, created_at)`.execute(
        transaction,
      );
      await sql`CREATE TABLE mediaconvert_resource (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        category TEXT,
        tags TEXT NOT NULL,
        document BLOB NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        mac BLOB NOT NULL,
        PRIMARY KEY (account, region, kind, name)
      )`.execute(transaction);
    },
  },
  {
    name: 'mediaconvert-0002-shares',
    reshapedTables: ['mediaconvert_job'],
    async up(transaction) {
      await sql`ALTER TABLE mediaconvert_job ADD COLUMN course TEXT`.execute(transaction);
      await sql`ALTER TABLE mediaconvert_job ADD COLUMN shares BLOB`.execute(transaction);
    },
  },
];
