/** A source that gave nothing for so long is gone. Milliseconds. */
export const SILENCE_MS = 200;
/** The preferred source is taken back once it has been there for so long without a pause. Milliseconds. */
export const STEADY_MS = 1000;

/**
 * Which of the sources of a flow is taken. One that gives nothing for 200 ms loses its place to another that does; the
 * preferred one gets it back when it has been there for a second.
 */
export class SourceChoice {
  readonly #preferred: number | undefined;
  readonly #lastAt: number[];
  readonly #steadySince: number[];
  #chosen: number | undefined;

  /**
   * @param count of sources
   * @param preferred its index, if one is
   */
  constructor(count: number, preferred: number | undefined) {
    this.#preferred = preferred;
    this.#lastAt = Array.from({ length: count }, () => Number.NEGATIVE_INFINITY);
    this.#steadySince = Array.from({ length: count }, () => Number.NEGATIVE_INFINITY);
  }

  /** The source that is taken; `undefined` before the first packet, and when none gives any. */
  get chosen(): number | undefined {
    return this.#chosen;
  }

  /**
   * Says that a source gave a packet.
   *
   * @returns whether it is to be taken
   */
  take(source: number, now: number): boolean {
    const last = this.#lastAt[source] ?? Number.NEGATIVE_INFINITY;
    if (now - last > SILENCE_MS) this.#steadySince[source] = now;
    this.#lastAt[source] = now;
    if (source === this.#chosen) return true;
    const isNeeded = this.#chosen === undefined || this.#isSilent(this.#chosen, now);
    const isBetter = source === this.#preferred && now - (this.#steadySince[source] ?? now) >= STEADY_MS;
    if (!isNeeded && !isBetter) return false;
    this.#chosen = source;
    return true;
  }

  /** To be called now and then: notices that no source is left. */
  tick(now: number): void {
    if (this.#chosen !== undefined && this.#isSilent(this.#chosen, now)) this.#chosen = undefined;
  }

  #isSilent(source: number, now: number): boolean {
    return now - (this.#lastAt[source] ?? Number.NEGATIVE_INFINITY) > SILENCE_MS;
  }
}
