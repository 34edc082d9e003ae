/** Bits a second, from a counter of bytes that is read now and then. */
export class RateMeter {
  #bytes = 0;
  #at: number | undefined;
  #rate = 0;

  /**
   * @param bytes the counter
   * @param now milliseconds
   */
  read(bytes: number, now: number): number {
    const elapsed = this.#at === undefined ? 0 : now - this.#at;
    if (elapsed > 0) this.#rate = Math.round(((bytes - this.#bytes) * 8000) / elapsed);
    // A leg that was opened anew counts from 0.
    if (bytes < this.#bytes) this.#rate = 0;
    this.#bytes = bytes;
    this.#at = now;
    return this.#rate;
  }
}
