import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration } from '#storage/records.ts';

/** What a webhook has yet to be told. */
export interface NotificationRow {
  /** Ascending: what happened later has a higher one. It is the sequencer of the event. */
  readonly number: number;
  /** The name that the operator has given the webhook. */
  readonly webhook: string;
  /** Whose bucket it is about. */
  readonly account: AccountId;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** JSON: one record in S3's event format, or a test event. */
  readonly message: string;
}

export const notificationMigrations: readonly Migration[] = [
  {
    name: 's3-notifications-0001-to-webhooks',
    sealedTables: ['s3_notification'],
    async up(transaction) {
      await sql`CREATE TABLE s3_notification (
        number INTEGER PRIMARY KEY, webhook TEXT NOT NULL, account TEXT NOT NULL, time INTEGER NOT NULL,
        message TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX s3_notification_webhook ON s3_notification (webhook, number)`.execute(transaction);
    },
  },
];
