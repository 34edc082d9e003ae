import { type FileHandle, open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteQueryCompiler } from 'kysely';
import type { RootKey } from '#crypto/root-key.ts';
import type { Migration, Records } from '../records.ts';
import type { RenewalProgress, RootSealedColumn, TableRenewal } from '../root-sealed-column.ts';
import { RowSeal } from '../row-seal.ts';
import { StorageFullError } from '../storage-full-error.ts';
import { Checkpointer } from './checkpointer.ts';
import { countSealed, findSealedElsewhere, type RenewedRows, renewalsOf, renewSome } from './row-renewal.ts';
import { type CheckedRow, SealedTables } from './sealed-tables.ts';
import { SealingQueryCompiler } from './sealing-query-compiler.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

/** At most so many pieces of work share one commit, so that the first of them does not wait for ever. */
const MAX_GROUP = 512;

/** Of emptying the log, which a reader can keep from its end. */
const CHECKPOINT_ATTEMPTS = 100;

/** Rows that are checked before other work gets its turn: about a millisecond. */
const ROWS_OF_ONE_TURN = 100;

interface PendingWrite {
  readonly work: (transaction: Kysely<unknown>) => Promise<unknown>;
  readonly isBehind: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Records in one SQLite file: WAL, full synchronisation, one connection that writes and one that reads. Writes that
 * arrive while a commit is under way share the next one, so that a hundred concurrent requests wait for one fsync.
 */
export class SqliteRecords implements Records<unknown> {
  readonly read: Kysely<unknown>;
  readonly readUnchecked: Kysely<unknown>;
  readonly #writer: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #transaction: Kysely<unknown>;
  readonly #sealed: SealedTables;
  readonly #seal: RowSeal;
  readonly #file: string;
  readonly #checkpointer: Checkpointer;
  #pending: PendingWrite[] = [];
  #draining: Promise<void> | undefined;
  /** The database's log of changes, which SQLite keeps for as long as it is open. */
  #log: FileHandle | undefined;
  #isClosed = false;

  private constructor(file: string, writer: DatabaseSync, reader: DatabaseSync, seal: RowSeal) {
    const sealed = new SealedTables(seal);
    this.#seal = seal;
    this.#file = file;
    this.#writer = writer;
    this.#reader = reader;
    this.#sealed = sealed;
    this.#checkpointer = new Checkpointer(file, writer);
    const compiler = () => new SealingQueryCompiler(sealed);
    this.read = new Kysely({ dialect: sqliteDialect(reader, compiler) });
    this.readUnchecked = new Kysely({ dialect: sqliteDialect(reader, () => new SqliteQueryCompiler()) });
    this.#transaction = new Kysely({ dialect: sqliteDialect(writer, compiler) });
    sealed.register(reader);
    sealed.register(writer);
  }

  /**
   * Opens (or makes) the database in `file` and runs the migrations that have not run on it yet.
   *
   * @param rowSealKey 32 bytes: under it the rows of sealed tables are sealed
   * @param formerKey the one before, where rows may still bear its seal
   */
  static async open(
    file: string,
    migrations: readonly Migration[],
    rowSealKey: Uint8Array,
    formerKey?: Uint8Array,
  ): Promise<SqliteRecords> {
    const writer = new DatabaseSync(file, { timeout: 5000 });
    writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    // What is deleted is overwritten: a shredded key must not survive in a free page.
    writer.exec('PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536');
    const reader = new DatabaseSync(file, { timeout: 5000 });
    reader.exec('PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536');
    const records = new SqliteRecords(file, writer, reader, new RowSeal(rowSealKey, formerKey));
    await records.#migrate(migrations);
    return records;
  }

  /** The same records, seen as one service's tables. */
  of<Tables>(): Records<Tables> {
    return this as unknown as Records<Tables>;
  }

  write<Result>(work: (transaction: Kysely<unknown>) => Promise<Result>): Promise<Result> {
    return this.#write(work, false);
  }

  writeBehind<Result>(work: (transaction: Kysely<unknown>) => Promise<Result>): Promise<Result> {
    return this.#write(work, true);
  }

  #write<Result>(work: (transaction: Kysely<unknown>) => Promise<Result>, isBehind: boolean): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new Error('The records are closed.'));
    return new Promise<Result>((resolve, reject) => {
      this.#pending.push({ work, isBehind, resolve: resolve as (value: unknown) => void, reject });
      // Not at once: the requests that arrived in this turn of the event loop join the same commit.
      this.#draining ??= new Promise((done) => {
        setImmediate(() => void this.#drain().finally(done));
      });
    });
  }

  /** Waits for the writes under way and closes the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#draining !== undefined) await this.#draining;
    await this.#checkpointer.close();
    await this.#log?.close();
    this.#reader.close();
    this.#writer.close();
  }

  /** A short check that the file is sound; the answer is `ok` or what SQLite found. */
  checkIntegrity(): string {
    const row = this.#reader.prepare('PRAGMA integrity_check(1)').get();
    return String(row?.['integrity_check'] ?? 'no answer');
  }

  /** Every row of every sealed table, and whether it bears its seal. Others have their turns meanwhile. */
  async *checkRows(): AsyncGenerator<CheckedRow> {
    // A connection of its own: the one that reads would see nothing new for as long as this has not ended.
    const database = new DatabaseSync(this.#file, { readOnly: true, timeout: 5000 });
    try {
      let count = 0;
      for (const row of this.#sealed.checkRows(database)) {
        yield row;
        count += 1;
        if (count % ROWS_OF_ONE_TURN === 0) await new Promise(setImmediate);
      }
    } finally {
      database.close();
    }
  }

  /** From now on rows are sealed under another key; those that bear the seal of the one before are sound, too. */
  changeSealKey(key: Uint8Array): void {
    this.#seal.changeKey(key);
  }

  forgetFormerSealKey(): void {
    this.#seal.forgetFormerKey();
  }

  /**
   * Walks through everything that depends on the root key, and puts it under the present one. Others have their turns
   * meanwhile; what they write is under the present key anyway. A walk that is broken off is begun anew.
   *
   * @param columns what is sealed under the root key itself
   * @param others tables that are renewed in ways of their own
   */
  async *renewRows(
    rootKey: RootKey,
    columns: readonly RootSealedColumn[],
    others: readonly TableRenewal[],
  ): AsyncGenerator<RenewalProgress> {
    const renewals = [...renewalsOf(this.#sealed, columns, rootKey), ...others];
    const total = renewals.reduce((sum, { table }) => sum + this.#countRows(table), 0);
    let done = { rows: 0, total, renewed: 0, damaged: 0 };
    for (const renewal of renewals) {
      let after: RenewedRows['next'];
      do {
        const from = after;
        const piece = await this.write(async () => renewSome(this.#writer, renewal, from));
        after = piece.next;
        done = {
          rows: done.rows + piece.rows,
          total,
          renewed: done.renewed + piece.renewed,
          damaged: done.damaged + piece.damaged,
        };
        yield done;
      } while (after !== undefined);
    }
  }

  /** Where, beside what `renewRows` is given, something depends on the secret of this id, or may. */
  async findSealedElsewhere(
    known: readonly RootSealedColumn[],
    others: readonly TableRenewal[],
    id: string,
  ): Promise<readonly string[]> {
    const renewed = new Set([...this.#sealed.all().map(({ name }) => name), ...others.map(({ table }) => table)]);
    const database = new DatabaseSync(this.#file, { readOnly: true, timeout: 5000 });
    try {
      return await findSealedElsewhere(database, known, renewed, id);
    } finally {
      database.close();
    }
  }

  /** How many texts of a column are sealed under which secret: id → count; under the empty id those that name none. */
  countSealed(column: RootSealedColumn): ReadonlyMap<string, number> {
    return countSealed(this.#reader, column);
  }

  /** Takes into the database what lies in its log, and empties that: no earlier state of a page is left in either. */
  async emptyLog(): Promise<void> {
    await this.#checkpointer.takeOver();
    for (let attempt = 0; attempt < CHECKPOINT_ATTEMPTS; attempt++) {
      while (this.#draining !== undefined) await this.#draining;
      // Readers are in this process: nobody may wait for them here.
      this.#writer.exec('PRAGMA busy_timeout = 0');
      const row = this.#writer.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
      this.#writer.exec('PRAGMA busy_timeout = 5000');
      if (row?.['busy'] === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #countRows(table: string): number {
    return Number(this.#reader.prepare(`SELECT count(*) AS n FROM "${table}"`).get()?.['n'] ?? 0);
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      await this.#commitGroup(this.#pending.splice(0, MAX_GROUP));
      // Requests that waited for the commit get their turn, and join the next one.
      if (this.#pending.length === 0) await new Promise(setImmediate);
    }
    this.#draining = undefined;
  }

  async #commitGroup(group: readonly PendingWrite[]): Promise<void> {
    const outcomes: (() => void)[] = [];
    const isBehind = group.every((item) => item.isBehind);
    try {
      // A commit in full waits for the disk, and with it everything else in this process.
      this.#writer.exec(`PRAGMA synchronous = ${isBehind ? 'NORMAL' : 'FULL'}; BEGIN IMMEDIATE`);
      for (const item of group) outcomes.push(await this.#runInSavepoint(item));
      this.#writer.exec('COMMIT');
      if (isBehind) await this.#syncLog();
    } catch (error) {
      if (this.#writer.isTransaction) this.#writer.exec('ROLLBACK');
      const failure = translateSqliteError(error);
      for (const item of group) item.reject(failure);
      return;
    }
    this.#checkpointer.committed();
    for (const settle of outcomes) settle();
  }

  /** What a commit in full does at its end, in another thread. */
  async #syncLog(): Promise<void> {
    this.#log ??= await open(`${this.#file}-wal`, 'r+');
    await this.#log.datasync();
  }

  async #runInSavepoint(item: PendingWrite): Promise<() => void> {
    this.#writer.exec('SAVEPOINT item');
    try {
      const result = await item.work(this.#transaction);
      this.#writer.exec('RELEASE item');
      return () => item.resolve(result);
    } catch (error) {
      // SQLite itself ends the whole transaction on a full disk or an I/O error: then nothing of the group stands.
      if (!this.#writer.isTransaction) throw error;
      this.#writer.exec('ROLLBACK TO item; RELEASE item');
      const failure = translateSqliteError(error);
      return () => item.reject(failure);
    }
  }

  async #migrate(migrations: readonly Migration[]): Promise<void> {
    this.#writer.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY) STRICT');
    const done = new Set(
      this.#writer
        .prepare('SELECT name FROM migration')
        .all()
        .map((row) => row['name']),
    );
    const gone = new Set(migrations.filter(({ name }) => done.has(name)).flatMap((one) => one.droppedTables ?? []));
    const bringUp = async (transaction: Kysely<unknown>): Promise<void> => {
      for (const migration of migrations) {
        if (!done.has(migration.name)) {
          await this.#reshape(migration, transaction);
          this.#writer.prepare('INSERT INTO migration (name) VALUES (?)').run(migration.name);
        }
        for (const table of migration.sealedTables ?? []) {
          if (!gone.has(table)) this.#sealed.add(this.#writer, table);
        }
      }
    };
    // In one transaction: an upgrade that is broken off has not begun, and a new database waits for the disk once.
    if (migrations.every(({ name }) => done.has(name))) await bringUp(this.#transaction);
    else await this.write(bringUp);
  }

  async #reshape(migration: Migration, transaction: Kysely<unknown>): Promise<void> {
    const { reshapedTables: reshaped = [], droppedTables: dropped = [] } = migration;
    for (const table of [...reshaped, ...dropped]) this.#sealed.requireSound(this.#writer, table);
    await migration.up(transaction);
    for (const table of dropped) this.#sealed.drop(table);
    for (const table of reshaped) {
      this.#sealed.add(this.#writer, table);
      this.#sealed.sealAgain(this.#writer, table);
    }
  }
}

const SQLITE_FULL = 13;

function translateSqliteError(error: unknown): unknown {
  const isFull = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL;
  return isFull ? new StorageFullError({ cause: error }) : error;
}
