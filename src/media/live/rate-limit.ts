/** As much as comes in this time may come at once. */
const BURST_MS = 1000;

/** Lets so many bits a second pass, and no more. */
export class RateLimit {
  readonly #bytesOfOneMs: number;
  #tokens: number;
  #at = 0;
  /** Packets that were over the limit. */
  dropped = 0;

  /** @param bitsPerSecond the limit */
  constructor(bitsPerSecond: number) {
    this.#bytesOfOneMs = bitsPerSecond / 8000;
    this.#tokens = this.#bytesOfOneMs * BURST_MS;
  }

  /** Whether a packet of so many bytes may pass now; it is counted then. */
  admits(bytes: number, now: number): boolean {
    const most = this.#bytesOfOneMs * BURST_MS;
    this.#tokens = Math.min(most, this.#tokens + (now - this.#at) * this.#bytesOfOneMs);
    this.#at = now;
    if (this.#tokens < bytes) {
      this.dropped += 1;
      return false;
    }
    this.#tokens -= bytes;
    return true;
  }
}
