import type { Still, StillJob } from './still-job.ts';
import { StillsWorker, type StillsWorkerLimits } from './stills-worker.ts';

export interface StillsPoolLimits extends StillsWorkerLimits {
  /** Processes at most. */
  readonly workers: number;
  /** Requests that may wait for one. */
  readonly waiting: number;
  /** Milliseconds for which a request may wait. */
  readonly waitMs: number;
  /** Milliseconds without work after which a worker is ended. */
  readonly idleMs: number;
}

export const DEFAULT_STILLS_LIMITS: Omit<StillsPoolLimits, 'workers'> = {
  waiting: 32,
  waitMs: 20_000,
  jobMs: 45_000,
  memoryBytes: 1536 * 1024 ** 2,
  idleMs: 10_000,
};

/** Too many requests wait for a worker. */
export class StillsBusyError extends Error {
  constructor() {
    super('Too many images are being made at the moment.');
    this.name = 'StillsBusyError';
  }
}

/** A worker that is one request's own until `release`. */
export interface StillsLease extends Disposable {
  /**
   * Does one job; a worker that dies over it is replaced for the next.
   *
   * @returns one picture for each wanted time, as far as the job's maxima allow; `undefined` for those that the media
   *   did not give
   * @throws FFmpegUnavailableError
   */
  decode(job: StillJob): Promise<readonly Still[]>;
}

interface Seat {
  /** Whose media the process has seen. INVARIANT: it is never given to anybody else. */
  owner: string;
  worker: StillsWorker | undefined;
  isBusy: boolean;
  idleTimer: NodeJS.Timeout | undefined;
}

/**
 * A few worker processes that decode stills. What a file does to FFmpeg stays in there, and among one owner's media: a
 * crash, a hang or a hunger for memory costs the pictures of one job.
 */
export class StillsPool {
  readonly #limits: StillsPoolLimits;
  readonly #seats: Seat[];
  readonly #waiting: { readonly take: (seat: Seat) => void }[] = [];
  #isClosed = false;

  constructor(limits: StillsPoolLimits) {
    this.#limits = limits;
    this.#seats = Array.from({ length: limits.workers }, () => ({
      owner: '',
      worker: undefined,
      isBusy: false,
      idleTimer: undefined,
    }));
  }

  /** The process ids of the workers that run. */
  get pids(): readonly number[] {
    return this.#seats.flatMap(({ worker }) => (worker?.isDead === false ? [worker.pid ?? 0] : []));
  }

  /**
   * Waits for a worker.
   *
   * @param owner whose media it is to see
   * @throws StillsBusyError when too many wait, or for too long, or when the signal was aborted meanwhile
   */
  async lease(owner: string, signal: AbortSignal): Promise<StillsLease> {
    const seat = this.#freeSeat(owner) ?? (await this.#wait(signal));
    clearTimeout(seat.idleTimer);
    if (seat.owner !== owner) this.#empty(seat);
    seat.owner = owner;
    let isReleased = false;
    return {
      decode: async (job) => {
        if (isReleased || this.#isClosed) throw new StillsBusyError();
        if (seat.worker === undefined || seat.worker.isDead) seat.worker = new StillsWorker(this.#limits);
        return (await seat.worker.decode(job)) ?? job.wanted.map(() => undefined);
      },
      [Symbol.dispose]: () => {
        if (isReleased) return;
        isReleased = true;
        this.#release(seat);
      },
    };
  }

  /** Ends all workers, also those at work. */
  close(): void {
    this.#isClosed = true;
    for (const seat of this.#seats) {
      clearTimeout(seat.idleTimer);
      this.#empty(seat);
    }
  }

  /** One whose process knows the owner's media already, else one without a process, else any. */
  #freeSeat(owner: string): Seat | undefined {
    if (this.#isClosed) throw new StillsBusyError();
    const free = this.#seats.filter((seat) => !seat.isBusy);
    const seat = free.find((one) => one.owner === owner) ?? free.find((one) => one.worker === undefined) ?? free[0];
    if (seat !== undefined) seat.isBusy = true;
    return seat;
  }

  #wait(signal: AbortSignal): Promise<Seat> {
    if (this.#waiting.length >= this.#limits.waiting || signal.aborted) throw new StillsBusyError();
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
        settle();
        reject(new StillsBusyError());
      };
      const timer = setTimeout(giveUp, this.#limits.waitMs);
      signal.addEventListener('abort', giveUp);
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      };
      const waiter = {
        take(seat: Seat) {
          settle();
          resolve(seat);
        },
      };
      this.#waiting.push(waiter);
    });
  }

  #release(seat: Seat): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.take(seat);
      return;
    }
    seat.isBusy = false;
    seat.idleTimer = setTimeout(() => this.#empty(seat), this.#limits.idleMs).unref();
  }

  #empty(seat: Seat): void {
    seat.worker?.kill();
    seat.worker = undefined;
  }
}
