/** Slots; powers of two. The ring grows when a longer latency or a higher rate needs it. */
const FIRST_CAPACITY = 8192;
const MOST_CAPACITY = 65_536;

/**
 * Payloads between the oldest that may be asked for again and the newest, by position (packets since the connection
 * began). Payloads are kept as they came, and are shared by all takers of a stream.
 *
 * INVARIANT: tail <= sent <= head; slots outside of [tail, head) are empty.
 */
export class SendRing {
  #capacity = FIRST_CAPACITY;
  #payloads: (Buffer | undefined)[] = Array.from<Buffer | undefined>({ length: FIRST_CAPACITY });
  #origins = new Float64Array(FIRST_CAPACITY);
  #sentAt = new Float64Array(FIRST_CAPACITY);
  /** The oldest position that is kept; the next to be sent; the next to be given to a payload. */
  tail = 0;
  sent = 0;
  head = 0;

  /** @returns false when there is no room */
  push(payload: Buffer, now: number): boolean {
    if (this.head - this.tail >= this.#capacity && !this.#grow()) return false;
    const slot = this.#slot(this.head++);
    this.#payloads[slot] = payload;
    this.#origins[slot] = now;
    return true;
  }

  payloadAt(position: number): Buffer {
    return this.#payloads[this.#slot(position)] as Buffer;
  }

  /** When the payload was pushed. */
  originAt(position: number): number {
    return this.#origins[this.#slot(position)] as number;
  }

  /** When the payload was sent last. */
  sentAt(position: number): number {
    return this.#sentAt[this.#slot(position)] as number;
  }

  markSent(position: number, now: number): void {
    this.#sentAt[this.#slot(position)] = now;
  }

  /** Forgets all before `position`, which is not beyond the head. */
  release(position: number): void {
    for (; this.tail < position; this.tail++) this.#payloads[this.#slot(this.tail)] = undefined;
    if (this.sent < this.tail) this.sent = this.tail;
  }

  #slot(position: number): number {
    return position & (this.#capacity - 1);
  }

  #grow(): boolean {
    const capacity = this.#capacity * 2;
    if (capacity > MOST_CAPACITY) return false;
    const payloads = Array.from<Buffer | undefined>({ length: capacity });
    const [origins, sentAt] = [new Float64Array(capacity), new Float64Array(capacity)];
    for (let position = this.tail; position < this.head; position++) {
      const [from, to] = [this.#slot(position), position & (capacity - 1)];
      payloads[to] = this.#payloads[from];
      origins[to] = this.#origins[from] as number;
      sentAt[to] = this.#sentAt[from] as number;
    }
    this.#capacity = capacity;
    this.#payloads = payloads;
    this.#origins = origins;
    this.#sentAt = sentAt;
    return true;
  }
}
