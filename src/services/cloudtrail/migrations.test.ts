import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { lookUpEvents } from './event-lookup.ts';
import { IndexCheck } from './index-check.ts';
import { cloudTrailMigrations } from './migrations.ts';
import { CloudTrailStore } from './store.ts';
import type { CloudTrailTables } from './tables.ts';

const ACCOUNT = '123456789012';
const KEY = Buffer.alloc(32, 7);

/** As the log was before there were blocks. */
interface OldTables {
  readonly cloudtrail_event: Readonly<Record<string, string | number>>;
}

function oldEvent(index: number, time: number) {
  const event = {
    eventID: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    eventName: index % 2 === 0 ? 'Encrypt' : 'Decrypt',
    eventSource: 'kms.amazonaws.com',
    awsRegion: 'us-east-1',
    readOnly: true,
    userIdentity: { accessKeyId: 'AKIA1' },
    resources: [{ ARN: `arn:aws:kms:us-east-1:${ACCOUNT}:key/k${index % 3}` }],
  };
  return {
    id: event.eventID,
    account: ACCOUNT,
    time,
    region: 'us-east-1',
    source: event.eventSource,
    name: event.eventName,
    user_name: 'anna',
    access_key_id: 'AKIA1',
    read_only: 1,
    event: JSON.stringify(event),
  };
}

it('an audit log of rows becomes one of blocks; a damaged row stops the start and loses nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-trail-'));
  const file = join(folder, 'records.db');
  try {
    const old = await SqliteRecords.open(file, cloudTrailMigrations.slice(0, 2), KEY);
    const rows = Array.from({ length: 700 }, (_, index) => oldEvent(index, 1_900_000_000_000 + index * 40));
    await old.of<OldTables>().write((transaction) => transaction.insertInto('cloudtrail_event').values(rows).execute());
    await old.close();

    const change = (from: string, to: string): void => {
      const database = new DatabaseSync(file);
      database
        .prepare('UPDATE cloudtrail_event SET user_name = ? WHERE user_name = ? AND time = ?')
        .run(to, from, 1_900_000_000_400);
      database.close();
    };
    change('anna', 'eve');
    await assert.rejects(SqliteRecords.open(file, cloudTrailMigrations, KEY), /was changed outside of Coffer/);
    change('eve', 'anna');

    const records = await SqliteRecords.open(file, cloudTrailMigrations, KEY);
    const store = new CloudTrailStore(records.of<CloudTrailTables>());
    const range = { account: ACCOUNT, region: 'us-east-1', from: 0, to: 2_000_000_000_000, limit: 1000 };
    const all = await lookUpEvents(store, range);
    assert.deepEqual(
      all.map(({ json }) => json),
      rows.map(({ event }) => event).toReversed(),
    );
    const term = { kind: 'resource', value: `arn:aws:kms:us-east-1:${ACCOUNT}:key/k1` } as const;
    assert.equal((await lookUpEvents(store, { ...range, term })).length, 233);
    for await (const { row, isSound } of new IndexCheck(records.of<CloudTrailTables>()).run()) assert.ok(isSound, row);
    await records.close();
    // And again: the tables that are gone are not missed.
    await (await SqliteRecords.open(file, cloudTrailMigrations, KEY)).close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('pages of a lookup have every event once, the newest first, however blocks overlap', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-trail-'));
  const records = await SqliteRecords.open(join(folder, 'records.db'), cloudTrailMigrations, KEY);
  try {
    const store = new CloudTrailStore(records.of<CloudTrailTables>());
    const events = Array.from({ length: 300 }, (_, index) => {
      const { event, time } = oldEvent(index, 1_900_000_000_000 + ((index * 7919) % 300) * 9);
      return { time, userName: 'anna', json: event, facts: JSON.parse(event) as never };
    });
    // Written as they came: each group spans most of the time that the others span.
    for (let from = 0; from < events.length; from += 30) {
      await store.insert(new Map([[ACCOUNT, events.slice(from, from + 30)]]));
    }
    const range = { account: ACCOUNT, region: 'us-east-1', from: 0, to: 2_000_000_000_000, limit: 7 };
    const seen: { readonly time: number; readonly id: string }[] = [];
    for (;;) {
      const before = seen.at(-1);
      const page = await lookUpEvents(store, { ...range, ...(before !== undefined && { before }) });
      if (page.length === 0) break;
      seen.push(...page.map(({ time, facts }) => ({ time, id: facts.eventID })));
    }
    assert.equal(new Set(seen.map(({ id }) => id)).size, 300);
    assert.deepEqual(
      seen.map(({ time }) => time),
      events.map(({ time }) => time).toSorted((a, b) => b - a),
    );
  } finally {
    await records.close();
    await rm(folder, { recursive: true, force: true });
  }
});
