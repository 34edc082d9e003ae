import { createHmac, randomBytes } from 'node:crypto';

/** Milliseconds: a cookie is good for one to two of these. */
const PERIOD = 60_000;

/**
 * The cookies of a listener: a caller gets one, and is remembered only when it comes back with it, so that addresses
 * that are not its own cost nothing.
 */
export class Cookies {
  readonly #secret = randomBytes(32);

  make(peer: string, now: number): number {
    return this.#of(peer, Math.floor(now / PERIOD));
  }

  isGood(cookie: number, peer: string, now: number): boolean {
    const period = Math.floor(now / PERIOD);
    return cookie === this.#of(peer, period) || cookie === this.#of(peer, period - 1);
  }

  #of(peer: string, period: number): number {
    return createHmac('sha256', this.#secret).update(`${peer} ${period}`).digest().readUInt32BE(0);
  }
}
