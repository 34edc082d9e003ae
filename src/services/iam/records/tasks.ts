import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** Something that is asked for in one call, and whose result in another. */
export interface TaskRecord {
  /** As the caller knows it; of a credential report, of which an account has one, made from its id. */
  readonly id: string;
  readonly account: AccountId;
  readonly kind: 'credential-report' | 'service-last-accessed' | 'role-deletion';
  /** The ARN that it is about; empty for the account. */
  readonly subject: string;
  readonly status: 'IN_PROGRESS' | 'DONE' | 'FAILED';
  /** Milliseconds since the epoch. */
  readonly created_at: number;
  /** Milliseconds since the epoch. */
  readonly finished_at: number | null;
  /** What was asked for, in JSON. */
  readonly request: string;
  /** The result, in JSON or CSV; `null` as long as there is none. */
  readonly result: string | null;
}

export interface TaskTables {
  readonly iam_task: TaskRecord;
}

export const taskMigration: Migration = {
  name: 'iam-0006-tasks',
  sealedTables: ['iam_task'],
  async up(transaction) {
    await sql`CREATE TABLE iam_task (
      id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, kind TEXT NOT NULL,
      subject TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL, finished_at INTEGER,
      request TEXT NOT NULL, result TEXT, mac BLOB NOT NULL) STRICT`.execute(transaction);
    await sql`CREATE INDEX iam_task_account ON iam_task (account, created_at)`.execute(transaction);
  },
};
