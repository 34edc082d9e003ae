/** So many deleted streams are remembered, for those who found one just before it went. */
const REMEMBERED_ENDS = 10_000;

interface Activity {
  producer: { readonly id: string; readonly end: AbortController } | undefined;
  /** Who reads or may read the stream's new fragments. */
  watchers: number;
  readonly waiting: Set<(isOver: boolean) => void>;
}

/** Wakes who waits for a stream's news. */
export interface News {
  /** Resolves with false when there will be none: the stream was deleted, or the signal aborted. */
  readonly arrived: Promise<boolean>;
  cancel(): void;
}

/** Another connection writes to the stream. */
export class StreamBusyError extends Error {
  constructor() {
    super('Another connection is putting media into the stream.');
    this.name = 'StreamBusyError';
  }
}

/** Who writes to and who waits for each stream, in this process. */
export class StreamActivity {
  readonly #activities = new Map<string, Activity>();
  readonly #ended = new Set<string>();

  /**
   * Lets one producer at a time in, until `leave`.
   *
   * @param id of the producer's ingest
   * @returns a signal that is aborted when the stream is deleted
   * @throws StreamBusyError
   */
  enter(streamId: string, id: string): AbortSignal {
    const activity = this.#activityOf(streamId);
    if (activity.producer !== undefined) throw new StreamBusyError();
    const end = new AbortController();
    activity.producer = { id, end };
    if (this.#ended.has(streamId)) end.abort();
    return end.signal;
  }

  /** The ingest that writes to the stream now. */
  producerOf(streamId: string): string | undefined {
    return this.#activities.get(streamId)?.producer?.id;
  }

  leave(streamId: string): void {
    const activity = this.#activities.get(streamId);
    if (activity === undefined) return;
    activity.producer = undefined;
    this.#forgetIfIdle(streamId, activity);
  }

  watch(streamId: string): void {
    this.#activityOf(streamId).watchers++;
  }

  unwatch(streamId: string): void {
    const activity = this.#activities.get(streamId);
    if (activity === undefined) return;
    activity.watchers--;
    this.#forgetIfIdle(streamId, activity);
  }

  isWatched(streamId: string): boolean {
    return (this.#activities.get(streamId)?.watchers ?? 0) > 0;
  }

  /** Begins to listen at once: what is announced after the call is not missed. */
  news(streamId: string, signal: AbortSignal): News {
    if (signal.aborted || this.#ended.has(streamId)) return { arrived: Promise.resolve(false), cancel: () => {} };
    const activity = this.#activityOf(streamId);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = (isOver: boolean): void => {
      activity.waiting.delete(wake);
      signal.removeEventListener('abort', abort);
      this.#forgetIfIdle(streamId, activity);
      resolve(!isOver);
    };
    const abort = (): void => wake(true);
    activity.waiting.add(wake);
    signal.addEventListener('abort', abort);
    return { arrived: promise, cancel: abort };
  }

  /** Says that there is a new fragment, and that it is durable. */
  announce(streamId: string): void {
    for (const wake of this.#activities.get(streamId)?.waiting ?? []) wake(false);
  }

  /** Says that the stream is gone. */
  end(streamId: string): void {
    this.#ended.add(streamId);
    if (this.#ended.size > REMEMBERED_ENDS) {
      for (const oldest of this.#ended) {
        this.#ended.delete(oldest);
        break;
      }
    }
    const activity = this.#activities.get(streamId);
    activity?.producer?.end.abort();
    for (const wake of activity?.waiting ?? []) wake(true);
  }

  #activityOf(streamId: string): Activity {
    let activity = this.#activities.get(streamId);
    if (activity === undefined) {
      activity = { producer: undefined, watchers: 0, waiting: new Set() };
      this.#activities.set(streamId, activity);
    }
    return activity;
  }

  #forgetIfIdle(streamId: string, { producer, watchers, waiting }: Activity): void {
    if (producer === undefined && watchers === 0 && waiting.size === 0) this.#activities.delete(streamId);
  }
}
