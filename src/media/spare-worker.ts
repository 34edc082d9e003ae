import type { ChildProcess } from 'node:child_process';
import { spawnWorker } from './spawn-worker.ts';
import type { FromWorker } from './worker/messages.ts';

const MAIN = new URL('./worker/main.ts', import.meta.url);
/** Milliseconds after which a worker that nobody wanted ends. */
const IDLE_MS = 30_000;

/** A process for one job, and whether it has said already that it is ready. */
export interface StartedWorker {
  readonly child: ChildProcess;
  readonly isReady: boolean;
}

/** Starts the process of the next job while the one before it still runs: by then it has loaded what it needs. */
export class SpareWorker {
  #spare: { readonly child: ChildProcess; isReady: boolean; readonly idle: NodeJS.Timeout } | undefined;

  /** Starts a process if none is waiting. */
  prepare(): void {
    if (this.#spare !== undefined) return;
    const child = spawnWorker(MAIN);
    const spare = { child, isReady: false, idle: setTimeout(() => this.stop(), IDLE_MS) };
    this.#spare = spare;
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') spare.isReady = true;
    });
    const forget = (): void => {
      clearTimeout(spare.idle);
      if (this.#spare === spare) this.#spare = undefined;
    };
    child.on('error', forget);
    child.on('exit', forget);
  }

  /** The process that waits, or a new one; it is the caller's from now on. */
  take(): StartedWorker {
    const spare = this.#spare;
    if (spare === undefined) return { child: spawnWorker(MAIN), isReady: false };
    this.#spare = undefined;
    clearTimeout(spare.idle);
    for (const event of ['message', 'error', 'exit']) spare.child.removeAllListeners(event);
    return spare;
  }

  stop(): void {
    this.#spare?.child.kill('SIGKILL');
  }
}
