import { invalid } from './matroska-error.ts';

/** The size of an element whose end is not told: it ends where an element begins that cannot lie in it. */
export const UNKNOWN_SIZE = -1;

/** An element's id and size, as read from the stream. One object is read into again and again. */
export interface ElementHead {
  /** With its length marker. */
  id: number;
  /** Bytes of the content, or UNKNOWN_SIZE. Above 2^53 it is rounded; no limit lets such a size pass. */
  size: number;
  /** Bytes of id and size themselves. */
  length: number;
}

/** The length of the number that begins with this byte, 1 to 8; 9 for a byte that begins none. */
export function vintLength(firstByte: number): number {
  return Math.clz32(firstByte) - 23;
}

/** The value of a number of `length` bytes, without its marker; rounded above 2^53. */
export function vintValue(bytes: Uint8Array, at: number, length: number): number {
  let value = (bytes[at] ?? 0) & (0xff >> length);
  for (let index = 1; index < length; index += 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

/**
 * Reads id and size at `at`.
 *
 * @returns false when the bytes up to `end` do not hold all of them
 * @throws MatroskaError INVALID_MKV_DATA
 */
export function readHead(
  bytes: Uint8Array,
  at: number,
  end: number,
  head: ElementHead,
  maxIdLength = 4,
  maxSizeLength = 8,
): boolean {
  if (at >= end) return false;
  const idLength = vintLength(bytes[at] ?? 0);
  if (idLength > maxIdLength) throw invalid('An element has an id of a length that is not allowed.');
  const sizeAt = at + idLength;
  if (sizeAt >= end) return false;
  const first = bytes[sizeAt] ?? 0;
  const sizeLength = vintLength(first);
  if (sizeLength > maxSizeLength) throw invalid('An element has a size of a length that is not allowed.');
  if (sizeAt + sizeLength > end) return false;
  let id = bytes[at] ?? 0;
  for (let index = 1; index < idLength; index += 1) id = id * 256 + (bytes[at + index] ?? 0);
  head.id = id;
  head.size = isAllOnes(bytes, sizeAt, sizeLength) ? UNKNOWN_SIZE : vintValue(bytes, sizeAt, sizeLength);
  head.length = idLength + sizeLength;
  return true;
}

function isAllOnes(bytes: Uint8Array, at: number, length: number): boolean {
  if (bytes[at] !== 0xff >> (length - 1)) return false;
  for (let index = 1; index < length; index += 1) if (bytes[at + index] !== 0xff) return false;
  return true;
}
