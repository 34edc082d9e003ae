import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Migration } from '../records.ts';
import { FolderInUseError, FolderLock } from './folder-lock.ts';
import { SqliteRecords } from './sqlite-records.ts';

interface Tables {
  readonly thing: { readonly name: string; readonly size: number };
}

const migrations: Migration[] = [
  {
    name: 'test-0001-thing',
    up: async (transaction) => {
      await sql`CREATE TABLE thing (name TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT`.execute(transaction);
    },
  },
];

describe('SqliteRecords', () => {
  let folder: string;
  let opened: SqliteRecords;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-records-'));
    opened = await SqliteRecords.open(join(folder, 'records.db'), migrations, Buffer.alloc(32, 7));
  });

  afterEach(async () => {
    await opened.close();
    await rm(folder, { recursive: true });
  });

  it('undoes a piece of work that throws and keeps those that share its commit', async () => {
    const records = opened.of<Tables>();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) =>
        records.write(async (transaction) => {
          await transaction
            .insertInto('thing')
            .values({ name: `n${i}`, size: i })
            .execute();
          if (i % 10 === 3) throw new Error('no');
          return i;
        }),
      ),
    );
    assert.equal(outcomes.filter((outcome) => outcome.status === 'rejected').length, 10);
    const rows = await records.read.selectFrom('thing').selectAll().execute();
    assert.equal(rows.length, 90);
    assert.ok(rows.every((row) => row.size % 10 !== 3));
  });

  it('shows a reader nothing of a transaction that is not committed', async () => {
    const records = opened.of<Tables>();
    let seen = -1;
    await records.write(async (transaction) => {
      await transaction.insertInto('thing').values({ name: 'a', size: 1 }).execute();
      seen = (await records.read.selectFrom('thing').selectAll().execute()).length;
    });
    assert.equal(seen, 0);
    assert.equal((await records.read.selectFrom('thing').selectAll().execute()).length, 1);
  });

  it('keeps what it has and runs each migration once when it is opened again', async () => {
    await opened.of<Tables>().write((t) => t.insertInto('thing').values({ name: 'kept', size: 1 }).execute());
    await opened.close();
    opened = await SqliteRecords.open(join(folder, 'records.db'), migrations, Buffer.alloc(32, 7));
    const rows = await opened.of<Tables>().read.selectFrom('thing').selectAll().execute();
    assert.deepEqual(
      rows.map((row) => row.name),
      ['kept'],
    );
    assert.equal(opened.checkIntegrity(), 'ok');
  });

  it('rejects writes after it was closed', async () => {
    const other = await SqliteRecords.open(join(folder, 'other.db'), migrations, Buffer.alloc(32, 7));
    await other.close();
    await assert.rejects(other.write(async () => 1));
  });

  it('finishes the writes under way before it closes', async () => {
    const other = await SqliteRecords.open(join(folder, 'other.db'), migrations, Buffer.alloc(32, 7));
    const write = other.of<Tables>().write((t) => t.insertInto('thing').values({ name: 'last', size: 1 }).execute());
    await other.close();
    await write;
  });
});

describe('FolderLock', () => {
  it('refuses a folder that is held, and gives it when it was released', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coffer-lock-'));
    const lock = FolderLock.acquire(folder);
    assert.throws(() => FolderLock.acquire(folder), FolderInUseError);
    lock.release();
    FolderLock.acquire(folder).release();
    await rm(folder, { recursive: true });
  });
});
