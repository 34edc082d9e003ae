import type { PartSink } from './object-writer.ts';
import { HeldHead } from './held-head.ts';

/**
 * Writes one object whose front is complete in the end only, be it that something comes before it or that its head is
 * changed: its first part is held back and uploaded last, as with MP4 files.
 */
export class IndexedWriter {
  readonly #parts: HeldHead;
  #position = 0;
  #end = 0;

  readonly #areLatePatchesDropped: boolean;

  /**
   * @param areLatePatchesDropped for formats whose patches behind the first part repeat what stands elsewhere
   */
  constructor(sink: PartSink, target: Parameters<PartSink['open']>[0], areLatePatchesDropped = false) {
    this.#areLatePatchesDropped = areLatePatchesDropped;
    this.#parts = new HeldHead(sink, target);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#end;
  }

  /** Moves the place of the next write; returns it. */
  seek(position: number): number {
    this.#position = position;
    return position;
  }

  /** @throws RangeError for a write behind the first part that is not an append */
  write(bytes: Uint8Array): void {
    const over = Math.max(0, Math.min(bytes.length, this.#end - this.#position));
    if (over > 0 && !this.#isLate(over)) this.#parts.head.patch(this.#position, bytes.subarray(0, over));
    this.#position += bytes.length;
    const rest = bytes.subarray(over);
    if (rest.length === 0) return;
    if (this.#position - rest.length !== this.#end) throw new RangeError('The file would have a hole.');
    this.#end += rest.length;
    this.#parts.append(rest);
  }

  #isLate(count: number): boolean {
    return this.#areLatePatchesDropped && this.#position + count > this.#parts.head.length;
  }

  /** @param front what comes before everything that was written */
  end(front: Uint8Array): void {
    const head = this.#parts.head.view();
    const first = new Uint8Array(front.length + head.length);
    first.set(front);
    first.set(head, front.length);
    this.#parts.finish(first);
  }
}
