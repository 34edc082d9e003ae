import { vintLength, vintValue } from './element-head.ts';
import { invalid } from './matroska-error.ts';

/** Number, timecode, flags and the count of a lace: a block's head is never longer. */
export const BLOCK_HEAD_BYTES = 12;
const FLAG_KEYFRAME = 0x80;
const LACING_SHIFT = 1;
const LACING_MASK = 0x03;

/** What stands at the front of a SimpleBlock or a Block. One object is read into again and again. */
export interface BlockHead {
  track: number;
  /** Units of the timecode scale from the Cluster's timecode; may be negative. */
  relativeTimecode: number;
  /** Told by SimpleBlocks only. */
  isKeyframe: boolean;
  /** 0 none, 1 Xiph, 2 fixed sizes, 3 EBML. */
  lacing: number;
  frames: number;
  /** Bytes of the head; without the count of frames in a lace. */
  length: number;
}

/**
 * Reads a block's head.
 *
 * @param end the end of the block, or further than BLOCK_HEAD_BYTES
 * @throws MatroskaError INVALID_MKV_DATA when the block is too short to have one
 */
export function readBlockHead(bytes: Buffer, at: number, end: number, head: BlockHead): void {
  const numberLength = at < end ? vintLength(bytes[at] ?? 0) : 0;
  const length = numberLength + 3;
  if (numberLength === 0 || numberLength > 8 || at + length > end) throw invalid('A block has no whole head.');
  const flags = bytes[at + length - 1] ?? 0;
  const lacing = (flags >> LACING_SHIFT) & LACING_MASK;
  if (lacing !== 0 && at + length >= end) throw invalid('A lace does not count its frames.');
  head.track = vintValue(bytes, at, numberLength);
  head.relativeTimecode = bytes.readInt16BE(at + numberLength);
  head.isKeyframe = (flags & FLAG_KEYFRAME) !== 0;
  head.lacing = lacing;
  head.frames = lacing === 0 ? 1 : (bytes[at + length] ?? 0) + 1;
  head.length = length;
}
