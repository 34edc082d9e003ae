/** A bounded cache that forgets everything when something changed, or what is known to have changed. */
export class ChangeCache<Value> {
  readonly #capacity: number;
  readonly #values = new Map<string, Value>();
  #generation = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Called when this value alone has changed. */
  forget(key: string): void {
    this.#generation++;
    this.#values.delete(key);
  }

  clear(): void {
    this.#generation++;
    this.#values.clear();
  }

  /**
   * The cached value, or what `load` finds; `undefined` is not kept.
   *
   * INVARIANT: what was read before a change is not kept after it, even when the reading ended later.
   */
  async get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const cached = this.#values.get(key);
    if (cached !== undefined) return cached;
    const generation = this.#generation;
    const value = await load();
    if (value === undefined || generation !== this.#generation) return value;
    if (this.#values.size >= this.#capacity) {
      for (const oldest of this.#values.keys()) {
        this.#values.delete(oldest);
        break;
      }
    }
    this.#values.set(key, value);
    return value;
  }
}
