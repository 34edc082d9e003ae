import { type ElementHead, readHead, UNKNOWN_SIZE } from './element-head.ts';
import { invalid } from './matroska-error.ts';

/** Longer integers than this do not occur, and would not be exact. */
const MAXIMUM_INTEGER_BYTES = 8;

/** Walks over the elements that lie side by side in bytes that are all there. */
export class ElementCursor {
  readonly bytes: Buffer;
  readonly end: number;
  readonly #head: ElementHead = { id: 0, size: 0, length: 0 };
  #start = 0;
  #next: number;

  constructor(bytes: Buffer, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.end = end;
    this.#next = start;
  }

  /** The element at hand. */
  get id(): number {
    return this.#head.id;
  }

  /** Where the element's id begins. */
  get start(): number {
    return this.#start;
  }

  /** Where its content begins. */
  get dataStart(): number {
    return this.#start + this.#head.length;
  }

  /** Where its content ends. */
  get dataEnd(): number {
    return this.#next;
  }

  /**
   * Goes to the next element.
   *
   * @param isOpen whether an element of unknown size may stand here: it reaches to the end
   * @returns false at the end
   * @throws MatroskaError INVALID_MKV_DATA when the bytes hold no whole element
   */
  next(isOpen = false): boolean {
    if (this.#next >= this.end) return false;
    const head = this.#head;
    this.#start = this.#next;
    if (!readHead(this.bytes, this.#start, this.end, head, MAXIMUM_INTEGER_BYTES)) {
      throw invalid('An element is cut off.');
    }
    if (head.size === UNKNOWN_SIZE && !isOpen) throw invalid('An element has no size.');
    const dataStart = this.#start + head.length;
    this.#next = head.size === UNKNOWN_SIZE ? this.end : dataStart + head.size;
    if (this.#next > this.end) throw invalid('An element is longer than the element that it lies in.');
    return true;
  }

  /** A cursor over the elements in the one at hand. */
  children(): ElementCursor {
    return new ElementCursor(this.bytes, this.dataStart, this.dataEnd);
  }

  data(): Buffer {
    return this.bytes.subarray(this.dataStart, this.dataEnd);
  }

  /** The content as an unsigned integer of at most 2^53. */
  unsigned(): number {
    return readUnsigned(this.bytes, this.dataStart, this.dataEnd);
  }

  float(): number {
    const { dataStart, bytes } = this;
    switch (this.dataEnd - dataStart) {
      case 0:
        return 0;
      case 4:
        return bytes.readFloatBE(dataStart);
      case 8:
        return bytes.readDoubleBE(dataStart);
      default:
        throw invalid('A number has a length that is not allowed.');
    }
  }

  /** The content as text; zero bytes at its end are padding. */
  text(): string {
    let end = this.dataEnd;
    while (end > this.dataStart && this.bytes[end - 1] === 0) end -= 1;
    return this.bytes.toString('utf8', this.dataStart, end);
  }
}

/**
 * An unsigned integer of 0 to 8 bytes.
 *
 * @throws MatroskaError INVALID_MKV_DATA when it is longer, or above 2^53
 */
export function readUnsigned(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAXIMUM_INTEGER_BYTES) throw invalid('A number has a length that is not allowed.');
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 256 + (bytes[at] ?? 0);
  if (value > Number.MAX_SAFE_INTEGER) throw invalid('A number is too large.');
  return value;
}
