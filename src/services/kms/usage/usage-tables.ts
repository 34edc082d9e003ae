import type { KeySpec, KeyLastUsageTrackingOperation } from '@aws-sdk/client-kms';
import { sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** The requests of one principal for one operation on one key in one day. */
export interface UsageRecord {
  /** In UTC: `2026-11-21`. */
  readonly day: string;
  readonly region: Region;
  /** Empty for requests on no key, and on none that there is. */
  readonly key_id: string;
  /** Whose the key is; empty where there is none. */
  readonly key_account: AccountId | '';
  readonly operation: string;
  /** Of which kind the pairs are that GenerateDataKeyPair makes; empty for other operations. */
  readonly variant: string;
  /** A user's, role's or root's ARN, a service's name, or `anonymous`. A role's sessions are one. */
  readonly principal: string;
  /** Whose request it is; empty for an anonymous one. */
  readonly account: AccountId | '';
  /** Empty for requests on no key. */
  readonly spec: KeySpec | '';
  readonly requests: number;
  /** Among them those that were answered with an error. */
  readonly failed: number;
}

/** The last time that a key was used for cryptography, with success. */
export interface LastUsageRecord {
  readonly region: Region;
  readonly key_id: string;
  readonly operation: KeyLastUsageTrackingOperation;
  /** Milliseconds since the epoch. */
  readonly used_at: number;
  readonly event_id: string;
  readonly request_id: string;
}

export interface UsageTables {
  readonly kms_usage: UsageRecord;
  readonly kms_last_usage: LastUsageRecord;
  /** One row: since when uses are recorded. */
  readonly kms_usage_start: { readonly id: 1; readonly since: number };
}

export const kmsUsageMigrations: readonly Migration[] = [
  {
    name: 'kms-usage-0001',
    sealedTables: ['kms_usage', 'kms_last_usage', 'kms_usage_start'],
    async up(transaction) {
      await sql`CREATE TABLE kms_usage (
        day TEXT NOT NULL, region TEXT NOT NULL, key_id TEXT NOT NULL, key_account TEXT NOT NULL,
        operation TEXT NOT NULL, variant TEXT NOT NULL, principal TEXT NOT NULL, account TEXT NOT NULL,
        spec TEXT NOT NULL, requests INTEGER NOT NULL, failed INTEGER NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (day, region, key_id, operation, variant, principal)) STRICT`.execute(transaction);
      await sql`CREATE TABLE kms_last_usage (
        region TEXT NOT NULL, key_id TEXT NOT NULL, operation TEXT NOT NULL, used_at INTEGER NOT NULL,
        event_id TEXT NOT NULL, request_id TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (region, key_id),
        FOREIGN KEY (region, key_id) REFERENCES kms_key (region, id) ON DELETE CASCADE) STRICT`.execute(transaction);
      await sql`CREATE TABLE kms_usage_start (id INTEGER PRIMARY KEY, since INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
        transaction,
      );
    },
  },
];
