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

/**
 * Holds a data folder for this process. The lock is the operating system's (taken by SQLite on a file of its own), so
 * that it goes with the process, however that ends.
 */
export class FolderLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws FolderInUseError when another process holds it. */
  static acquire(folder: string): FolderLock {
    const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    } catch {
      database.close();
      throw new FolderInUseError(folder);
    }
    return new FolderLock(database);
  }

  release(): void {
    this.#database.close();
  }
}
