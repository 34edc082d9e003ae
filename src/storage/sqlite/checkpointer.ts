import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';

const LOOK_EVERY_MS = 100;
/** Pages in the log that are not in the database yet: 4 MiB, as SQLite itself has it. */
const ENOUGH_PAGES = 1000;
/** 64 MiB. So long is the log where its writer never pauses: then the writer itself takes over what is left. */
const TOO_MANY_PAGES = 16_384;

/**
 * Takes what lies in a database's log of changes over into the database, in another thread: it waits for the disk, and
 * every request would wait with it.
 */
export class Checkpointer {
  readonly #file: string;
  readonly #writer: DatabaseSync;
  readonly #look: StatementSync;
  #timer: NodeJS.Timeout | undefined;
  #thread: Worker | undefined;
  #working: Promise<void> | undefined;
  #done: () => void = () => {};

  /** @param writer the connection that writes, whose own checkpoints end here */
  constructor(file: string, writer: DatabaseSync) {
    this.#file = file;
    this.#writer = writer;
    writer.exec('PRAGMA wal_autocheckpoint = 0');
    // Says how long the log is, and does nothing.
    this.#look = writer.prepare('PRAGMA wal_checkpoint(NOOP)');
  }

  /** To be called after each commit. */
  committed(): void {
    this.#timer ??= setTimeout(() => this.#lookAtLog(), LOOK_EVERY_MS).unref();
  }

  /** Takes over what there is, if it is much; resolves when that has ended. */
  async takeOver(): Promise<void> {
    const { log = 0, checkpointed = 0 } = this.#look.get() ?? {};
    if (Number(log) - Number(checkpointed) < ENOUGH_PAGES) return;
    this.#ask();
    await this.#working;
  }

  /** Resolves when the thread has let go of the database. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.ref();
    thread.postMessage('close');
    await ended;
  }

  #lookAtLog(): void {
    this.#timer = undefined;
    const { log = 0, checkpointed = 0 } = this.#look.get() ?? {};
    // The log begins anew when all of it was taken over at the moment of a commit.
    if (Number(log) > TOO_MANY_PAGES) this.#writer.exec('PRAGMA wal_checkpoint(PASSIVE)');
    else if (Number(log) - Number(checkpointed) > ENOUGH_PAGES) this.#ask();
  }

  #ask(): void {
    if (this.#working !== undefined) return this.committed();
    this.#thread ??= this.#start();
    this.#thread.postMessage('checkpoint');
    this.#working = new Promise((resolve) => {
      this.#done = () => {
        this.#working = undefined;
        resolve();
      };
    });
  }

  #start(): Worker {
    const thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), { workerData: this.#file });
    thread.unref();
    thread.on('message', () => this.#done());
    // Such as no memory for it: it is tried again, and what waits is safe where it is.
    thread.on('error', () => {
      this.#thread = undefined;
      this.#done();
    });
    thread.on('exit', () => this.#done());
    return thread;
  }
}
