import type { PartSink } from './object-writer.ts';
import { PartBuffer, partSize } from './object-writer.ts';

/**
 * Writes one object to whose front something is added in the end: its first part is held back and uploaded last, as
 * with MP4 files.
 */
export class IndexedWriter {
  readonly #sink: PartSink;
  readonly #object: number;
  readonly #head = new PartBuffer(partSize(1));
  #part = 1;
  #buffer: PartBuffer | undefined;

  constructor(sink: PartSink, target: Parameters<PartSink['open']>[0]) {
    this.#sink = sink;
    this.#object = sink.open(target);
  }

  write(bytes: Uint8Array): void {
    let rest = bytes;
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
