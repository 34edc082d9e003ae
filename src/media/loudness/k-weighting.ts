/** A second-order filter: what comes out depends on the last two samples that went in and out. */
export interface Biquad {
  readonly b: readonly [number, number, number];
  readonly a: readonly [number, number];
}

/** The head's effect: a shelf that lifts high frequencies by 4 dB. Source: ITU-R BS.1770, for any rate. */
function headFilter(rate: number): Biquad {
  const q = 0.707_175_236_955_419_6;
  const k = Math.tan((Math.PI * 1681.974_450_955_533) / rate);
  const high = 10 ** (3.999_843_853_973_347 / 20);
  const middle = high ** 0.499_666_774_154_541_6;
  const norm = 1 + k / q + k * k;
  return {
    b: [
      (high + (middle * k) / q + k * k) / norm,
      (2 * (k * k - high)) / norm,
      (high - (middle * k) / q + k * k) / norm,
    ],
    a: [(2 * (k * k - 1)) / norm, (1 - k / q + k * k) / norm],
  };
}

/** The curve for low frequencies (RLB). Source: ITU-R BS.1770, for any rate. */
function lowFilter(rate: number): Biquad {
  const q = 0.500_327_037_323_877_3;
  const k = Math.tan((Math.PI * 38.135_470_876_024_44) / rate);
  const norm = 1 + k / q + k * k;
  return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / norm, (1 - k / q + k * k) / norm] };
}

/** Both filters for one channel; they remember what came before. */
export class KWeighting {
  readonly #stages: readonly [Biquad, Biquad];
  /** The two values that each stage remembers. */
  readonly #state = new Float64Array(4);

  constructor(rate: number) {
    this.#stages = [headFilter(rate), lowFilter(rate)];
  }

  /** The sum of the squares of the filtered samples. */
  energyOf(samples: Float32Array, from: number, to: number): number {
    const [head, low] = this.#stages;
    const [h0, h1, h2] = head.b;
    const [g1, g2] = head.a;
    const [l0, l1, l2] = low.b;
    const [m1, m2] = low.a;
    let [s1 = 0, s2 = 0, t1 = 0, t2 = 0] = this.#state;
    let energy = 0;
    for (let index = from; index < to; index++) {
      const sample = samples[index] ?? 0;
      const shelved = h0 * sample + s1;
      s1 = h1 * sample - g1 * shelved + s2;
      s2 = h2 * sample - g2 * shelved;
      const weighted = l0 * shelved + t1;
      t1 = l1 * shelved - m1 * weighted + t2;
      t2 = l2 * shelved - m2 * weighted;
      energy += weighted * weighted;
    }
    this.#state.set([s1, s2, t1, t2]);
    return energy;
  }
}
