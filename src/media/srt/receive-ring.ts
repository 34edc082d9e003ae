/** Slots; powers of two. The ring grows when a longer latency or a higher rate needs it: 65,536 are 15 s of 46 Mb/s. */
const FIRST_CAPACITY = 8192;
const MOST_CAPACITY = 65_536;

const MISSING = 0;
const HERE = 1;
const GIVEN_UP = 2;

/**
 * Packets between the next to give out and the newest, by position (packets since the connection began).
 *
 * INVARIANT: next <= settled <= end; slots outside of [next, end) are empty; `missing` counts the missing ones within.
 */
export class ReceiveRing {
  #capacity = FIRST_CAPACITY;
  #payloads: (Buffer | undefined)[] = emptySlots(FIRST_CAPACITY);
  #due = new Float64Array(FIRST_CAPACITY);
  #states = new Uint8Array(FIRST_CAPACITY);
  #askedAt = new Float64Array(FIRST_CAPACITY);
  /** The next position to give out; the first that is missing; the one after the newest. */
  next = 0;
  settled = 0;
  end = 0;
  missing = 0;
  /** The first packet that is here; -1 when none is. */
  firstHere = -1;

  /** Free slots, had the ring grown as far as it may. */
  get room(): number {
    return MOST_CAPACITY - (this.end - this.next);
  }

  /** Whether a packet of this position is here already, or not waited for. */
  isSettled(position: number): boolean {
    return position < this.end && this.#states[this.#slot(position)] !== MISSING;
  }

  wasAskedFor(position: number): boolean {
    return position < this.end && this.#askedAt[this.#slot(position)] !== 0;
  }

  dueAt(position: number): number {
    return this.#due[this.#slot(position)] as number;
  }

  /** @returns false of a position that is too far ahead */
  makeRoom(position: number): boolean {
    const needed = position - this.next + 1;
    if (needed > MOST_CAPACITY) return false;
    while (needed > this.#capacity) this.#grow();
    return true;
  }

  /** Puts a packet into its slot, for which there is room. Those between it and the newest are missing. */
  put(position: number, payload: Buffer, due: number): void {
    this.#reach(position);
    const slot = this.#slot(position);
    this.#payloads[slot] = payload;
    this.#due[slot] = due;
    this.#states[slot] = HERE;
    this.missing--;
    if (this.firstHere < 0 || position < this.firstHere) this.firstHere = position;
    this.#settle();
  }

  /** Does not wait any more for those of the packets that are missing; what is further ahead than the ring is not touched. */
  giveUp(first: number, last: number): void {
    if (!this.makeRoom(last)) return;
    if (first <= this.end && last >= this.end) this.#reach(last);
    const end = Math.min(last + 1, this.end);
    for (let position = Math.max(first, this.settled); position < end; position++) {
      const slot = this.#slot(position);
      if (this.#states[slot] !== MISSING) continue;
      this.#states[slot] = GIVEN_UP;
      this.missing--;
    }
    this.#settle();
  }

  /** Takes the first packet out that is here; those before it are lost. */
  takeFirst(counters: { lost: number }): Buffer {
    for (; this.next < this.firstHere; this.next++) this.#lose(counters);
    const slot = this.#slot(this.next);
    const payload = this.#payloads[slot] as Buffer;
    this.#payloads[slot] = undefined;
    this.next++;
    if (this.settled < this.next) this.settled = this.next;
    this.#settle();
    this.firstHere = this.#findHere();
    return payload;
  }

  /** Passes packets at the front that were given up: nothing has to be waited for. */
  skipGivenUp(counters: { lost: number }): void {
    while (this.next < this.settled && this.#states[this.#slot(this.next)] === GIVEN_UP) {
      this.#lose(counters);
      this.next++;
    }
  }

  /** The first missing packet from `from` on that was not asked for after `before`; -1 when there is none. */
  firstToAskFor(from: number, before: number): number {
    for (let position = from; position < this.end; position++) {
      if (this.#isToAskFor(position, before)) return position;
    }
    return -1;
  }

  /** The last of the unbroken row of such packets that begins with `first`. */
  lastToAskFor(first: number, before: number): number {
    let last = first;
    while (last + 1 < this.end && this.#isToAskFor(last + 1, before)) last++;
    return last;
  }

  /** @returns how many of the packets were not asked for before */
  markAsked(first: number, last: number, now: number): number {
    let firstTimes = 0;
    for (let position = first; position <= last; position++) {
      const slot = this.#slot(position);
      if (this.#askedAt[slot] === 0) firstTimes++;
      this.#askedAt[slot] = now;
    }
    return firstTimes;
  }

  #isToAskFor(position: number, before: number): boolean {
    const slot = this.#slot(position);
    const askedAt = this.#askedAt[slot] as number;
    return this.#states[slot] === MISSING && (askedAt === 0 || askedAt <= before);
  }

  #slot(position: number): number {
    return position & (this.#capacity - 1);
  }

  #lose(counters: { lost: number }): void {
    counters.lost++;
    if (this.#states[this.#slot(this.next)] === MISSING) this.missing--;
  }

  #findHere(): number {
    for (let position = this.next; position < this.end; position++) {
      if (this.#states[this.#slot(position)] === HERE) return position;
    }
    return -1;
  }

  /** Makes `position` part of the ring: it and those before it are missing. */
  #reach(position: number): void {
    for (; this.end <= position; this.end++) {
      const slot = this.#slot(this.end);
      this.#states[slot] = MISSING;
      this.#askedAt[slot] = 0;
      this.missing++;
    }
  }

  #settle(): void {
    while (this.settled < this.end && this.#states[this.#slot(this.settled)] !== MISSING) this.settled++;
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    const [payloads, due, states] = [emptySlots(capacity), new Float64Array(capacity), new Uint8Array(capacity)];
    const askedAt = new Float64Array(capacity);
    for (let position = this.next; position < this.end; position++) {
      const [from, to] = [this.#slot(position), position & (capacity - 1)];
      payloads[to] = this.#payloads[from];
      due[to] = this.#due[from] as number;
      states[to] = this.#states[from] as number;
      askedAt[to] = this.#askedAt[from] as number;
    }
    this.#capacity = capacity;
    this.#payloads = payloads;
    this.#due = due;
    this.#states = states;
    this.#askedAt = askedAt;
  }
}

function emptySlots(count: number): (Buffer | undefined)[] {
  return Array.from<Buffer | undefined>({ length: count });
}
