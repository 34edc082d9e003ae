import { fft64, SIZE } from './fft64.ts';
import { BANDS } from './qmf-analysis.ts';
import { PROTOTYPE_HALF } from './qmf-window.ts';

/** The lower half of the analysis bank's bands, and samples at half the rate that each slot gives. */
const CORE_BANDS: number = BANDS / 2;
const TAPS = 320;

/** Every second value of the analysis bank's prototype. */
const PROTOTYPE: Float64Array = Float64Array.from(
  { length: TAPS },
  (_, index) => PROTOTYPE_HALF[Math.min(2 * index, 2 * (TAPS - index))] ?? 0,
);
/** What makes analysis and synthesis together one. */
const GAIN: number = 1 / BANDS;

/** By tap: the prototype with its gain, and the sign that the modulation has after whole periods. */
const WINDOW: Float64Array = PROTOTYPE.map((value, tap) => (Math.floor(tap / SIZE) % 2 === 0 ? -1 : 1) * GAIN * value);
const TWIST_COS: Float64Array = Float64Array.from({ length: SIZE }, (_, n) => Math.cos((Math.PI * n) / SIZE));
const TWIST_SIN: Float64Array = Float64Array.from({ length: SIZE }, (_, n) => Math.sin((Math.PI * n) / SIZE));

/**
 * Samples at half the rate, of the lower 32 bands of `QmfAnalysis` (ISO/IEC 14496-3, 4.6.18.4.3). A sample `n` is what
 * went into the analysis as sample `2 n - 577`.
 */
export class QmfSynthesis {
  readonly #sums = new Float64Array(TAPS);
  readonly #re = new Float64Array(SIZE);
  readonly #im = new Float64Array(SIZE);

  /**
   * Makes the next samples.
   *
   * @param samples 32 for each slot
   * @param scale their factor
   * @param bandsRe slot by slot, 64 values each, of which only those below `upToBand` count
   */
  synthesize(
    bandsRe: Float64Array,
    bandsIm: Float64Array,
    upToBand: number,
    scale: number,
    samples: Float32Array,
  ): void {
    const [sums, re, im] = [this.#sums, this.#re, this.#im];
    const bands = Math.min(upToBand, CORE_BANDS);
    for (let slot = 0; slot < samples.length / CORE_BANDS; slot++) {
      re.fill(0);
      im.fill(0);
      for (let band = 0; band < bands; band++) {
        re[band] = bandsRe[slot * BANDS + band] as number;
        im[band] = bandsIm[slot * BANDS + band] as number;
      }
      fft64(re, im);
      sums.copyWithin(0, CORE_BANDS);
      sums.fill(0, TAPS - CORE_BANDS);
      for (let n = 0; n < SIZE; n++) {
        const wave = (re[n] as number) * (TWIST_COS[n] as number) - (im[n] as number) * (TWIST_SIN[n] as number);
        for (let tap = n; tap < TAPS; tap += SIZE) sums[tap] = (sums[tap] as number) + wave * (WINDOW[tap] as number);
      }
      for (let index = 0; index < CORE_BANDS; index++) {
        samples[slot * CORE_BANDS + index] = (sums[index] as number) * scale;
      }
    }
  }
}
