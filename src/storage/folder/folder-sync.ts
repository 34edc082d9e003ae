import { close, fsync, open } from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const syncFile = promisify(fsync);
const closeFile = promisify(close);

/** Makes the entries of folders durable. Calls for one folder that come while it is being synced share the next sync. */
export class FolderSync {
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  /** When the promise resolves, all entries made before the call are durable. */
  sync(folder: string): Promise<void> {
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    let waiting = this.#waiting.get(folder);
    if (waiting === undefined) {
      // The running sync may have begun before the entry was made: only the next one counts.
      const after = (): Promise<void> => {
        this.#waiting.delete(folder);
        return this.#start(folder);
      };
      waiting = running.then(after, after);
      this.#waiting.set(folder, waiting);
    }
    return waiting;
  }

  #start(folder: string): Promise<void> {
    const done = syncFolder(folder).finally(() => {
      if (this.#running.get(folder) === done) this.#running.delete(folder);
    });
    this.#running.set(folder, done);
    return done;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const descriptor = await openFile(folder, 'r');
  try {
    await syncFile(descriptor);
  } finally {
    await closeFile(descriptor);
  }
}
