import { type Kysely, sql } from 'kysely';
import type { Migration } from '#storage/records.ts';
import { readEvent } from './domain/audit-event.ts';
import { cutBlocks } from './domain/event-block.ts';
import { insertBlock, packBlock } from './packed-block.ts';
import type { CloudTrailTables } from './tables.ts';

export const cloudTrailMigrations: readonly Migration[] = [
  {
    name: 'cloudtrail-0001-events',
    // The other table is an index: what it says of an event is in the event, and is compared with it.
    sealedTables: ['cloudtrail_event'],
    async up(transaction) {
      await sql`CREATE TABLE cloudtrail_event (
        account TEXT NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, region TEXT NOT NULL, source TEXT NOT NULL,
        name TEXT NOT NULL, user_name TEXT NOT NULL, access_key_id TEXT NOT NULL, read_only INTEGER NOT NULL,
        event TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (account, time, id)) STRICT, WITHOUT ROWID`.execute(
        transaction,
      );
      await sql`CREATE TABLE cloudtrail_resource (
        account TEXT NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL,
        PRIMARY KEY (account, name, time, event_id)) STRICT, WITHOUT ROWID`.execute(transaction);
    },
  },
  {
    name: 'cloudtrail-0002-requests',
    // An index as well.
    async up(transaction) {
      await sql`CREATE TABLE cloudtrail_request (
        request_id TEXT NOT NULL, account TEXT NOT NULL, time INTEGER NOT NULL, event_id TEXT NOT NULL,
        PRIMARY KEY (request_id, account, time, event_id)) STRICT, WITHOUT ROWID`.execute(transaction);
      for (const path of ['$.requestID', '$.additionalEventData.parentRequestID']) {
        await sql`INSERT OR IGNORE INTO cloudtrail_request SELECT json_extract(event, ${path}), account, time, id
          FROM cloudtrail_event WHERE json_valid(event) AND json_extract(event, '$.errorCode') IS NOT NULL
          AND json_extract(event, ${path}) IS NOT NULL`.execute(transaction);
      }
    },
  },
  {
    name: 'cloudtrail-0003-blocks',
    // The other table is an index: what it says of a block is in the block's events, and is compared with them.
    sealedTables: ['cloudtrail_block'],
    async up(transaction) {
      await sql`CREATE TABLE cloudtrail_block (
        account TEXT NOT NULL, last INTEGER NOT NULL, id TEXT NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
        events BLOB NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (account, last, id)) STRICT`.execute(transaction);
      await sql`CREATE TABLE cloudtrail_term (
        kind TEXT NOT NULL, value TEXT NOT NULL, account TEXT NOT NULL, last INTEGER NOT NULL, block TEXT NOT NULL,
        PRIMARY KEY (kind, value, account, last, block)) STRICT, WITHOUT ROWID`.execute(transaction);
    },
  },
  {
    name: 'cloudtrail-0004-events-into-blocks',
    droppedTables: ['cloudtrail_event'],
    async up(transaction) {
      await moveEvents(transaction as Kysely<OldTables & CloudTrailTables>);
      for (const table of ['cloudtrail_event', 'cloudtrail_resource', 'cloudtrail_request']) {
        await sql`DROP TABLE ${sql.table(table)}`.execute(transaction);
      }
    },
  },
];

interface OldTables {
  readonly cloudtrail_event: {
    readonly id: string;
    readonly account: string;
    readonly time: number;
    readonly user_name: string;
    readonly event: string;
  };
}

const ROWS_OF_ONE_PAGE = 500;

async function moveEvents(transaction: Kysely<OldTables & CloudTrailTables>): Promise<void> {
  let after = { account: '', time: 0, id: '' };
  for (;;) {
    const { account, time, id } = after;
    const rows = await transaction
      .selectFrom('cloudtrail_event')
      .selectAll()
      .where((where) => where(where.refTuple('account', 'time', 'id'), '>', where.tuple(account, time, id)))
      .orderBy('account')
      .orderBy('time')
      .orderBy('id')
      .limit(ROWS_OF_ONE_PAGE)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    for (const owner of new Set(rows.map((row) => row.account))) {
      const events = rows
        .filter((row) => row.account === owner)
        .map((row) => readEvent({ time: row.time, userName: row.user_name, json: row.event }));
      for (const block of cutBlocks(events)) await insertBlock(transaction, await packBlock(owner, block));
    }
    after = last;
  }
}
