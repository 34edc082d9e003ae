/** Seconds in which too many bits are made up for by fewer. */
const HORIZON = 0.4;
/** Of bits that were not needed, so many seconds' worth are kept for what comes. */
const RESERVOIR = 0.1;
/** Of the core's usual rate. */
const LEAST = 0.25;
const MOST = 1.2;

/** Keeps an encoder at a constant bitrate that by itself only aims at one: it tells the rate for each of its frames. */
export class RateControl {
  readonly #bitrate: number;
  readonly #frameSeconds: number;
  /** Bits a second of what stands beside the core's. */
  #extensionRate: number;
  /** Bits a second of a frame of silence. */
  #silentRate = 1500;
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

  /** Bits a second that the core is to aim at now. */
  get rate(): number {
    const core = Math.max(this.#bitrate - this.#extensionRate, this.#bitrate / 4);
    return Math.min(Math.max(core - this.#debt / HORIZON, core * LEAST), core * MOST);
  }

  /**
   * The same for silence: as much as it takes. An encoder that is to make more of it sharpens its quantisation, frame by
   * frame, and would spend too much on the first sound.
   */
  get silentRate(): number {
    return this.#silentRate;
  }

  /**
   * Counts a frame.
   *
   * @param coreBits without what was added to it
   */
  add(coreBits: number, bits: number): void {
    const rate = coreBits / this.#frameSeconds;
    if (rate < this.#bitrate / 8) this.#silentRate += (rate - this.#silentRate) / 4;
    this.#extensionRate += ((bits - coreBits) / this.#frameSeconds - this.#extensionRate) / 16;
    this.#debt = Math.max(this.#debt + bits - this.#bitrate * this.#frameSeconds, -this.#bitrate * RESERVOIR);
  }
}
