import { FRAME_SLOTS } from '../sbr/band-signal.ts';
import { BANDS } from '../sbr/qmf-analysis.ts';
import type { Bands } from './hybrid-bands.ts';

/** Slots of which weights are told; between them they go straight. */
const BLOCK = 8;
/** The weight of what was before, beside the energies at hand. */
const MEMORY = 0.7;
/** Weights when nothing is heard. */
const USUAL = 0.5;
/** Nothing is made louder than by 12 dB. */
const MOST = 4;
/** An energy that is nothing: below what 16 bits tell. */
const SILENCE = 1;
/** From this likeness down, one channel gives way to the other, and at the second one it is gone. */
const OPPOSITE_FROM = -0.2;
const OPPOSITE_TO = -0.8;
/** The left one's share of the energy, up to which it is the one that gives way, and from which the right one is. */
const FAINT = 0.25;
const LOUD = 0.4;

/**
 * Makes one channel of two, band by band, with half the energy of both together, which is what decoders divide again. Where
 * one is the other's opposite, so that both would cancel, it has but one of them.
 */
export class Downmix {
  readonly #left = new Float64Array(BANDS);
  readonly #right = new Float64Array(BANDS);
  readonly #both = new Float64Array(BANDS);
  readonly #leftWeights = new Float64Array(BANDS).fill(USUAL);
  readonly #rightWeights = new Float64Array(BANDS).fill(USUAL);

  /**
   * Mixes a frame.
   *
   * @param from the slot that begins it in `left` and `right`
   * @param at the one that begins it in `to`
   */
  mix(left: Bands, right: Bands, from: number, to: Bands, at: number): void {
    for (let block = 0; block < FRAME_SLOTS; block += BLOCK) {
      for (let band = 0; band < BANDS; band++) {
        this.#mixBlock(left, right, (from + block) * BANDS + band, to, (at + block) * BANDS + band, band);
      }
    }
  }

  #mixBlock(left: Bands, right: Bands, from: number, to: Bands, at: number, band: number): void {
    let [leftEnergy, rightEnergy, both] = [0, 0, 0];
    for (let index = from; index < from + BLOCK * BANDS; index += BANDS) {
      const [x, y] = [left.re[index] as number, left.im[index] as number];
      const [u, v] = [right.re[index] as number, right.im[index] as number];
      leftEnergy += x * x + y * y;
      rightEnergy += u * u + v * v;
      both += x * u + y * v;
    }
    leftEnergy += (this.#left[band] as number) * MEMORY;
    rightEnergy += (this.#right[band] as number) * MEMORY;
    both += (this.#both[band] as number) * MEMORY;
    this.#left[band] = leftEnergy;
    this.#right[band] = rightEnergy;
    this.#both[band] = both;
    const [leftTo, rightTo] = weightsOf(leftEnergy, rightEnergy, both);
    let leftWeight = this.#leftWeights[band] as number;
    let rightWeight = this.#rightWeights[band] as number;
    const leftStep = (leftTo - leftWeight) / BLOCK;
    const rightStep = (rightTo - rightWeight) / BLOCK;
    for (let slot = 0; slot < BLOCK; slot++) {
      leftWeight += leftStep;
      rightWeight += rightStep;
      const index = from + slot * BANDS;
      to.re[at + slot * BANDS] = leftWeight * (left.re[index] as number) + rightWeight * (right.re[index] as number);
      to.im[at + slot * BANDS] = leftWeight * (left.im[index] as number) + rightWeight * (right.im[index] as number);
    }
    this.#leftWeights[band] = leftTo;
    this.#rightWeights[band] = rightTo;
  }
}

function weightsOf(left: number, right: number, both: number): readonly [number, number] {
  if (left + right < SILENCE) return [USUAL, USUAL];
  const likeness = both / Math.sqrt(left * right + Number.MIN_VALUE);
  const opposite = within((likeness - OPPOSITE_FROM) / (OPPOSITE_TO - OPPOSITE_FROM));
  const isLeft = within((left / (left + right) - FAINT) / (LOUD - FAINT));
  const leftShare = 1 - opposite * (1 - isLeft);
  const rightShare = 1 - opposite * isLeft;
  const mixed = leftShare ** 2 * left + rightShare ** 2 * right + 2 * leftShare * rightShare * both;
  const gain = Math.min(MOST, Math.sqrt((left + right) / 2 / Math.max(mixed, SILENCE / MOST ** 2)));
  return [leftShare * gain, rightShare * gain];
}

function within(value: number): number {
  return Math.min(1, Math.max(0, value));
}
