/** Of the most that a picture may carry (31), at 60 pictures a second: more than a minute. */
const MOST_KEPT = 1 << 17;

/**
 * Data of closed captions as they were found in pictures, on their way to the outputs that take them over. They are kept
 * until the last of these has them; where one falls behind, the oldest are dropped.
 */
export class ClosedData {
  #times: number[] = [];
  #triplets: number[] = [];
  /** How many were released before the first that is kept. */
  #released = 0;
  readonly #readers = new Set<ClosedDataReader>();

  /** A reader of what comes from now on. */
  openReader(): ClosedDataReader {
    const reader = new ClosedDataReader(this, this.#released + this.#times.length);
    this.#readers.add(reader);
    return reader;
  }

  /** @param triplet the three bytes of a closed caption's construct as one number */
  add(ms: number, triplet: number): void {
    if (this.#readers.size === 0) return;
    this.#times.push(ms);
    this.#triplets.push(triplet);
    if (this.#times.length > MOST_KEPT) this.#release(this.#released + MOST_KEPT / 2);
  }

  /** The one at a place, if it is there and not later than `ms`. */
  at(place: number, ms: number): number | undefined {
    const index = place - this.#released;
    return (this.#times[index] ?? Number.POSITIVE_INFINITY) <= ms ? this.#triplets[index] : undefined;
  }

  get first(): number {
    return this.#released;
  }

  /** Lets go of what all readers have, a good many at a time. */
  forgetRead(): void {
    const until = Math.min(...[...this.#readers].map(({ place }) => place));
    if (until - this.#released >= 1024) this.#release(until);
  }

  close(reader: ClosedDataReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#release(this.#released + this.#times.length);
  }

  get keptCount(): number {
    return this.#times.length;
  }

  #release(until: number): void {
    const count = until - this.#released;
    this.#times = this.#times.slice(count);
    this.#triplets = this.#triplets.slice(count);
    this.#released = until;
  }
}

/** What one output has of them. */
export class ClosedDataReader {
  readonly #data: ClosedData;
  #place: number;

  constructor(data: ClosedData, place: number) {
    this.#data = data;
    this.#place = place;
  }

  get place(): number {
    return this.#place;
  }

  /** @returns at most so many that are not later than `ms`, in their order */
  take(most: number, ms: number): number[] {
    this.#place = Math.max(this.#place, this.#data.first);
    const taken: number[] = [];
    for (let next = this.#data.at(this.#place, ms); next !== undefined; next = this.#data.at(this.#place, ms)) {
      taken.push(next);
      this.#place += 1;
      if (taken.length === most) break;
    }
    this.#data.forgetRead();
    return taken;
  }

  close(): void {
    this.#data.close(this);
  }
}
