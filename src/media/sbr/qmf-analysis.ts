import { fft64, SIZE } from './fft64.ts';
import { PROTOTYPE_HALF } from './qmf-window.ts';

/** Bands of the filter bank, and new samples of each of its slots. */
export const BANDS = 64;
const TAPS = 640;
const PERIOD = 128;
const KEPT = TAPS - BANDS;
/** What is no sound, infinite or not a number, is above it or nowhere. */
const LOUDEST = 1000;

/** The prototype with the sign that a filter's phase has after whole periods of the modulation. */
const WINDOW: Float64Array = Float64Array.from({ length: TAPS }, (_, index) => {
  const value = PROTOTYPE_HALF[Math.min(index, TAPS - index)] ?? 0;
  return Math.floor(index / PERIOD) % 2 === 0 ? value : -value;
});

const TWIST_COS: Float64Array = Float64Array.from({ length: SIZE }, (_, n) => Math.cos((Math.PI * n) / PERIOD));
const TWIST_SIN: Float64Array = Float64Array.from({ length: SIZE }, (_, n) => Math.sin((Math.PI * n) / PERIOD));

/**
 * The complex analysis bank of 64 bands (ISO/IEC 14496-3, 4.6.18.4.1, at the full rate), of one channel. Band `k` is about
 * the frequency `(k + 0.5) / 128` of the sample rate; phases are the filters' own, which magnitudes and predictions do not
 * ask for.
 */
export class QmfAnalysis {
  readonly #samples: Float64Array;
  readonly #slots: number;
  readonly #folded = new Float64Array(PERIOD);
  readonly #re = new Float64Array(SIZE);
  readonly #im = new Float64Array(SIZE);

  /** @param slots of each call */
  constructor(slots: number) {
    this.#slots = slots;
    this.#samples = new Float64Array(KEPT + slots * BANDS);
  }

  /**
   * Filters the next samples.
   *
   * @param samples 64 for each slot
   * @param scale their factor
   * @param re slot by slot, 64 values each, from `at` on
   */
  analyze(samples: Float32Array, scale: number, re: Float64Array, im: Float64Array, at: number): void {
    const window = this.#samples;
    window.copyWithin(0, this.#slots * BANDS);
    for (let index = 0; index < this.#slots * BANDS; index++) {
      const sample = samples[index] ?? 0;
      // Files of floating point may hold anything.
      window[KEPT + index] = Math.abs(sample) < LOUDEST ? sample * scale : 0;
    }
    for (let slot = 0; slot < this.#slots; slot++) this.#slot(slot * BANDS + TAPS - 1, re, im, at + slot * BANDS);
  }

  #slot(last: number, toRe: Float64Array, toIm: Float64Array, at: number): void {
    const samples = this.#samples;
    const folded = this.#folded;
    for (let n = 0; n < PERIOD; n++) {
      let sum = 0;
      for (let tap = n; tap < TAPS; tap += PERIOD) sum += (WINDOW[tap] as number) * (samples[last - tap] as number);
      folded[n] = sum;
    }
    // The odd frequencies of a real signal of 128: those of even bands from one complex transform of 64, and the others
    // are their conjugates.
    const re = this.#re;
    const im = this.#im;
    for (let n = 0; n < SIZE; n++) {
      const a = folded[n] as number;
      const b = folded[n + SIZE] as number;
      const cos = TWIST_COS[n] as number;
      const sin = TWIST_SIN[n] as number;
      re[n] = a * cos - b * sin;
      im[n] = a * sin + b * cos;
    }
    fft64(re, im);
    for (let band = 0; band < BANDS; band += 2) {
      toRe[at + band] = re[band >> 1] as number;
      toIm[at + band] = im[band >> 1] as number;
      toRe[at + band + 1] = re[SIZE - 1 - (band >> 1)] as number;
      toIm[at + band + 1] = -(im[SIZE - 1 - (band >> 1)] as number);
    }
  }
}
