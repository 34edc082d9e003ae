import { BANDS } from '../sbr/qmf-analysis.ts';

/** Slots before and behind one that the filters of its lowest bands look at. */
export const HYBRID_REACH = 6;
/** Parameters' bands, at the finer of the two baseline resolutions. */
export const STEREO_BANDS = 20;

/** The filter bank's bands that are divided further, and into how many. */
const DIVIDED = 3;
const PARTS = 10;
/** The first filters, up to their middle, which mirrors. Sources: ISO/IEC 14496-3, 8.6.4.3. */
const EIGHT: readonly number[] = [
  0.00746082949812, 0.02270420949825, 0.04546865930473, 0.07266113929591, 0.09885108575264, 0.11793710567217, 0.125,
];
const TWO: readonly number[] = [0, 0.01899487526049, 0, -0.07293139167538, 0, 0.30596630545168, 0.5];
const TAPS = 2 * HYBRID_REACH + 1;

function mirrored(half: readonly number[]): Float64Array {
  return Float64Array.from({ length: TAPS }, (_, tap) => half[Math.min(tap, TAPS - 1 - tap)] ?? 0);
}

const EIGHTH: Float64Array = mirrored(EIGHT);
const HALF: Float64Array = mirrored(TWO);

/** Of the filters that divide the lowest band, by filter and tap. */
const EIGHTH_RE = new Float64Array(8 * TAPS);
const EIGHTH_IM = new Float64Array(8 * TAPS);
for (let filter = 0; filter < 8; filter++) {
  for (let tap = 0; tap < TAPS; tap++) {
    const angle = (2 * Math.PI * (filter + 0.5) * (tap - HYBRID_REACH)) / 8;
    EIGHTH_RE[filter * TAPS + tap] = (EIGHTH[tap] as number) * Math.cos(angle);
    EIGHTH_IM[filter * TAPS + tap] = -(EIGHTH[tap] as number) * Math.sin(angle);
  }
}

/** Which of the parts of the lowest band each of the eight filters adds to. */
const PART_OF: readonly number[] = [2, 3, 4, 5, 5, 4, 0, 1];
/** The parameters' band of each part. Source: ISO/IEC 14496-3, table 8.48. */
const BAND_OF_PART: readonly number[] = [1, 0, 0, 1, 2, 3, 4, 5, 6, 7];
/** Where the parameters' bands from the ninth on begin, in bands of the filter bank. */
const WIDE: readonly number[] = [3, 4, 5, 6, 7, 8, 9, 11, 14, 18, 23, 35];

/** The parameters' band of each band of the filter bank that is not divided. */
const BAND_OF: readonly number[] = Array.from(
  { length: BANDS },
  (_, band) => STEREO_BANDS - WIDE.length - 1 + WIDE.filter((border) => border <= band).length,
);

/** How two channels are to each other in each slot: by slot and parameters' band. */
export interface SlotStereo {
  readonly left: Float64Array;
  readonly right: Float64Array;
  /** What is alike in both, or below 0 what is the opposite. */
  readonly both: Float64Array;
}

/** One channel's bands, slot by slot, 64 values each. */
export interface Bands {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Adds up energies of two channels in a slot that has as many beside it as the filters reach. */
export class SlotMeter {
  readonly #left = { re: new Float64Array(PARTS), im: new Float64Array(PARTS) };
  readonly #right = { re: new Float64Array(PARTS), im: new Float64Array(PARTS) };

  /** @param at the index of the row of `to` that is written */
  measure(left: Bands, right: Bands, slot: number, to: SlotStereo, at: number): void {
    const row = at * STEREO_BANDS;
    to.left.fill(0, row, row + STEREO_BANDS);
    to.right.fill(0, row, row + STEREO_BANDS);
    to.both.fill(0, row, row + STEREO_BANDS);
    divide(left, slot, this.#left);
    divide(right, slot, this.#right);
    for (let part = 0; part < PARTS; part++) add(this.#left, this.#right, part, to, row + (BAND_OF_PART[part] ?? 0));
    for (let band = DIVIDED; band < BANDS; band++) {
      add(left, right, slot * BANDS + band, to, row + (BAND_OF[band] as number));
    }
  }
}

function add(left: Bands, right: Bands, from: number, to: SlotStereo, at: number): void {
  const [x, y] = [left.re[from] as number, left.im[from] as number];
  const [u, v] = [right.re[from] as number, right.im[from] as number];
  to.left[at] = (to.left[at] as number) + x * x + y * y;
  to.right[at] = (to.right[at] as number) + u * u + v * v;
  to.both[at] = (to.both[at] as number) + x * u + y * v;
}

/** Divides the three lowest bands of a slot: six parts of the first, two of each other (ISO/IEC 14496-3, 8.6.4.3). */
function divide({ re, im }: Bands, slot: number, to: Bands): void {
  to.re.fill(0);
  to.im.fill(0);
  const first = (slot - HYBRID_REACH) * BANDS;
  for (let filter = 0; filter < 8; filter++) {
    let [sumRe, sumIm] = [0, 0];
    for (let tap = 0; tap < TAPS; tap++) {
      const x = re[first + tap * BANDS] as number;
      const y = im[first + tap * BANDS] as number;
      const filterRe = EIGHTH_RE[filter * TAPS + tap] as number;
      const filterIm = EIGHTH_IM[filter * TAPS + tap] as number;
      sumRe += x * filterRe - y * filterIm;
      sumIm += x * filterIm + y * filterRe;
    }
    const part = PART_OF[filter] as number;
    to.re[part] = (to.re[part] as number) + sumRe;
    to.im[part] = (to.im[part] as number) + sumIm;
  }
  for (let band = 1; band < DIVIDED; band++) {
    let [oddRe, oddIm] = [0, 0];
    for (let tap = 1; tap < TAPS; tap += 2) {
      oddRe += (re[first + tap * BANDS + band] as number) * (HALF[tap] as number);
      oddIm += (im[first + tap * BANDS + band] as number) * (HALF[tap] as number);
    }
    const middleRe = (re[slot * BANDS + band] as number) * (HALF[HYBRID_REACH] as number);
    const middleIm = (im[slot * BANDS + band] as number) * (HALF[HYBRID_REACH] as number);
    // In an odd band, what is lower is nearer to half a turn for each slot.
    const sign = band % 2 === 0 ? 1 : -1;
    const lower = 4 + 2 * band;
    to.re[lower] = middleRe + sign * oddRe;
    to.im[lower] = middleIm + sign * oddIm;
    to.re[lower + 1] = middleRe - sign * oddRe;
    to.im[lower + 1] = middleIm - sign * oddIm;
  }
}
