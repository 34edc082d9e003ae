import { ClosedData } from './closed-data.ts';
import { type Cue, MOST_TOGETHER } from './cue.ts';

/** The captions of one selector on the outputs' time line, which grow as a job goes on. */
export class CaptionTrack {
  /** In the order in which they begin. */
  #cues: Cue[] = [];
  /** The latest end of each caption and those before it. */
  #ends: number[] = [];
  /** Where the captions of each part of an input begin. */
  readonly #parts: number[] = [];
  /** What is on the screen now, of captions that are decoded with the pictures. */
  #open: ((nowMs: number) => Cue | undefined) | undefined;
  /** Data of closed captions as they were found in the pictures, for outputs that take them over. */
  readonly closed = new ClosedData();

  get cues(): readonly Cue[] {
    return this.#cues;
  }

  /** The captions that came with each part of an input. */
  part(index: number): readonly Cue[] | undefined {
    const from = this.#parts[index];
    return from === undefined ? undefined : this.#cues.slice(from, this.#parts[index + 1]);
  }

  beginPart(): void {
    this.#parts.push(this.#cues.length);
  }

  add(cue: Cue): void {
    this.#cues.push(cue);
    this.#ends.push(Math.max(this.#ends.at(-1) ?? 0, cue.endMs));
  }

  /** Ends everything that would still be shown. */
  endPart(endMs: number): void {
    const from = this.#parts.at(-1) ?? 0;
    const kept = this.#cues
      .slice(from)
      .flatMap((cue) => (cue.startMs < endMs ? [{ ...cue, endMs: Math.min(cue.endMs, endMs) }] : []));
    this.#cues = this.#cues.slice(0, from);
    this.#ends = this.#ends.slice(0, from);
    for (const cue of kept) this.add(cue);
  }

  setOpen(open: ((nowMs: number) => Cue | undefined) | undefined): void {
    this.#open = open;
  }

  /** What is shown at a time. */
  at(ms: number): Cue[] {
    // The first caption that begins later.
    let low = 0;
    let high = this.#cues.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cues[middle]?.startMs ?? 0) <= ms) low = middle + 1;
      else high = middle;
    }
    const found: Cue[] = [];
    for (let index = low - 1; index >= 0 && (this.#ends[index] ?? 0) > ms; index--) {
      if (found.length >= MOST_TOGETHER) break;
      const cue = this.#cues[index];
      if (cue !== undefined && cue.endMs > ms) found.unshift(cue);
    }
    const open = this.#open?.(ms);
    return open !== undefined && open.startMs <= ms ? [...found, open] : found;
  }
}
