import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** A SAML identity provider that an account trusts. Times are milliseconds since the epoch. */
export interface SamlProviderRecord {
  readonly arn: string;
  readonly account: AccountId;
  readonly name: string;
  /** As GetSAMLProvider tells it: ASP…. */
  readonly unique_id: string;
  readonly metadata: string;
  readonly created_at: number;
  readonly valid_until: number;
}

export interface SamlProviderTables {
  readonly iam_saml_provider: SamlProviderRecord;
}

export const samlProviderMigration: Migration = {
  name: 'iam-saml-providers',
  sealedTables: ['iam_saml_provider'],
  async up(transaction) {
    await sql`CREATE TABLE iam_saml_provider (
      arn TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, name TEXT NOT NULL,
      unique_id TEXT NOT NULL, metadata TEXT NOT NULL, created_at INTEGER NOT NULL, valid_until INTEGER NOT NULL,
      mac BLOB NOT NULL) STRICT`.execute(transaction);
    await sql`CREATE INDEX iam_saml_provider_account ON iam_saml_provider (account)`.execute(transaction);
  },
};
