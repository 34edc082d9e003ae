/**
 * A bounded cache of what belongs to groups, such as the grants of one key: a change of one group forgets that group
 * alone.
 */
export class GroupedCache<Value> {
  readonly #capacity: number;
  readonly #groups = new Map<string, Map<string, Value>>();
  readonly #loads = new Set<{ readonly group: string; isStale: boolean }>();
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Called when something of the group has changed. */
  forget(group: string): void {
    for (const load of this.#loads) if (load.group === group) load.isStale = true;
    this.#drop(group);
  }

  clear(): void {
    for (const load of this.#loads) load.isStale = true;
    this.#groups.clear();
    this.#size = 0;
  }

  /**
   * The cached value, or what `load` finds; `undefined` is not kept.
   *
   * INVARIANT: what was read before a change of its group is not kept after it, even when the reading ended later.
   */
  async get<Found extends Value | undefined>(group: string, key: string, load: () => Promise<Found>): Promise<Found> {
    const cached = this.#groups.get(group)?.get(key);
    if (cached !== undefined) return cached as Found;
    const reading = { group, isStale: false };
    this.#loads.add(reading);
    try {
      const value = await load();
      if (value !== undefined && !reading.isStale) this.#keep(group, key, value);
      return value;
    } finally {
      this.#loads.delete(reading);
    }
  }

  #keep(group: string, key: string, value: Value): void {
    while (this.#size >= this.#capacity) {
      const [oldest] = this.#groups.keys();
      if (oldest === undefined) break;
      this.#drop(oldest);
    }
    const values = this.#groups.get(group) ?? new Map<string, Value>();
    this.#groups.set(group, values);
    if (!values.has(key)) this.#size++;
    values.set(key, value);
  }

  #drop(group: string): void {
    this.#size -= this.#groups.get(group)?.size ?? 0;
    this.#groups.delete(group);
  }
}
