import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** Times are milliseconds since the epoch. */
export interface ServerCertificateRecord {
  /** ASCA…. */
  readonly id: string;
  readonly account: AccountId;
  readonly name: string;
  /** In lower case: names are unique whatever their case. */
  readonly name_key: string;
  readonly path: string;
  /** PEM. */
  readonly body: string;
  /** PEM, the issuer first. */
  readonly chain: string | null;
  /** The private key in PEM, sealed under the root key. */
  readonly sealed: Uint8Array;
  readonly uploaded_at: number;
  readonly expires_at: number;
}

/** What a user signs with, as far as it is public: an X.509 certificate, or an SSH key. */
export interface UserKeyRecord {
  readonly id: string;
  readonly account: AccountId;
  /** Absent for the account's root user. */
  readonly user_id: string | null;
  readonly kind: 'signing-certificate' | 'ssh-public-key';
  /** As it was uploaded. */
  readonly body: string;
  /** The same for the same key, however it is written. */
  readonly fingerprint: string;
  readonly status: 'Active' | 'Inactive';
  /** Milliseconds since the epoch. */
  readonly uploaded_at: number;
}

export interface CertificateTables {
  readonly iam_server_certificate: ServerCertificateRecord;
  readonly iam_user_key: UserKeyRecord;
}

export const certificateMigration: Migration = {
  name: 'iam-0008-certificates',
  sealedTables: ['iam_server_certificate', 'iam_user_key'],
  async up(transaction) {
    await sql`CREATE TABLE iam_server_certificate (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, name TEXT NOT NULL,
      name_key TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, chain TEXT, sealed BLOB NOT NULL,
      uploaded_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, mac BLOB NOT NULL,
      UNIQUE (account, name_key)) STRICT`.execute(transaction);
    await sql`CREATE TABLE iam_user_key (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE,
      user_id TEXT REFERENCES iam_principal (id) ON DELETE CASCADE, kind TEXT NOT NULL, body TEXT NOT NULL,
      fingerprint TEXT NOT NULL, status TEXT NOT NULL, uploaded_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
      transaction,
    );
    await sql`CREATE INDEX iam_user_key_owner ON iam_user_key (account, user_id, kind)`.execute(transaction);
    await sql`CREATE INDEX iam_user_key_user ON iam_user_key (user_id)`.execute(transaction);
  },
};
