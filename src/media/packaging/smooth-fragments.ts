import { type BoxSpan, listBoxes } from './mp4-boxes.ts';
import { box, fullBox, u32, u64, u8 } from './mp4/box.ts';

/** Fragments of Smooth Streaming files, as the Protected Interoperable File Format has them ([MS-SSTR] 2.2.4). */

/** Of the box that says when a fragment begins, and how long it is. */
const TIMES_ID = '6d1d9b0542d544e680e2141daff757b2';
const UUID_BYTES = 16;
/** Three counts of one byte, with which the entries of `tfra` end. */
const FIRST_OF_ALL = [1, 1, 1];

export interface SmoothFragment {
  readonly track: number;
  /** Ticks of a ten-millionth of a second. */
  readonly start: number;
  readonly ticks: number;
  readonly bytes: number;
  /** Where its `moof` stands in what was given. */
  readonly offset: number;
}

/**
 * The fragments in what a muxer wrote, each `moof` and `mdat`.
 *
 * @throws RangeError for one that does not tell its time
 */
export function smoothFragments(bytes: Buffer): SmoothFragment[] {
  const boxes = listBoxes(bytes);
  return boxes.flatMap((moof, index) => {
    if (moof.type !== 'moof') return [];
    const traf = child(listBoxes(bytes, moof.body, moof.end), ({ type }) => type === 'traf');
    const inner = listBoxes(bytes, traf.body, traf.end);
    const header = child(inner, ({ type }) => type === 'tfhd');
    const times = child(inner, ({ type, body }) => {
      return type === 'uuid' && bytes.toString('hex', body, body + UUID_BYTES) === TIMES_ID;
    });
    const at = times.body + UUID_BYTES + 4;
    const end = boxes[index + 1]?.end ?? moof.end;
    return {
      track: bytes.readUInt32BE(header.body + 4),
      start: Number(bytes.readBigUInt64BE(at)),
      ticks: Number(bytes.readBigUInt64BE(at + 8)),
      bytes: end - moof.start,
      offset: moof.start,
    };
  });
}

/** The index at a file's end (`mfra`), by which servers find fragments (ISO 14496-12, 8.8.9). */
export function fragmentIndex(fragments: readonly SmoothFragment[]): Buffer {
  const tracks = [...new Set(fragments.map(({ track }) => track))].sort((a, b) => a - b);
  const tables = tracks.map((track) => {
    const own = fragments.filter((fragment) => fragment.track === track);
    const entries = own.map(({ start, offset }) => Buffer.concat([u64(start), u64(offset), u8(...FIRST_OF_ALL)]));
    return fullBox('tfra', 1, 0, u32(track, 0, own.length), ...entries);
  });
  const OFFSET_BOX_BYTES = 16;
  const size = 8 + tables.reduce((sum, table) => sum + table.length, 0) + OFFSET_BOX_BYTES;
  return box('mfra', ...tables, fullBox('mfro', 0, 0, u32(size)));
}

function child(boxes: readonly BoxSpan[], isWanted: (box: BoxSpan) => boolean): BoxSpan {
  const found = boxes.find(isWanted);
  if (found === undefined) throw new RangeError('A fragment does not tell its track and time.');
  return found;
}
