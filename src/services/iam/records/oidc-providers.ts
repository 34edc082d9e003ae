import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** An OpenID Connect provider that an account trusts. */
export interface OidcProviderRecord {
  readonly arn: string;
  readonly account: AccountId;
  /** The issuer: what tokens have in `iss`, scheme and all. */
  readonly issuer: string;
  /** JSON: the client ids (audiences), in the order of their coming. */
  readonly client_ids: string;
  /** JSON: SHA-1 thumbprints in hexadecimal digits. */
  readonly thumbprints: string;
  /** Milliseconds since the epoch. */
  readonly created_at: number;
}

export interface OidcProviderTables {
  readonly iam_oidc_provider: OidcProviderRecord;
}

export const oidcProviderMigration: Migration = {
  name: 'iam-oidc-providers',
  sealedTables: ['iam_oidc_provider'],
  async up(transaction) {
    await sql`CREATE TABLE iam_oidc_provider (
      arn TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, issuer TEXT NOT NULL,
      client_ids TEXT NOT NULL, thumbprints TEXT NOT NULL, created_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
      transaction,
    );
    await sql`CREATE INDEX iam_oidc_provider_account ON iam_oidc_provider (account)`.execute(transaction);
  },
};
