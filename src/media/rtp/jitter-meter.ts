import { TICKS_PER_MS } from './rtp-packet.ts';

/** Differences beyond ten seconds tell of a clock that was set, not of a slow network. */
const LONGEST_TICKS = 10_000 * TICKS_PER_MS;

/** How unevenly packets come: the interarrival jitter of RFC 3550, section 6.4.1. */
export class JitterMeter {
  #jitter = 0;
  #transit = 0;
  #hasTransit = false;

  /** @param timestamp of the packet, in ticks of 90 kHz */
  add(timestamp: number, now: number): void {
    const transit = now * TICKS_PER_MS - timestamp;
    if (this.#hasTransit) {
      // Modulo 2^32, as the timestamp wraps.
      const difference = Math.abs(Math.round(transit - this.#transit) | 0);
      if (difference < LONGEST_TICKS) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
    this.#hasTransit = true;
  }

  get milliseconds(): number {
    return this.#jitter / TICKS_PER_MS;
  }

  /** In ticks of 90 kHz, as reports carry it. */
  get ticks(): number {
    return Math.round(this.#jitter);
  }
}
