import { SEQUENCE_MASK } from './sequence.ts';

const RANGE = 0x8000_0000;

/** Bytes of a list's longest form for one range. */
export const RANGE_BYTES = 8;

/**
 * Writes a range of lost sequence numbers, both ends included, into the body of a loss report.
 *
 * @returns the offset after it
 */
export function writeLossRange(body: Buffer, offset: number, first: number, last: number): number {
  if (first === last) return body.writeUInt32BE(first, offset);
  return body.writeUInt32BE(last, body.writeUInt32BE((first | RANGE) >>> 0, offset));
}

/**
 * Calls `take` for each range of a loss report's body. What does not belong to a whole entry is passed over; the ranges
 * themselves may say anything.
 */
export function readLossRanges(body: Buffer, take: (first: number, last: number) => void): void {
  const end = body.length - (body.length % 4);
  for (let at = 0; at < end; at += 4) {
    const word = body.readUInt32BE(at);
    const first = word & SEQUENCE_MASK;
    if (word < RANGE) {
      take(first, first);
      continue;
    }
    at += 4;
    if (at >= end) return;
    take(first, body.readUInt32BE(at) & SEQUENCE_MASK);
  }
}
