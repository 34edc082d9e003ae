import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** A user's password. Times are milliseconds since the epoch, in whole seconds. */
export interface LoginProfileRecord {
  readonly user_id: string;
  readonly account: AccountId;
  /** Hashes of the password and of earlier ones, sealed under the root key. */
  readonly sealed: Uint8Array;
  /** 1 where the user has to choose another one. */
  readonly reset_required: number;
  readonly created_at: number;
  readonly changed_at: number;
}

/** An account's rules for passwords. Of yes and no, 1 is yes. */
export interface PasswordPolicyRecord {
  readonly account: AccountId;
  readonly min_length: number;
  readonly symbols: number;
  readonly numbers: number;
  readonly uppercase: number;
  readonly lowercase: number;
  readonly users_may_change: number;
  /** Days; `null` for passwords that do not expire. */
  readonly max_age: number | null;
  /** Earlier passwords that may not be taken again; `null` for none. */
  readonly reuse_prevention: number | null;
  /** `null` where nothing was said. */
  readonly hard_expiry: number | null;
}

export interface PasswordTables {
  readonly iam_login_profile: LoginProfileRecord;
  readonly iam_password_policy: PasswordPolicyRecord;
}

export const passwordMigration: Migration = {
  name: 'iam-0004-passwords',
  sealedTables: ['iam_login_profile', 'iam_password_policy'],
  async up(transaction) {
    await sql`CREATE TABLE iam_login_profile (
      user_id TEXT PRIMARY KEY REFERENCES iam_principal (id) ON DELETE CASCADE, account TEXT NOT NULL,
      sealed BLOB NOT NULL, reset_required INTEGER NOT NULL, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
      mac BLOB NOT NULL) STRICT`.execute(transaction);
    await sql`CREATE TABLE iam_password_policy (
      account TEXT PRIMARY KEY REFERENCES iam_account (id) ON DELETE CASCADE, min_length INTEGER NOT NULL,
      symbols INTEGER NOT NULL, numbers INTEGER NOT NULL, uppercase INTEGER NOT NULL, lowercase INTEGER NOT NULL,
      users_may_change INTEGER NOT NULL, max_age INTEGER, reuse_prevention INTEGER, hard_expiry INTEGER,
      mac BLOB NOT NULL) STRICT`.execute(transaction);
  },
};
