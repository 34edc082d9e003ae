const PHASES = 4;
const TAPS = 12;

/** The taps of a low-pass that finds the values between samples: a sinc in a window (Blackman's), by phase. */
const FILTERS: readonly Float64Array[] = Array.from({ length: PHASES }, (_, phase) =>
  Float64Array.from({ length: TAPS }, (_unused, tap) => {
    const at = tap - TAPS / 2 + 1 - phase / PHASES;
    const sinc = at === 0 ? 1 : Math.sin(Math.PI * at) / (Math.PI * at);
    const turn = (Math.PI * at) / (TAPS / 2);
    return Math.abs(at) >= TAPS / 2 ? 0 : sinc * (0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  }),
);

/** The highest value of one channel, between its samples too (ITU-R BS.1770, annex 2). */
export class TruePeak {
  #peak = 0;
  #held = new Float32Array(TAPS - 1);

  /** A factor; 1 is full scale. */
  get peak(): number {
    return this.#peak;
  }

  add(samples: Float32Array): void {
    const all = new Float32Array(this.#held.length + samples.length);
    all.set(this.#held);
    all.set(samples, this.#held.length);
    for (let start = 0; start + TAPS <= all.length; start++) this.#look(all, start);
    this.#held = all.slice(Math.max(0, all.length - TAPS + 1));
  }

  #look(all: Float32Array, start: number): void {
    for (const filter of FILTERS) {
      let value = 0;
      for (let tap = 0; tap < TAPS; tap++) value += (filter[tap] ?? 0) * (all[start + tap] ?? 0);
      const size = Math.abs(value);
      if (size > this.#peak) this.#peak = size;
    }
  }
}
