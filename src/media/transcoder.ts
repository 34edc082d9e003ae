import type { ChildProcess } from 'node:child_process';
import { SpareWorker, type StartedWorker } from './spare-worker.ts';
import { ERROR_CODES, TranscodeError } from './transcode-error.ts';
import type { TranscodeJob } from './transcode-job.ts';
import type { TranscodeEvent, TranscodeResult } from './transcode-report.ts';
import type { FromWorker, OpenUpload, ToWorker, WorkerAccess, WorkerCredentials } from './worker/messages.ts';
import { abortUploads, createS3 } from './worker/s3-io.ts';

/** How a worker is held in check. */
export interface TranscoderLimits {
  /** Resident bytes at which a worker is killed. */
  readonly memoryBytes: number;
  /** Milliseconds without progress after which a worker is killed. */
  readonly stallMs: number;
  /** Milliseconds that a cancelled worker has to clean up by itself. */
  readonly cancelMs: number;
}

export const DEFAULT_LIMITS: TranscoderLimits = {
  memoryBytes: 4 * 1024 ** 3,
  stallMs: 120_000,
  cancelMs: 600,
};

export interface TranscodeAccess extends WorkerAccess {
  /** Temporary credentials of the job's role; asked again before they expire. */
  credentials(): Promise<WorkerCredentials>;
}

export interface TranscodeRun {
  /** The worker's process id. */
  readonly pid: number | undefined;
  /** Resolves with what was written; rejects with a TranscodeError, or a TranscodeCancelledError after `cancel`. */
  readonly result: Promise<TranscodeResult>;
  /** The most resident bytes that the worker told of; 0 before it did. */
  readonly peakMemoryBytes: number;
  /** Ends the job within about a second. */
  cancel(): void;
}

export class TranscodeCancelledError extends Error {
  constructor() {
    super('The job was cancelled.');
    this.name = 'TranscodeCancelledError';
  }
}

/**
 * Runs a job in a process of its own. Whatever its input does to FFmpeg stays in there: a crash, a hang or a hunger for
 * memory ends the job with an error.
 *
 * @param worker a process that has done nothing yet
 */
export function startTranscode(
  job: TranscodeJob,
  access: TranscodeAccess,
  onEvent: (event: TranscodeEvent) => void,
  limits: TranscoderLimits = DEFAULT_LIMITS,
  worker: StartedWorker = new SpareWorker().take(),
): TranscodeRun {
  const supervisor = new Supervisor(job, access, onEvent, limits, worker);
  return {
    pid: supervisor.pid,
    result: supervisor.result,
    get peakMemoryBytes() {
      return supervisor.peakMemoryBytes;
    },
    cancel: () => supervisor.cancel(),
  };
}

class Supervisor {
  readonly result: Promise<TranscodeResult>;
  peakMemoryBytes = 0;
  readonly #access: TranscodeAccess;
  readonly #onEvent: (event: TranscodeEvent) => void;
  readonly #limits: TranscoderLimits;
  readonly #child: ChildProcess;
  readonly #outcome = Promise.withResolvers<TranscodeResult>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #uploads = new Map<string, OpenUpload>();
  readonly #watch: NodeJS.Timeout;
  #progress = -1;
  #progressAt = performance.now();
  #isOver = false;

  constructor(
    job: TranscodeJob,
    access: TranscodeAccess,
    onEvent: (event: TranscodeEvent) => void,
    limits: TranscoderLimits,
    worker: StartedWorker,
  ) {
    this.#access = access;
    this.#onEvent = onEvent;
    this.#limits = limits;
    this.#child = worker.child;
    this.#child.on('message', (message: FromWorker) => this.#take(message, job));
    this.#child.on('error', () => this.#fail('Unknown error: the transcoder could not be started.'));
    this.#child.on('exit', (code, signal) => {
      const settle = (): void => {
        this.#fail(`Unknown error: the transcoder ended unexpectedly (${signal ?? `exit code ${code}`}).`);
        this.#exited.resolve();
      };
      // The last message may still be in the pipe: it is read before the channel closes.
      if (this.#child.connected) this.#child.once('disconnect', settle);
      else settle();
    });
    if (worker.isReady) this.#start(job);
    this.#watch = setInterval(() => this.#checkProgress(), Math.min(1000, limits.stallMs / 4));
    this.result = this.#finish();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#send({ kind: 'cancel' });
    const timer = setTimeout(() => this.#kill(), this.#limits.cancelMs);
    void this.#exited.promise.then(() => {
      clearTimeout(timer);
      this.#outcome.reject(new TranscodeCancelledError());
    });
  }

  /** A worker that could not clean up leaves uploads open: they are aborted in its place. */
  async #finish(): Promise<TranscodeResult> {
    try {
      return await this.#outcome.promise;
    } finally {
      clearInterval(this.#watch);
      if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined) {
        const timer = setTimeout(() => this.#kill(), 2000);
        await this.#exited.promise;
        clearTimeout(timer);
      }
      if (this.#uploads.size > 0) {
        const s3 = createS3(this.#access, () => this.#access.credentials());
        await abortUploads(s3, this.#uploads.values());
        s3.destroy();
      }
    }
  }

  #take(message: FromWorker, job: TranscodeJob): void {
    switch (message.kind) {
      case 'ready':
        this.#start(job);
        return;
      case 'credentials-wanted':
        void this.#giveCredentials();
        return;
      case 'event':
        if (!this.#isOver) this.#onEvent(message.event);
        return;
      case 'alive':
        this.#checkAlive(message.residentBytes, message.progress);
        return;
      case 'upload-begun':
        this.#uploads.set(message.upload.uploadId, message.upload);
        return;
      case 'upload-ended':
        this.#uploads.delete(message.uploadId);
        return;
      case 'done':
        if (this.#isOver) return;
        this.#isOver = true;
        this.#outcome.resolve(message.result);
        return;
      case 'failed':
        this.#uploads.clear();
        this.#fail(message.message, message.code);
    }
  }

  #start(job: TranscodeJob): void {
    this.#send({ kind: 'start', job, access: workerAccess(this.#access) });
  }

  async #giveCredentials(): Promise<void> {
    try {
      this.#send({ kind: 'credentials', credentials: await this.#access.credentials() });
    } catch (error) {
      const code = error instanceof TranscodeError ? error.code : ERROR_CODES.unknown;
      const message = error instanceof TranscodeError ? error.message : 'The role could not be assumed.';
      this.#send({ kind: 'credentials-refused', code, message });
      this.#fail(message, code);
    }
  }

  #checkAlive(residentBytes: number, progress: number): void {
    this.peakMemoryBytes = Math.max(this.peakMemoryBytes, residentBytes);
    if (progress !== this.#progress) {
      this.#progress = progress;
      this.#progressAt = performance.now();
    }
    if (residentBytes <= this.#limits.memoryBytes || this.#isOver) return;
    const ceiling = Math.round(this.#limits.memoryBytes / 1024 ** 2);
    this.#kill();
    this.#fail(`Unknown error: the transcoder needed more than ${ceiling} MiB of memory.`);
  }

  #checkProgress(): void {
    const stalledMs = performance.now() - this.#progressAt;
    if (this.#isOver || stalledMs < this.#limits.stallMs) return;
    this.#kill();
    this.#fail(`Unknown error: the transcoder made no progress for ${Math.round(stalledMs / 1000)} seconds.`);
  }

  #fail(message: string, code: number = ERROR_CODES.unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outcome.reject(new TranscodeError(code, message));
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Without the credentials, which a worker asks for. */
function workerAccess({ endpoint, region, http }: TranscodeAccess): WorkerAccess {
  return { endpoint, region, ...(http !== undefined && { http }) };
}
