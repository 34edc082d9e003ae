/** About a third of a second. */
const STEPS = 20_000_000;

/** How much comparing one validation may cost: what is beyond it is taken as right, and nobody else waits for it. */
export class Work {
  #left = STEPS;

  /** @returns false when there is not so much left */
  spend(steps: number): boolean {
    if (steps > this.#left) return false;
    this.#left -= steps;
    return true;
  }
}
