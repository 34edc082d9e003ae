/** Milliseconds; SRT's first guess. */
const FIRST_GUESS = 100;
const LONGEST = 60_000;

/** The smoothed time to the peer and back (RFC 6298's way, with SRT's weights), in milliseconds. */
export class RoundTrip {
  #mean = FIRST_GUESS;
  #variance = FIRST_GUESS / 2;
  #isMeasured = false;

  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  get mean(): number {
    return this.#mean;
  }

  get variance(): number {
    return this.#variance;
  }

  /** How long to wait before it is likely that something was lost on its way there or back. */
  get patience(): number {
    return this.#mean + 2 * this.#variance;
  }

  /** A time that was measured here. */
  add(sample: number): void {
    const taken = Math.min(Math.max(sample, 0.01), LONGEST);
    if (!this.#isMeasured) {
      this.#isMeasured = true;
      this.#mean = taken;
      this.#variance = taken / 2;
      return;
    }
    this.#variance += (Math.abs(taken - this.#mean) - this.#variance) / 4;
    this.#mean += (taken - this.#mean) / 8;
  }

  /** What the peer measured, which has smoothed it already. */
  set(mean: number, variance: number): void {
    if (mean <= 0) return;
    this.#isMeasured = true;
    this.#mean = Math.min(mean, LONGEST);
    this.#variance = Math.min(Math.max(variance, 0), LONGEST);
  }
}
