/** Work that a service does by itself, at its start and again and again: one turn after the other, never two at once. */
export class Upkeep {
  readonly #every: number;
  readonly #turn: () => Promise<unknown>;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<unknown> = Promise.resolve();

  /**
   * @param every in milliseconds
   * @param onError hears of a turn that failed; the next one comes all the same
   */
  constructor(every: number, turn: () => Promise<unknown>, onError: (error: unknown) => void) {
    this.#every = every;
    this.#turn = turn;
    this.#onError = onError;
  }

  start(): void {
    this.#timer = setInterval(() => this.#wake(), this.#every);
    this.#timer.unref();
    this.#wake();
  }

  /** Waits for the turn under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
  }

  #wake(): void {
    this.#work = this.#work.then(() => this.#turn().catch(this.#onError));
  }
}
