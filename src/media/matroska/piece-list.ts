/** Shorter pieces are copied together, so that a stream that comes in drops does not take a view for each drop. */
const COPY_BELOW = 4096;
const TAIL_BYTES = 64 * 1024;

/** Gathers stretches of bytes without joining them: views of what came, and copies of what came in small bits. */
export class PieceList {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  // The stretch that may still grow: appending to it costs no view.
  #run: Buffer | undefined;
  #runFrom = 0;
  #runTo = 0;
  #tail: Buffer | undefined;
  #tailFrom = 0;
  #tailTo = 0;

  get bytes(): number {
    return this.#bytes;
  }

  append(source: Buffer, from: number, to: number): void {
    this.#bytes += to - from;
    if (source === this.#run && from === this.#runTo) {
      this.#runTo = to;
      return;
    }
    this.#settleRun();
    this.#run = source;
    this.#runFrom = from;
    this.#runTo = to;
  }

  /** The pieces in order; empty ones are left out. */
  pieces(): Buffer[] {
    this.#settleRun();
    this.#settleTail();
    return this.#pieces;
  }

  /** All of it in one buffer of its own. */
  join(): Buffer {
    return Buffer.concat(this.pieces(), this.#bytes);
  }

  #settleRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined || this.#runTo === this.#runFrom) return;
    if (this.#runTo - this.#runFrom >= COPY_BELOW) {
      this.#settleTail();
      this.#pieces.push(run.subarray(this.#runFrom, this.#runTo));
      return;
    }
    let from = this.#runFrom;
    while (from < this.#runTo) {
      if (this.#tail === undefined || this.#tailTo === this.#tail.length) {
        this.#settleTail();
        this.#tail = Buffer.allocUnsafeSlow(this.#tail === undefined ? COPY_BELOW : TAIL_BYTES);
        this.#tailFrom = 0;
        this.#tailTo = 0;
      }
      const copied = run.copy(this.#tail, this.#tailTo, from, this.#runTo);
      this.#tailTo += copied;
      from += copied;
    }
  }

  #settleTail(): void {
    if (this.#tail === undefined || this.#tailTo === this.#tailFrom) return;
    this.#pieces.push(this.#tail.subarray(this.#tailFrom, this.#tailTo));
    this.#tailFrom = this.#tailTo;
  }
}
