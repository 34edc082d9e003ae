import { BANDS, QmfAnalysis } from './qmf-analysis.ts';

/** Slots of the filter bank in a frame of 2048 samples. */
export const FRAME_SLOTS = 32;
export const FRAME_SAMPLES: number = FRAME_SLOTS * BANDS;
export const QUARTERS = 4;
const QUARTER_SLOTS: number = FRAME_SLOTS / QUARTERS;
/**
 * A decoder's high bands are those that it makes of what its core had so many slots before (ISO/IEC 14496-3, 4.6.18.5: the
 * generator works 8 slots late, and the adjustment 2 early).
 */
export const LATE_SLOTS = 6;
const KEPT_SLOTS: number = FRAME_SLOTS + LATE_SLOTS;
/** What the standard's samples are, for those from -1 to 1. */
export const FULL_SCALE = 32_768;

/**
 * What white noise in a band leaves unpredicted: neighbouring samples of a band are alike, as there are twice as many as
 * its width needs. By this a band's share is measured.
 */
const NOISE_RESIDUE = 0.45;
const LOADING = 1.0001;
/** The weight of what was before, beside the energy at hand. */
const MEMORY = 0.5;

/** One channel in bands, a frame at a time. */
export class BandSignal {
  /** Squared magnitudes of the frame that was taken in, summed over each quarter of it: 64 bands each. */
  readonly energies: Float64Array = new Float64Array(QUARTERS * BANDS);
  /** By band: which share of it no predictor finds, from 0, a steady tone, to 1, noise. Smoothed over frames. */
  readonly noisiness: Float64Array = new Float64Array(BANDS).fill(1);
  /** By band: the energy that its noisiness is from. */
  readonly #weights = new Float64Array(BANDS);
  readonly #filters = new QmfAnalysis(FRAME_SLOTS);
  readonly #re = new Float64Array(KEPT_SLOTS * BANDS);
  readonly #im = new Float64Array(KEPT_SLOTS * BANDS);

  /** Takes in the next 2048 samples, of which the frame's end is still held back. */
  push(samples: Float32Array, upToBand: number): void {
    this.#makeRoom();
    this.#filters.analyze(samples, FULL_SCALE, this.#re, this.#im, LATE_SLOTS * BANDS);
    this.#measure(upToBand);
  }

  /**
   * Takes in the next frame as another's filters have divided it; of one signal all frames have to come this way.
   *
   * @param re slot by slot, 64 values each, of which the first 32 slots count
   */
  pushBands(re: Float64Array, im: Float64Array, upToBand: number): void {
    this.#makeRoom();
    this.#re.set(re.subarray(0, FRAME_SLOTS * BANDS), LATE_SLOTS * BANDS);
    this.#im.set(im.subarray(0, FRAME_SLOTS * BANDS), LATE_SLOTS * BANDS);
    this.#measure(upToBand);
  }

  #makeRoom(): void {
    this.#re.copyWithin(0, FRAME_SLOTS * BANDS);
    this.#im.copyWithin(0, FRAME_SLOTS * BANDS);
  }

  #measure(upToBand: number): void {
    const re = this.#re;
    const im = this.#im;
    this.energies.fill(0);
    for (let slot = 0; slot < FRAME_SLOTS; slot++) {
      const to = Math.floor(slot / QUARTER_SLOTS) * BANDS;
      for (let band = 0; band < upToBand; band++) {
        const x = re[slot * BANDS + band] as number;
        const y = im[slot * BANDS + band] as number;
        this.energies[to + band] = (this.energies[to + band] as number) + x * x + y * y;
      }
    }
    for (let band = 0; band < upToBand; band++) {
      const share = Math.min(1, this.#residue(band) / NOISE_RESIDUE);
      let energy = 0;
      for (let at = band; at < QUARTERS * BANDS; at += BANDS) energy += this.energies[at] as number;
      const before = (this.#weights[band] as number) * MEMORY;
      const weight = before + energy + Number.MIN_VALUE;
      this.noisiness[band] = (before * (this.noisiness[band] as number) + energy * share) / weight;
      this.#weights[band] = weight;
    }
  }

  /** The share of a band's energy that the best linear prediction from two samples leaves. */
  #residue(band: number): number {
    const re = this.#re;
    const im = this.#im;
    let [power0, power1, power2, re01, im01, re02, im02, re12, im12] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let at = 2 * BANDS + band; at < KEPT_SLOTS * BANDS; at += BANDS) {
      const x = re[at] as number;
      const y = im[at] as number;
      const x1 = re[at - BANDS] as number;
      const y1 = im[at - BANDS] as number;
      const x2 = re[at - 2 * BANDS] as number;
      const y2 = im[at - 2 * BANDS] as number;
      power0 += x * x + y * y;
      power1 += x1 * x1 + y1 * y1;
      power2 += x2 * x2 + y2 * y2;
      re01 += x * x1 + y * y1;
      im01 += y * x1 - x * y1;
      re02 += x * x2 + y * y2;
      im02 += y * x2 - x * y2;
      re12 += x1 * x2 + y1 * y2;
      im12 += y1 * x2 - x1 * y2;
    }
    if (power0 < 1) return 1;
    // A little noise of its own lets a pure tone have an answer.
    power1 *= LOADING;
    power2 *= LOADING;
    const determinant = power1 * power2 - re12 * re12 - im12 * im12;
    if (determinant <= 0) return 1;
    const aRe = (re01 * power2 - (re12 * re02 + im12 * im02)) / determinant;
    const aIm = (im01 * power2 - (re12 * im02 - im12 * re02)) / determinant;
    const bRe = (re02 * power1 - (re12 * re01 - im12 * im01)) / determinant;
    const bIm = (im02 * power1 - (re12 * im01 + im12 * re01)) / determinant;
    const predicted = aRe * re01 + aIm * im01 + bRe * re02 + bIm * im02;
    return Math.max(0, Math.min(1, 1 - predicted / power0));
  }
}
