import type { PartSink } from './object-writer.ts';
import { PartBuffer, partSize } from './object-writer.ts';

/**
 * Writes one object whose front is complete in the end only, be it that something comes before it or that its head is
 * changed: its first part is held back and uploaded last, as with MP4 files.
 */
export class IndexedWriter {
  readonly #sink: PartSink;
  readonly #object: number;
  readonly #head = new PartBuffer(partSize(1));
  #part = 1;
  #buffer: PartBuffer | undefined;
  #position = 0;
  #end = 0;

  constructor(sink: PartSink, target: Parameters<PartSink['open']>[0]) {
    this.#sink = sink;
    this.#object = sink.open(target);
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
    if (over > 0) this.#head.patch(this.#position, bytes.subarray(0, over));
    this.#position += bytes.length;
    let rest = bytes.subarray(over);
    if (rest.length === 0) return;
    if (this.#position - rest.length !== this.#end) throw new RangeError('The file would have a hole.');
    this.#end += rest.length;
    if (this.#buffer === undefined) rest = rest.subarray(this.#head.append(rest));
    while (rest.length > 0) {
      if (this.#buffer === undefined || this.#buffer.isFull) this.#nextPart();
      rest = rest.subarray(this.#buffer?.append(rest) ?? 0);
    }
  }

  /** @param front what comes before everything that was written */
  end(front: Uint8Array): void {
    if (this.#buffer !== undefined) this.#sink.part(this.#object, this.#part, this.#buffer.take());
    const head = this.#head.view();
    const first = new Uint8Array(front.length + head.length);
    first.set(front);
    first.set(head, front.length);
    this.#sink.part(this.#object, 1, first);
    this.#sink.end(this.#object, this.#part);
  }

  #nextPart(): void {
    if (this.#buffer !== undefined) this.#sink.part(this.#object, this.#part, this.#buffer.take());
    this.#part += 1;
    this.#buffer = new PartBuffer(partSize(this.#part));
  }
}
