import { nextPartBuffer, PartBuffer, type PartSink, partSize } from './object-writer.ts';

/** The parts of one object whose first part is complete in the end only: it stays here, and is uploaded last. */
export class HeldHead {
  /** What the first part has so far. */
  readonly head = new PartBuffer(partSize(1));
  readonly #sink: PartSink;
  readonly #object: number;
  #part = 1;
  #buffer: PartBuffer | undefined;

  constructor(sink: PartSink, target: Parameters<PartSink['open']>[0]) {
    this.#sink = sink;
    this.#object = sink.open(target);
  }

  /** True while all that was appended is in the head. */
  get isHeadOpen(): boolean {
    return this.#buffer === undefined;
  }

  append(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#buffer === undefined) rest = rest.subarray(this.head.append(rest));
    while (rest.length > 0) {
      if (this.#buffer === undefined || this.#buffer.isFull) this.#nextPart();
      rest = rest.subarray(this.#buffer?.append(rest) ?? 0);
    }
  }

  /** @param first the whole first part */
  finish(first: Uint8Array<ArrayBuffer>): void {
    this.#sendBuffer();
    this.#sink.part(this.#object, 1, first);
    this.#sink.end(this.#object, this.#part);
  }

  #nextPart(): void {
    this.#sendBuffer();
    this.#part += 1;
    this.#buffer = nextPartBuffer(this.#sink, this.#part);
  }

  #sendBuffer(): void {
    if (this.#buffer !== undefined) this.#sink.part(this.#object, this.#part, this.#buffer.take());
  }
}
