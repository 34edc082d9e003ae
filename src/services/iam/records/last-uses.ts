import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** When an access key or a role was last used, and for what. */
export interface LastUseRecord {
  /** The key's id, or the role's. */
  readonly subject: string;
  readonly account: AccountId;
  /** As policies begin with it: `s3`. */
  readonly service: string;
  readonly region: string;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly last_used_at: number;
}

export interface LastUseTables {
  readonly iam_last_use: LastUseRecord;
}

export const lastUseMigration: Migration = {
  name: 'iam-0003-last-uses',
  sealedTables: ['iam_last_use'],
  async up(transaction) {
    await sql`CREATE TABLE iam_last_use (
      subject TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE,
      service TEXT NOT NULL, region TEXT NOT NULL, last_used_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
      transaction,
    );
    await sql`CREATE INDEX iam_last_use_account ON iam_last_use (account)`.execute(transaction);
  },
};
