import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** The one name that an account may have, of which there is no second on this installation. */
interface AccountAliasRecord {
  readonly account: AccountId;
  readonly alias: string;
}

export interface AccountAliasTables {
  readonly iam_account_alias: AccountAliasRecord;
}

export const accountAliasMigration: Migration = {
  name: 'iam-0005-account-aliases',
  sealedTables: ['iam_account_alias'],
  async up(transaction) {
    await sql`CREATE TABLE iam_account_alias (
      account TEXT PRIMARY KEY REFERENCES iam_account (id) ON DELETE CASCADE, alias TEXT NOT NULL UNIQUE,
      mac BLOB NOT NULL) STRICT`.execute(transaction);
  },
};
