import { ELEMENT } from './element-ids.ts';
import type { SimpleTag } from './tags.ts';

/** How many bytes an element's size takes. */
export type SizeLength = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const KVS_SIZE_LENGTH = 4;
/** A Segment that goes on until the stream ends: 8 bytes of size. Frozen. */
export const OPEN_SEGMENT: Buffer = Buffer.from('1853806701ffffffffffffff', 'hex');

/**
 * One element: id, size and content.
 *
 * @param id with its length marker
 * @throws RangeError when the content is too long for a size of that length
 */
export function writeElement(id: number, content: readonly Buffer[], sizeLength: SizeLength): Buffer {
  const size = content.reduce((sum, piece) => sum + piece.length, 0);
  // The largest value of each length means "unknown".
  if (size >= 2 ** (7 * sizeLength) - 1) throw new RangeError('An element is too long for its size.');
  return Buffer.concat([writeId(id), writeSize(size, sizeLength), ...content]);
}

function writeId(id: number): Buffer {
  const length = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(id, 0, length);
  return bytes;
}

function writeSize(size: number, length: SizeLength): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size) | (1n << BigInt(7 * length)));
  return bytes.subarray(8 - length);
}

/**
 * A Tags element with one Tag that holds all of these SimpleTags, as Kinesis Video Streams writes its own: every size
 * takes 4 bytes.
 */
export function writeTags(tags: readonly SimpleTag[]): Buffer {
  const simple = tags.map(({ name, value }) =>
    element(ELEMENT.simpleTag, [
      element(ELEMENT.tagName, [Buffer.from(name)]),
      element(ELEMENT.tagString, [Buffer.from(value)]),
    ]),
  );
  return element(ELEMENT.tags, [element(ELEMENT.tag, simple)]);
}

function element(id: number, content: readonly Buffer[]): Buffer {
  return writeElement(id, content, KVS_SIZE_LENGTH);
}
