import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { Checkpointer } from './checkpointer.ts';

describe('Checkpointer', () => {
  let folder: string;
  let database: DatabaseSync;
  let checkpointer: Checkpointer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-checkpointer-'));
    database = new DatabaseSync(join(folder, 'records.db'));
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE thing (content BLOB)');
    checkpointer = new Checkpointer(join(folder, 'records.db'), database);
  });
  after(async () => {
    await checkpointer.close();
    database.close();
    await rm(folder, { recursive: true, force: true });
  });

  const fill = (rows: number): void => {
    for (let row = 0; row < rows; row++) {
      database.exec('INSERT INTO thing VALUES (randomblob(4000))');
      checkpointer.committed();
    }
  };
  const waiting = (): number => {
    const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(NOOP)').get() ?? {};
    return Number(log) - Number(checkpointed);
  };

  it('leaves a short log alone', async () => {
    fill(50);
    await checkpointer.takeOver();
    assert.ok(waiting() >= 50);
  });

  it('takes a long log over while the database is written to, and keeps it from growing', async () => {
    for (let round = 0; round < 8; round++) {
      fill(1200);
      await checkpointer.takeOver();
      assert.ok(waiting() < 1000, `${waiting()} pages wait`);
    }
    // Eight times five megabytes were written: without checkpoints the log would have them all.
    const { size } = await stat(join(folder, 'records.db-wal'));
    assert.ok(size < 20_000_000, `the log has ${size} bytes`);
    assert.equal(database.prepare('SELECT count(*) AS n FROM thing').get()?.['n'], 50 + 8 * 1200);
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
  });
});
