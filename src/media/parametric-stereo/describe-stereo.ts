import { FRAME_SLOTS } from '../sbr/band-signal.ts';
import { STEREO_BANDS, type SlotStereo } from './hybrid-bands.ts';
import type { StereoEnvelope, StereoGrid } from './stereo-data.ts';

/** Decibels of each step of a level difference. Source: ISO/IEC 14496-3, tables 8.24 and 8.25. */
const COARSE: readonly number[] = [0, 2, 4, 7, 10, 14, 18, 25];
const FINE: readonly number[] = [0, 2, 4, 6, 8, 10, 13, 16, 19, 22, 25, 30, 35, 40, 45, 50];
/** The likeness of each step. Source: the same, table 8.26. */
const COHERENCES: readonly number[] = [1, 0.937, 0.84118, 0.60092, 0.36764, 0, -0.589, -1];
/** An energy that is nothing, beside which all is in the middle. */
const SILENCE = 2;
/** From this difference on, nobody hears how like the fainter channel is. */
const ONE_SIDED = 30;
/** Decibels by which the way from one end of an envelope to the other misses what is, from which on there are more. */
const TOO_FAR = 7;
const LOUDEST = 25;

/** What the envelopes' ends are chosen from. */
interface Parameters {
  /** By band: decibels. */
  readonly levels: readonly number[];
  readonly coherences: readonly number[];
  /** By band: of both channels. */
  readonly energies: readonly number[];
}

/** Tells how two channels are to each other at the ends of envelopes. */
export class StereoDescription {
  readonly #grid: StereoGrid;
  /** The level differences at the last frame's end. */
  #before: readonly number[];

  constructor(grid: StereoGrid) {
    this.#grid = grid;
    this.#before = Array.from({ length: grid.bands }, () => 0);
  }

  /**
   * Describes a frame.
   *
   * @param slots of the frame, and half as many on both sides
   * @param from the slot that begins the frame
   */
  describe(slots: SlotStereo, from: number): StereoEnvelope[] {
    const at = (ends: number, end: number): Parameters =>
      this.#around(slots, from + (end * FRAME_SLOTS) / ends, FRAME_SLOTS / ends / 2);
    const whole = [at(1, 1)];
    const quarters = [1, 2, 3, 4].map((end) => at(4, end));
    const isFar = (envelopes: readonly Parameters[]): boolean => missed(this.#before, envelopes, quarters) > TOO_FAR;
    let chosen = whole;
    if (isFar(whole)) {
      const halves = [at(2, 1), at(2, 2)];
      chosen = isFar(halves) ? quarters : halves;
    }
    this.#before = chosen.at(-1)?.levels ?? this.#before;
    return chosen.map(({ levels, coherences }) => ({
      levels: levels.map((level) => stepOf(level, this.#grid.isFine ? FINE : COARSE)),
      coherences: coherences.map(nearest),
    }));
  }

  /** What is so around the beginning of a slot. */
  #around({ left, right, both }: SlotStereo, slot: number, reach: number): Parameters {
    const { bands } = this.#grid;
    const width = STEREO_BANDS / bands;
    const levels: number[] = [];
    const coherences: number[] = [];
    const energies: number[] = [];
    for (let band = 0; band < bands; band++) {
      let [sumLeft, sumRight, sumBoth] = [SILENCE, SILENCE, SILENCE];
      for (let row = slot - reach; row < slot + reach; row++) {
        for (let index = row * STEREO_BANDS + band * width; index < row * STEREO_BANDS + (band + 1) * width; index++) {
          sumLeft += left[index] as number;
          sumRight += right[index] as number;
          sumBoth += both[index] as number;
        }
      }
      const level = 10 * Math.log10(sumLeft / sumRight);
      levels.push(level);
      coherences.push(Math.abs(level) > ONE_SIDED ? 1 : sumBoth / Math.sqrt(sumLeft * sumRight));
      energies.push(sumLeft + sumRight);
    }
    return { levels, coherences, energies };
  }
}

/** Mean decibels, by energy, by which the way along envelopes' ends misses a quarter's; of the quarter it misses most. */
function missed(before: readonly number[], ends: readonly Parameters[], quarters: readonly Parameters[]): number {
  const levelAt = (end: number, band: number): number => limited((ends[end]?.levels ?? before)[band] ?? 0);
  const misses = quarters.map(({ levels, energies }, quarter) => {
    const place = ((quarter + 1) * ends.length) / quarters.length;
    const last = Math.ceil(place) - 1;
    const share = place - last;
    let [sum, weights] = [0, 0];
    for (const [band, level] of levels.entries()) {
      // Loud bands count for more, but not alone.
      const weight = Math.sqrt(energies[band] ?? 0);
      const straight = levelAt(last - 1, band) * (1 - share) + levelAt(last, band) * share;
      sum += weight * Math.abs(limited(level) - straight);
      weights += weight;
    }
    return sum / weights;
  });
  return Math.max(...misses);
}

function limited(level: number): number {
  return Math.min(LOUDEST, Math.max(-LOUDEST, level));
}

/** The step of a level difference, below 0 where the right channel is louder. */
function stepOf(level: number, steps: readonly number[]): number {
  const loud = Math.abs(level);
  let step = 0;
  while (step + 1 < steps.length && loud > ((steps[step] ?? 0) + (steps[step + 1] ?? 0)) / 2) step += 1;
  return level < 0 ? -step : step;
}

function nearest(coherence: number): number {
  let step = 0;
  while (step + 1 < COHERENCES.length && coherence < ((COHERENCES[step] ?? 0) + (COHERENCES[step + 1] ?? 0)) / 2) {
    step += 1;
  }
  return step;
}
