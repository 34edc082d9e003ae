import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** What an account has set for all of its buckets. */
export interface AccountRow {
  readonly account: AccountId;
  /** `PublicAccessBlock` in JSON. */
  readonly public_access_block: string;
}

export const accountMigrations: readonly Migration[] = [
  {
    name: 's3-account-0001-public-access-block',
    sealedTables: ['s3_account'],
    async up(transaction) {
      await sql`CREATE TABLE s3_account (
        account TEXT PRIMARY KEY, public_access_block TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
    },
  },
];
