import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Migration, Records } from '../records.ts';
import { RowDamageError } from '../row-seal.ts';
import { SqliteRecords } from './sqlite-records.ts';

interface Tables {
  readonly thing: {
    readonly id: string;
    readonly owner: string | null;
    readonly size: number;
    readonly content: Uint8Array;
  };
  readonly part: { readonly thing: string; readonly name: string };
  readonly open: { readonly thing: string };
}

const migrations: Migration[] = [
  {
    name: 'test-0001-things',
    sealedTables: ['thing', 'part'],
    up: async (transaction) => {
      await sql`CREATE TABLE thing (
        id TEXT PRIMARY KEY, owner TEXT, size INTEGER NOT NULL, content BLOB NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
        transaction,
      );
      await sql`CREATE TABLE part (
        thing TEXT NOT NULL REFERENCES thing (id) ON DELETE CASCADE, name TEXT NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (thing, name)) STRICT, WITHOUT ROWID`.execute(transaction);
      await sql`CREATE TABLE open (thing TEXT PRIMARY KEY) STRICT`.execute(transaction);
    },
  },
];

const KEY = Buffer.alloc(32, 7);

describe('sealed tables', () => {
  let folder: string;
  let file: string;
  let opened: SqliteRecords;
  let records: Records<Tables>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-seals-'));
    file = join(folder, 'records.db');
    opened = await SqliteRecords.open(file, migrations, KEY);
    records = opened.of<Tables>();
    await records.write(async (transaction) => {
      const things = ['a', 'b', 'c'].map((id, size) => ({ id, owner: null, size, content: Buffer.from(id) }));
      await transaction.insertInto('thing').values(things).execute();
      await transaction.insertInto('part').values({ thing: 'a', name: 'p' }).execute();
      await transaction.insertInto('open').values({ thing: 'a' }).execute();
    });
  });

  afterEach(async () => {
    await opened.close();
    await rm(folder, { recursive: true });
  });

  describe('under a migration that gives a sealed table other columns', () => {
    const widened: Migration[] = [
      ...migrations,
      {
        name: 'test-0002-marks',
        reshapedTables: ['thing', 'part'],
        async up(transaction) {
          await sql`ALTER TABLE thing ADD COLUMN mark TEXT NOT NULL DEFAULT 'plain'`.execute(transaction);
        },
      },
    ];

    it('seals every row anew, with what the new columns say', async () => {
      await opened.close();
      opened = await SqliteRecords.open(file, widened, KEY);
      const read = opened.of<Tables>().read;
      assert.equal((await read.selectFrom('thing').selectAll().execute()).length, 3);
      assert.equal((await read.selectFrom('part').selectAll().execute()).length, 1);
      tamper(`UPDATE thing SET mark = 'forged' WHERE id = 'a'`);
      await assert.rejects(read.selectFrom('thing').selectAll().execute(), RowDamageError);
    });

    it('does not seal a row that was changed before, and leaves the table as it was', async () => {
      await opened.close();
      tamper(`UPDATE thing SET owner = 'me' WHERE id = 'b'`);
      await assert.rejects(SqliteRecords.open(file, widened, KEY), RowDamageError);
      opened = await SqliteRecords.open(file, migrations, KEY);
      const read = opened.of<Tables>().read;
      assert.equal((await read.selectFrom('thing').select('id').where('id', '=', 'a').execute()).length, 1);
      await assert.rejects(read.selectFrom('thing').selectAll().execute(), RowDamageError);
    });
  });

  /** As somebody who may write the file does. */
  function tamper(statement: string): void {
    const database = new DatabaseSync(file);
    database.exec(statement);
    database.close();
  }

  const damaged = async () =>
    (await Array.fromAsync(opened.checkRows())).filter(({ isSound }) => !isSound).map(({ row }) => row);
  const thing = (id: string) => records.read.selectFrom('thing').selectAll().where('id', '=', id).executeTakeFirst();

  it('give back what was written, also after partial changes and upserts', async () => {
    await records.write(async (transaction) => {
      await transaction
        .updateTable('thing')
        .set({ size: 10, owner: 'x\0ä\u{1F600}\uD800' })
        .where('id', '=', 'a')
        .execute();
      await transaction
        .updateTable('thing')
        .set((change) => ({ size: change('size', '+', 5) }))
        .execute();
      await transaction
        .insertInto('thing')
        .values({ id: 'b', owner: 'new', size: 0, content: Buffer.alloc(0) })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet((change) => ({ owner: change.ref('excluded.owner') })),
        )
        .execute();
      await transaction
        .insertInto('part')
        .values({ thing: 'a', name: 'p' })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      assert.equal((await transaction.selectFrom('thing').select('size').where('id', '=', 'a').execute())[0]?.size, 15);
    });
    const a = await thing('a');
    assert.deepEqual([a?.size, a?.owner], [15, 'x\0ä\u{1F600}\uFFFD']);
    const b = await thing('b');
    assert.deepEqual([b?.size, b?.owner, b?.content], [6, 'new', new Uint8Array(Buffer.from('b'))]);
    assert.deepEqual(await damaged(), []);
    assert.equal((await Array.fromAsync(opened.checkRows())).length, 4);
  });

  it('refuse to read a row with any column changed, and name it', async () => {
    const changes = {
      id: `id = 'd'`,
      owner: `owner = ''`,
      size: 'size = size + 1',
      content: `content = X'00'`,
      mac: 'mac = zeroblob(32)',
    };
    for (const [column, change] of Object.entries(changes)) {
      tamper(
        `CREATE TABLE kept AS SELECT * FROM thing; PRAGMA foreign_keys = OFF; UPDATE thing SET ${change} WHERE id = 'b'`,
      );
      const id = column === 'id' ? 'd' : 'b';
      await assert.rejects(thing(id), RowDamageError, column);
      assert.deepEqual(await damaged(), [`thing ${id}`]);
      assert.equal((await thing('a'))?.id, 'a', 'the others are read');
      tamper('DELETE FROM thing; INSERT INTO thing SELECT * FROM kept; DROP TABLE kept');
      assert.deepEqual(await damaged(), []);
    }
  });

  it('refuse whatever way a damaged row is read: a column of it, a count, joins, subqueries, in a transaction', async () => {
    tamper(`UPDATE thing SET size = 99 WHERE id = 'a'`);
    const { read } = records;
    const queries = [
      () => read.selectFrom('thing').select('id').where('id', '=', 'a').execute(),
      () =>
        read
          .selectFrom('thing')
          .select((select) => select.fn.countAll().as('n'))
          .execute(),
      () => read.selectFrom('part').innerJoin('thing', 'thing.id', 'part.thing').select('part.name').execute(),
      () => read.selectFrom('open').leftJoin('thing as t', 't.id', 'open.thing').select('t.owner').execute(),
      () => read.selectFrom('thing as other').select('other.id').where('other.size', '=', 99).execute(),
      () => read.selectFrom('thing').select('id').where(sql<boolean>`id = 'a' OR size = 1`).execute(),
      () =>
        read
          .selectFrom('thing')
          .select('id')
          .where((or) => or.or([or('id', '=', 'a'), or('size', '=', 1)]))
          .execute(),
      () =>
        read
          .selectFrom('open')
          .selectAll()
          .where((on) => on.exists(on.selectFrom('thing').select('id').whereRef('thing.id', '=', 'open.thing')))
          .execute(),
      () => records.write((transaction) => transaction.selectFrom('thing').selectAll().execute()),
      () =>
        records.write((transaction) =>
          transaction
            .insertInto('open')
            .columns(['thing'])
            .expression(transaction.selectFrom('thing').select('id').where('id', '=', 'a'))
            .execute(),
        ),
    ];
    for (const query of queries) await assert.rejects(query(), RowDamageError, query.toString());
    await read.selectFrom('thing').selectAll().where('id', '<>', 'a').execute();
    const rows = await records.readUnchecked.selectFrom('thing').select('size').where('id', '=', 'a').execute();
    assert.deepEqual(
      rows.map((row) => row.size),
      [99],
      'verification sees it',
    );
  });

  it('take no row for damage where an outer join finds none', async () => {
    await records.write((transaction) => transaction.insertInto('open').values({ thing: 'none' }).execute());
    const query = records.read
      .selectFrom('open')
      .leftJoin('thing', 'thing.id', 'open.thing')
      .select(['open.thing', 'size']);
    assert.equal((await query.execute()).length, 2);
  });

  it('do not seal a damaged row anew when a part of it is changed', async () => {
    tamper(`UPDATE thing SET owner = 'mallory' WHERE id = 'a'`);
    await assert.rejects(
      records.write((transaction) => transaction.updateTable('thing').set({ size: 3 }).where('id', '=', 'a').execute()),
      RowDamageError,
    );
    await assert.rejects(
      records.write((transaction) =>
        transaction
          .insertInto('thing')
          .values({ id: 'a', owner: null, size: 1, content: Buffer.alloc(0) })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ size: 3 }))
          .execute(),
      ),
      RowDamageError,
    );
    assert.deepEqual(await damaged(), ['thing a']);
    await records.write((transaction) => transaction.deleteFrom('thing').where('id', '=', 'a').execute());
    assert.deepEqual(await damaged(), [], 'a damaged row can be removed');
  });

  it('refuse rows that were swapped, copied, or sealed under another key', async () => {
    tamper(`UPDATE thing SET mac = (SELECT mac FROM thing WHERE id = 'b') WHERE id = 'a'`);
    tamper(`INSERT INTO thing SELECT 'e', owner, size, content, mac FROM thing WHERE id = 'c'`);
    assert.deepEqual(await damaged(), ['thing a', 'thing e']);
    await opened.close();
    opened = await SqliteRecords.open(file, migrations, Buffer.alloc(32, 8));
    assert.equal((await damaged()).length, 5);
  });

  it('seal nothing for a trigger or view that was put into the file', async () => {
    tamper(`CREATE TRIGGER evil AFTER INSERT ON open BEGIN
      UPDATE thing SET owner = 'mallory', mac = row_seal_renew('thing', content, id, owner, size, mac, content, id, 'mallory', size);
    END`);
    await assert.rejects(
      records.write((transaction) => transaction.insertInto('open').values({ thing: 'b' }).execute()),
    );
    assert.deepEqual(await damaged(), []);
    await opened.close();
    tamper(`DROP TRIGGER evil; CREATE TRIGGER evil AFTER INSERT ON open BEGIN UPDATE thing SET owner = 'mallory'; END`);
    opened = await SqliteRecords.open(file, migrations, KEY);
    records = opened.of<Tables>();
    await records.write((transaction) => transaction.insertInto('open').values({ thing: 'b' }).execute());
    await assert.rejects(thing('a'), RowDamageError);
  });

  it('are still sealed when the database says that columns are others', async () => {
    tamper('ALTER TABLE thing RENAME COLUMN owner TO spare');
    tamper('ALTER TABLE thing RENAME COLUMN size TO owner');
    tamper('ALTER TABLE thing RENAME COLUMN spare TO size');
    await opened.close();
    opened = await SqliteRecords.open(file, migrations, KEY);
    assert.equal((await damaged()).filter((row) => row.startsWith('thing')).length, 3);
    tamper('ALTER TABLE part DROP COLUMN mac');
    await assert.rejects(SqliteRecords.open(file, migrations, KEY), /has no column for its rows' seals/);
  });

  it('refuse writes that they cannot seal', async () => {
    const values = { id: 'z', owner: null, size: 1, content: Buffer.alloc(0) };
    const forged = { mac: Buffer.alloc(32) };
    const writes: ((transaction: Records<Tables>['read']) => Promise<unknown>)[] = [
      (t) =>
        t
          .insertInto('thing')
          .values({ ...values, size: sql<number>`1 + 1` })
          .execute(),
      (t) =>
        t
          .insertInto('part')
          .columns(['thing', 'name'])
          .expression(t.selectFrom('part').select(['thing', 'name']))
          .execute(),
      (t) =>
        t
          .insertInto('thing')
          .values({ ...values, ...forged })
          .execute(),
      (t) =>
        t
          .updateTable('thing')
          .set({ size: 1, ...forged })
          .execute(),
    ];
    for (const write of writes) await assert.rejects(records.write(write), /cannot be sealed/, write.toString());
    assert.deepEqual(await damaged(), []);
  });
});
