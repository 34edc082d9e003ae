const LONGEST_MS = 60_000;

/** The round trip, measured by requests that the other side echoes; the request carries this side's clock. */
export class RoundTripMeter {
  #milliseconds: number | undefined;

  /** Smoothed, as TCP does it; `undefined` before the first answer. */
  get milliseconds(): number | undefined {
    return this.#milliseconds;
  }

  /** The two words of a request that is sent now, of microseconds. */
  stamp(now: number): { readonly high: number; readonly low: number } {
    const us = Math.round(now * 1000);
    return { high: Math.floor(us / 2 ** 32), low: us % 2 ** 32 };
  }

  /** @param delayUs microseconds that the other side kept the request */
  answer(high: number, low: number, delayUs: number, now: number): void {
    const measured = now - (high * 2 ** 32 + low + delayUs) / 1000;
    // Answers to nothing that was asked.
    if (!(measured >= -1 && measured < LONGEST_MS)) return;
    const sample = Math.max(0, measured);
    this.#milliseconds = this.#milliseconds === undefined ? sample : this.#milliseconds * 0.875 + sample * 0.125;
  }
}
