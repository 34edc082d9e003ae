import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** A virtual MFA device. Times are milliseconds since the epoch. */
export interface MfaDeviceRecord {
  /** The ARN, by which requests name it. */
  readonly serial: string;
  readonly account: AccountId;
  readonly name: string;
  readonly path: string;
  /** The seed, sealed under the root key. */
  readonly sealed: Uint8Array;
  /** The user that it is assigned to; none of one that is enabled is the root user. */
  readonly user_id: string | null;
  readonly enabled_at: number | null;
  /** By how many steps of 30 seconds its clock is ahead of ours. */
  readonly drift: number;
  /** The last time step whose code was taken: none up to it is taken again. */
  readonly last_step: number;
  /** Wrong codes since `failures_since`. */
  readonly failures: number;
  readonly failures_since: number;
  readonly created_at: number;
}

export interface MfaDeviceTables {
  readonly iam_mfa_device: MfaDeviceRecord;
}

export const mfaDeviceMigration: Migration = {
  name: 'iam-mfa-devices',
  sealedTables: ['iam_mfa_device'],
  async up(transaction) {
    await sql`CREATE TABLE iam_mfa_device (
      serial TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, name TEXT NOT NULL,
      path TEXT NOT NULL, sealed BLOB NOT NULL, user_id TEXT REFERENCES iam_principal (id), enabled_at INTEGER,
      drift INTEGER NOT NULL, last_step INTEGER NOT NULL, failures INTEGER NOT NULL, failures_since INTEGER NOT NULL,
      created_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
    await sql`CREATE INDEX iam_mfa_device_account ON iam_mfa_device (account)`.execute(transaction);
    await sql`CREATE INDEX iam_mfa_device_user ON iam_mfa_device (user_id)`.execute(transaction);
  },
};
