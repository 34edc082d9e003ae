import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

export interface InstanceProfileRecord {
  /** AIPA…. */
  readonly id: string;
  readonly account: AccountId;
  readonly name: string;
  /** In lower case: names are unique whatever their case. */
  readonly name_key: string;
  readonly path: string;
  /** The role in it: at most one. */
  readonly role_id: string | null;
  /** Milliseconds since the epoch. */
  readonly created_at: number;
}

export interface InstanceProfileTables {
  readonly iam_instance_profile: InstanceProfileRecord;
}

export const instanceProfileMigration: Migration = {
  name: 'iam-0002-instance-profiles',
  sealedTables: ['iam_instance_profile'],
  async up(transaction) {
    await sql`CREATE TABLE iam_instance_profile (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, name TEXT NOT NULL,
      name_key TEXT NOT NULL, path TEXT NOT NULL, role_id TEXT REFERENCES iam_principal (id), created_at INTEGER NOT NULL,
      mac BLOB NOT NULL, UNIQUE (account, name_key)) STRICT`.execute(transaction);
    await sql`CREATE INDEX iam_instance_profile_role ON iam_instance_profile (role_id)`.execute(transaction);
  },
};
