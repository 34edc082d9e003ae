import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AccountId, Region } from '#kernel/ids.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { s3Migrations } from '../migrations.ts';
import { putObjectRow, S3Store, type S3Tables } from '../store.ts';
import { allObjects } from './walk.ts';

test('a walk over all objects sees each once, and leaves requests their turn', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-walk-'));
  const opened = await SqliteRecords.open(join(folder, 'records.db'), s3Migrations, randomBytes(32));
  try {
    const store = new S3Store(opened.of<S3Tables>());
    const none = { policy: null, encryption: null, tags: null, settings: null };
    const place = { account: '111122223333' as AccountId, region: 'us-east-1' as Region, created_at: 0 };
    const object = { id: '', size: 0, etag: '', modified_at: 0, facts: '{}', parts: null, body: null };
    const mac = Buffer.alloc(32);
    const wanted: string[] = [];
    await store.write(async (transaction) => {
      for (const bucket of ['a', 'b', 'c']) {
        await transaction
          .insertInto('s3_bucket')
          .values({ name: bucket, ...place, ...none, mac })
          .execute();
        for (let number = 0; number < 400; number++) {
          const key = String(number).padStart(3, '0');
          wanted.push(`${bucket}/${key}`);
          await putObjectRow(transaction, { ...object, bucket, key, mac });
        }
      }
    });
    let turns = 0;
    let isOver = false;
    const take = (): void => {
      turns += 1;
      if (!isOver) setImmediate(take);
    };
    setImmediate(take);
    const seen = await Array.fromAsync(allObjects(store), ({ bucket, key }) => `${bucket}/${key}`);
    isOver = true;
    assert.deepEqual(seen, wanted);
    assert.ok(turns >= 5, `${turns} turns`);
    const ofOne = await Array.fromAsync(allObjects(store, 'b'), ({ key }) => key);
    assert.equal(ofOne.length, 400);
  } finally {
    await opened.close();
    await rm(folder, { recursive: true });
  }
});
