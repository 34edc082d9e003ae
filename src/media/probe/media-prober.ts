import { spawnWorker } from '../spawn-worker.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { FromProber, ProbedMedia, ToProber } from './probed-media.ts';

export interface ProberLimits {
  /** Processes at a time. */
  readonly workers: number;
  /** Milliseconds of one look. */
  readonly milliseconds: number;
  /** Resident bytes. */
  readonly memoryBytes: number;
}

const DEFAULT_PROBER_LIMITS: ProberLimits = { workers: 2, milliseconds: 30_000, memoryBytes: 1024 ** 3 };

/** Too many files are being looked into. */
export class ProberBusyError extends Error {
  constructor() {
    super('Too many files are being probed at the moment.');
    this.name = 'ProberBusyError';
  }
}

/** A file that is to be looked into. */
export interface ProbeSource {
  /** How messages call it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** @returns exactly `length` bytes from `offset` on; rejects when they cannot be had */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Looks into files, each in a process of its own, which is gone after that. */
export class MediaProber {
  readonly #limits: ProberLimits;
  #running = 0;

  constructor(limits: ProberLimits = DEFAULT_PROBER_LIMITS) {
    this.#limits = limits;
  }

  /**
   * @throws TranscodeError when it is not readable media; what `read` rejected with; ProberBusyError
   */
  async probe(source: ProbeSource): Promise<ProbedMedia> {
    if (this.#running >= this.#limits.workers) throw new ProberBusyError();
    this.#running += 1;
    try {
      return await this.#run(source);
    } finally {
      this.#running -= 1;
    }
  }

  async #run(source: ProbeSource): Promise<ProbedMedia> {
    const { milliseconds, memoryBytes } = this.#limits;
    const child = spawnWorker(new URL('../worker/probe-main.ts', import.meta.url));
    const outcome = Promise.withResolvers<ProbedMedia>();
    const fail = (cause: string): void =>
      outcome.reject(new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(source.name, cause)));
    const send = (message: ToProber): void => {
      child.send(message, (error) => {
        if (error !== null) fail('The probe ended unexpectedly');
      });
    };
    child.on('message', (message: FromProber) => {
      switch (message.kind) {
        case 'ready':
          return send({ kind: 'start', size: source.size, name: source.name, memoryBytes });
        case 'read': {
          const { offset, length, window } = message;
          source.read(offset, length).then((bytes) => send({ kind: 'bytes', window, bytes }), outcome.reject);
          return;
        }
        case 'done':
          return outcome.resolve(message.media);
        case 'failed':
          return outcome.reject(new TranscodeError(message.code, message.message));
      }
    });
    child.on('error', () => fail('The probe could not be started'));
    child.on('exit', () => fail('The probe ended unexpectedly'));
    const timer = setTimeout(() => fail('The probe took too long'), milliseconds);
    try {
      return await outcome.promise;
    } finally {
      clearTimeout(timer);
      child.kill('SIGKILL');
    }
  }
}
