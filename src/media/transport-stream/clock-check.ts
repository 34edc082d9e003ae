const TICKS_OF_ONE_MS = 27_000;
/** The counter's range: 33 bits of 90 kHz, each 300 ticks. */
const WRAP = 2 ** 33 * 300;
/** Milliseconds between two clock references at most (TR 101 290, 2.3a), and the largest step without an announcement. */
const INTERVAL_MS = 100;
/** 500 nanoseconds (TR 101 290, 2.4). */
const ACCURACY_TICKS = 13.5;

interface Reference {
  readonly ticks: number;
  /** Of its packet in the stream, in bytes. */
  readonly position: number;
}

/** Checks one program's clock references. */
export class ClockCheck {
  #previous: Reference | undefined;
  #last: Reference | undefined;
  #lastAt = Number.POSITIVE_INFINITY;

  /** What comes next is of another clock. */
  reset(): void {
    this.#previous = undefined;
    this.#last = undefined;
    this.#lastAt = Number.POSITIVE_INFINITY;
  }

  /**
   * @param ticks of 27 MHz
   * @param position of the packet in the stream, in bytes
   * @param now milliseconds
   * @returns how many errors it shows: references too far apart, and one that is off the constant rate between its
   *   neighbours (which says something of streams of a constant rate only)
   */
  pcr(ticks: number, position: number, now: number): { readonly interval: number; readonly accuracy: number } {
    const last = this.#last;
    const previous = this.#previous;
    const next = { ticks, position };
    this.#lastAt = now;
    this.#last = next;
    this.#previous = last;
    if (last === undefined) return NONE;
    const step = (ticks - last.ticks + WRAP) % WRAP;
    if (step > INTERVAL_MS * TICKS_OF_ONE_MS) {
      this.#previous = undefined;
      return { interval: 1, accuracy: 0 };
    }
    if (previous === undefined) return NONE;
    const span = (ticks - previous.ticks + WRAP) % WRAP;
    const expected = (span * (last.position - previous.position)) / (position - previous.position);
    const actual = (last.ticks - previous.ticks + WRAP) % WRAP;
    return Math.abs(actual - expected) > ACCURACY_TICKS ? { interval: 0, accuracy: 1 } : NONE;
  }

  /** @returns 1 where a reference is long overdue */
  tick(now: number): number {
    // Datagrams come in bursts: late by the wall clock is only what is late by far.
    if (now - this.#lastAt <= 5 * INTERVAL_MS) return 0;
    this.#lastAt = now;
    return 1;
  }
}

const NONE = { interval: 0, accuracy: 0 } as const;
