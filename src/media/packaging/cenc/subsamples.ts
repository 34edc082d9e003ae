import type { NalLengthSize } from '../codecs/nal-units.ts';
import type { SliceHeaders } from './slice-header.ts';

/** A piece of a sample in the clear, and the encrypted one behind it. */
export interface Subsample {
  readonly clear: number;
  readonly encrypted: number;
}

const BLOCK = 16;
/** What a subsample's entry can say. */
const MAX_CLEAR = 0xffff;

/**
 * Says which pieces of a picture are encrypted (ISO/IEC 23001-7, 9.5): of each slice what is behind its header. All other
 * units stay in the clear, so that players find their way without a key.
 *
 * @param isWhole whether pieces are of whole blocks: their odd bytes then stay clear in front
 * @throws RangeError for a sample that is not of NAL units, or with a slice's header that cannot be read
 */
export function subsamplesOf(
  sample: Buffer,
  lengthSize: NalLengthSize,
  headers: SliceHeaders,
  isWhole: boolean,
): Subsample[] {
  const pieces: Subsample[] = [];
  let clear = 0;
  const add = (encrypted: number): void => {
    for (; clear > MAX_CLEAR; clear -= MAX_CLEAR) pieces.push({ clear: MAX_CLEAR, encrypted: 0 });
    if (clear + encrypted > 0) pieces.push({ clear, encrypted });
    clear = 0;
  };
  for (let at = 0; at < sample.length; ) {
    if (at + lengthSize > sample.length) throw new RangeError('A length is cut off.');
    const length = sample.readUIntBE(at, lengthSize);
    const start = at + lengthSize;
    at = start + length;
    if (at > sample.length) throw new RangeError('A NAL unit is cut off.');
    const unit = sample.subarray(start, at);
    headers.addParameterSet(unit);
    const header = headers.headerLength(unit) ?? length;
    const odd = isWhole ? (length - header) % BLOCK : 0;
    const encrypted = length - header - odd;
    clear += lengthSize + length - (encrypted < BLOCK ? 0 : encrypted);
    if (encrypted >= BLOCK) add(encrypted);
  }
  add(0);
  return pieces;
}
