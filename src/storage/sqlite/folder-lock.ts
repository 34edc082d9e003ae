import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process serves the data folder. */
export class FolderInUseError extends Error {
  constructor(folder: string) {
    super(
      `The data folder ${folder} is in use by another Coffer process. Stop that one first, or give another --data.`,
    );
    this.name = 'FolderInUseError';
  }
}

/** The data folder cannot be written. */
export class FolderUnusableError extends Error {
  constructor(folder: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`The data folder ${folder} cannot be written: ${reason}.`, { cause });
    this.name = 'FolderUnusableError';
  }
}

const SQLITE_BUSY = 5;

/**
 * Holds a data folder for this process. The lock is the operating system's (taken by SQLite on a file of its own), so
 * that it goes with the process, however that ends.
 */
export class FolderLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws FolderInUseError when another process holds it, FolderUnusableError when nobody can */
  static acquire(folder: string): FolderLock {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
      return new FolderLock(database);
    } catch (error) {
      database?.close();
      const isHeld = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
      throw isHeld ? new FolderInUseError(folder) : new FolderUnusableError(folder, error);
    }
  }

  release(): void {
    this.#database.close();
  }
}
