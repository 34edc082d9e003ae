import type { BlockHead } from './block-head.ts';
import { vintLength, vintValue } from './element-head.ts';
import { invalid } from './matroska-error.ts';

const XIPH = 1;
const FIXED = 2;

/**
 * The sizes of the frames in a block. They lie one behind the other, and the last one ends with the block.
 *
 * @param start where the block's content goes on after its head
 * @param end where the block ends
 * @throws MatroskaError INVALID_MKV_DATA when they do not fit
 */
export function laceSizes(bytes: Buffer, start: number, end: number, { lacing, frames }: BlockHead): number[] {
  if (lacing === 0) return [end - start];
  const afterCount = start + 1;
  if (lacing === FIXED) return fixedSizes(end - afterCount, frames);
  return lacing === XIPH ? xiphSizes(bytes, afterCount, end, frames) : ebmlSizes(bytes, afterCount, end, frames);
}

function fixedSizes(bytes: number, frames: number): number[] {
  if (bytes % frames !== 0) throw invalid('The frames of a lace are not of one size.');
  return Array.from({ length: frames }, () => bytes / frames);
}

/** Each size but the last is a row of bytes that are added up; one below 255 ends it. */
function xiphSizes(bytes: Buffer, start: number, end: number, frames: number): number[] {
  const sizes: number[] = [];
  let at = start;
  for (let index = 1; index < frames; index += 1) {
    let size = 0;
    let byte = 255;
    while (byte === 255) {
      if (at >= end) throw invalid('A lace is cut off.');
      byte = bytes[at] ?? 0;
      size += byte;
      at += 1;
    }
    sizes.push(size);
  }
  return withLast(sizes, end - at);
}

/** The first size as it is, each further one but the last as a signed difference to the one before it. */
function ebmlSizes(bytes: Buffer, start: number, end: number, frames: number): number[] {
  const sizes: number[] = [];
  let at = start;
  let size = 0;
  for (let index = 1; index < frames; index += 1) {
    const length = at < end ? vintLength(bytes[at] ?? 0) : 9;
    if (length > 8 || at + length > end) throw invalid('A lace is cut off.');
    const value = vintValue(bytes, at, length);
    size = index === 1 ? value : size + value - (2 ** (7 * length - 1) - 1);
    if (size < 0) throw invalid('A frame in a lace has a negative size.');
    sizes.push(size);
    at += length;
  }
  return withLast(sizes, end - at);
}

/** @param bytes what all frames take together */
function withLast(sizes: number[], bytes: number): number[] {
  const last = sizes.reduce((left, size) => left - size, bytes);
  if (last < 0) throw invalid('The frames of a lace are longer than its block.');
  sizes.push(last);
  return sizes;
}
