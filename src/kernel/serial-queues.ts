/** Lets what is done to one thing happen one after the other, and to different things at once. */
export class SerialQueues {
  readonly #ends = new Map<string, Promise<unknown>>();

  /** Runs `work` when all that was asked for before, of the same key, has ended. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#ends.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const end = result.then(
      () => undefined,
      () => undefined,
    );
    this.#ends.set(key, end);
    void end.then(() => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    });
    return result;
  }

  /** When all that was asked for has ended. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
  }
}
