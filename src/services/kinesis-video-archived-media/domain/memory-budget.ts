interface Waiting {
  readonly bytes: number;
  readonly enter: (leave: () => void) => void;
}

/**
 * Bounds the plaintext that is held in memory at once: who wants to hold some waits until there is room. What is larger
 * than the whole budget has it for itself.
 */
export class MemoryBudget {
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #held = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Waits for room.
   *
   * @param signal gives up: the client has gone
   * @returns to be called when the bytes are held no longer
   */
  async enter(bytes: number, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw clientGone();
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) return this.#take(bytes);
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiting: Waiting = { bytes, enter: resolve };
    this.#waiting.push(waiting);
    const giveUp = () => {
      const index = this.#waiting.indexOf(waiting);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      reject(clientGone());
      this.#admit();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#limit;
  }

  #take(bytes: number): () => void {
    this.#held += bytes;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#held -= bytes;
      this.#admit();
    };
  }

  /** In the order in which they came: a large one is not passed by for ever. */
  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.enter(this.#take(next.bytes));
    }
  }
}

/** As Node calls it: the gateway knows it from what was not foreseen. */
function clientGone(): Error {
  return Object.assign(new Error('The client has gone.'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}
