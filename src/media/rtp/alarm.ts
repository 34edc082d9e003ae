/** Calls at a time that is given and may be brought forward: one timer for a leg, and none while nothing is due. */
export class Alarm {
  readonly #ring: (now: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(ring: (now: number) => void) {
    this.#ring = ring;
  }

  /** @param time by `performance.now()`; an earlier one that is set already stays, and infinity sets none */
  setFor(time: number): void {
    if (time >= this.#dueAt) return;
    this.#dueAt = time;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#fire, Math.max(1, time - performance.now()));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#ring(performance.now());
  };
}
