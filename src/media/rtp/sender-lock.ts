/** Milliseconds of silence after which another sender is taken at once. */
const PAUSE_MS = 100;
/** Packets of another sender in a row that show that it took the place of the present one. */
const TAKEOVER_RUN = 16;

/**
 * Follows one of the senders (SSRC) that a port hears: the present one, until it is silent or another took its place.
 * Packets of a second sender would otherwise fall into the sequence of the first.
 */
export class SenderLock {
  #ssrc = -1;
  #heardAt = Number.NEGATIVE_INFINITY;
  #other = -1;
  #run = 0;

  /** @returns `same` as before, `changed` to this packet's sender, or `other`: not to be taken */
  hear(ssrc: number, now: number): 'same' | 'changed' | 'other' {
    if (ssrc === this.#ssrc) {
      this.#heardAt = now;
      this.#run = 0;
      return 'same';
    }
    this.#run = ssrc === this.#other ? this.#run + 1 : 1;
    this.#other = ssrc;
    if (now - this.#heardAt < PAUSE_MS && this.#run < TAKEOVER_RUN) return 'other';
    this.#ssrc = ssrc;
    this.#heardAt = now;
    this.#run = 0;
    return 'changed';
  }
}
