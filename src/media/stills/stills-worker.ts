import type { ChildProcess } from 'node:child_process';
import { FFmpegUnavailableError } from './ffmpeg-unavailable-error.ts';
import { spawnWorker } from '../spawn-worker.ts';
import type { Still, StillJob } from './still-job.ts';
import type { FromStillsWorker, ToStillsWorker } from './stills-messages.ts';

export interface StillsWorkerLimits {
  /** Milliseconds of one job, the worker's start included. */
  readonly jobMs: number;
  /** Resident bytes. */
  readonly memoryBytes: number;
}

/** How long the worker may take longer than it should before it is killed from outside. */
const GRACE_MS = 500;

/** One process that decodes stills, from its first job until it is killed or dies. */
export class StillsWorker {
  readonly #child: ChildProcess;
  readonly #limits: StillsWorkerLimits;
  #pending: PromiseWithResolvers<readonly Still[] | undefined> | undefined;
  #isDead = false;

  constructor(limits: StillsWorkerLimits) {
    this.#limits = limits;
    this.#child = spawnWorker(new URL('../worker/stills-main.ts', import.meta.url));
    this.#child.on('message', (message: FromStillsWorker) => this.#take(message));
    this.#child.on('error', () => this.#die());
    this.#child.on('exit', () => this.#die());
    this.#child.on('disconnect', () => this.#die());
    // An idle worker keeps nobody running.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True when the process is gone or going: it takes no job any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /**
   * Does one job; only one at a time.
   *
   * @returns a picture for each wanted time, as far as the job's maxima allow, or `undefined` when the media, or the worker over it, came to grief
   * @throws FFmpegUnavailableError
   */
  async decode(job: StillJob): Promise<readonly Still[] | undefined> {
    if (this.#isDead) return undefined;
    const pending = Promise.withResolvers<readonly Still[] | undefined>();
    this.#pending = pending;
    const { jobMs, memoryBytes } = this.#limits;
    const timer = setTimeout(() => this.kill(), jobMs + GRACE_MS);
    const message: ToStillsWorker = { kind: 'job', job, milliseconds: jobMs, memoryBytes };
    this.#child.send(message, (error) => {
      if (error !== null) this.#die();
    });
    try {
      return await pending.promise;
    } finally {
      clearTimeout(timer);
      this.#pending = undefined;
    }
  }

  kill(): void {
    this.#die();
  }

  #take(message: FromStillsWorker): void {
    switch (message.kind) {
      case 'done':
        this.#pending?.resolve(message.stills);
        return;
      case 'failed':
        this.#pending?.resolve(undefined);
        return;
      case 'unavailable':
        this.#pending?.reject(new FFmpegUnavailableError(message.message));
    }
  }

  #die(): void {
    this.#isDead = true;
    this.#child.kill('SIGKILL');
    this.#pending?.resolve(undefined);
  }
}
