/** So many steps of the rate factor double what most films take. Source: x264's and x265's quantisers. */
const STEPS_PER_DOUBLING = 6;
/** Of films that were looked at twice: grain takes fewer, as it is gone all at once. */
const [FEWEST_STEPS, MOST_STEPS] = [1.5, 12];
/** The factor is set anew after so many pictures. */
const INTERVAL = 12;
/** No further from where it began than this, so that the quality of a film stays even. */
const MOST_CHANGE = 5;
const [LEAST_FACTOR, MOST_FACTOR] = [8, 45];

/** What the first pass over a film found. */
export interface FirstPass {
  /** With this rate factor, */
  readonly factor: number;
  /** each picture took so many bits. */
  readonly bits: readonly number[];
  /** So many steps double what the film takes; 6 when absent. */
  readonly steps?: number;
}

/**
 * What several passes with different factors tell: the one that came nearest to the budget, and how fast the film grows
 * between it and the nearest one on the other side.
 *
 * @param passes at least one
 * @param budget bits of the whole film
 */
export function nearestPass(passes: readonly [FirstPass, ...FirstPass[]], budget: number): FirstPass {
  const doublings = (pass: FirstPass): number => Math.log2(Math.max(1, totalOf(pass)) / Math.max(1, budget));
  const [best = passes[0], ...others] = passes.toSorted((a, b) => Math.abs(doublings(a)) - Math.abs(doublings(b)));
  const other = others.find((pass) => doublings(pass) * doublings(best) < 0) ?? others[0];
  if (other === undefined) return best;
  const steps = (best.factor - other.factor) / (doublings(other) - doublings(best));
  const isTold = Number.isFinite(steps) && steps > 0;
  return isTold ? { ...best, steps: Math.min(MOST_STEPS, Math.max(FEWEST_STEPS, steps)) } : best;
}

export function totalOf({ bits }: FirstPass): number {
  return bits.reduce((sum, one) => sum + one, 0);
}

/**
 * Leads the second pass over a film: chooses the rate factor with which the whole comes to the bits that it may take,
 * and corrects it by what the pictures do take. Bits go to where the first pass found that they are needed.
 */
export class RateGuide {
  readonly #pass: FirstPass;
  readonly #budget: number;
  readonly #start: number;
  readonly #least: number;
  readonly #total: number;
  readonly #steps: number;
  #factor: number;
  #seen = 0;
  #spent = 0;
  #predicted = 0;
  #rest: number;

  /**
   * @param budget bits of the whole film
   * @param least the factor below which quality is not needed
   */
  constructor(pass: FirstPass, budget: number, least = LEAST_FACTOR) {
    this.#pass = pass;
    this.#budget = budget;
    this.#least = least;
    this.#total = totalOf(pass);
    this.#steps = pass.steps ?? STEPS_PER_DOUBLING;
    this.#rest = this.#total;
    this.#factor = this.#needed(this.#total, budget);
    this.#start = this.#factor;
  }

  get factor(): number {
    return this.#factor;
  }

  /** Takes the size of the next picture; returns another factor now and then. */
  take(bits: number): number | undefined {
    const before = this.#pass.bits[this.#seen] ?? this.#total / Math.max(1, this.#pass.bits.length);
    this.#seen += 1;
    this.#spent += bits;
    this.#rest -= before;
    this.#predicted += before * 2 ** ((this.#pass.factor - this.#factor) / this.#steps);
    if (this.#seen % INTERVAL !== 0 || this.#rest <= 0) return undefined;
    const error = Math.min(2, Math.max(0.5, this.#spent / this.#predicted));
    const wanted = this.#needed(this.#rest * error, Math.max(1, this.#budget - this.#spent));
    const next = Math.min(this.#start + MOST_CHANGE, Math.max(this.#start - MOST_CHANGE, wanted));
    const rounded = Math.round(Math.max(this.#least, next) * 100) / 100;
    if (rounded === this.#factor) return undefined;
    this.#factor = rounded;
    return rounded;
  }

  #needed(bits: number, budget: number): number {
    const factor = this.#pass.factor + this.#steps * Math.log2(Math.max(1, bits) / budget);
    return Math.round(Math.min(MOST_FACTOR, Math.max(this.#least, factor)) * 100) / 100;
  }
}
