/** Seconds in which too many bits are made up for by fewer. */
const HORIZON = 0.3;
/** Of bits that were not needed, so many seconds' worth are kept for what comes. */
const RESERVOIR = 0.1;
/** Of the rate that was asked for. */
const LEAST = 0.2;
const MOST = 1.25;

/**
 * Keeps an encoder at a constant bitrate that by itself only aims at one: after each frame, it is told the rate for the
 * next ones.
 */
export class RateControl {
  readonly #bitrate: number;
  readonly #frameSeconds: number;
  /** Of the core's bits, those that it makes for one that it was asked for. */
  #extensionRate: number;
  /** Bits that were used beyond those that were due; below 0 for those that are left. */
  #debt = 0;

  /**
   * @param bitrate of the whole, in bits a second
   * @param coreRate of the encoder alone at the beginning
   */
  constructor(bitrate: number, frameSeconds: number, coreRate: number) {
    this.#bitrate = bitrate;
    this.#frameSeconds = frameSeconds;
    this.#extensionRate = bitrate - coreRate;
  }

  /**
   * @param bits of a whole frame
   * @param extensionBits of those, what stands beside the core's
   * @returns bits a second that the core is to aim at now
   */
  coreRate(bits: number, extensionBits: number): number {
    this.#extensionRate += (extensionBits / this.#frameSeconds - this.#extensionRate) / 16;
    this.#debt = Math.max(this.#debt + bits - this.#bitrate * this.#frameSeconds, -this.#bitrate * RESERVOIR);
    const core = this.#bitrate - this.#extensionRate;
    return Math.min(Math.max(core - this.#debt / HORIZON, core * LEAST), core * MOST);
  }
}
