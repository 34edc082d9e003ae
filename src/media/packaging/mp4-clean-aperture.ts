import { box, u32 } from './mp4/box.ts';
import { type BoxSpan, listBoxes } from './mp4-boxes.ts';

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
/** What stands in `stsd` before its entries, and in the entry of a picture before its boxes. */
const TABLE_HEAD = 8;
const ENTRY_HEAD = 78;
/** Where an entry has its picture's size. */
const SIZE_AT = 24;

/**
 * Puts a `clap` box (ISO 14496-12, 12.1.4) into each picture's description: all of it is to be shown.
 *
 * @param moov a whole `moov` box
 */
export function withCleanAperture(moov: Buffer): Buffer {
  const [root] = listBoxes(moov);
  if (root === undefined) throw new RangeError('The index is empty.');
  return rebuild(moov, root);
}

function rebuild(moov: Buffer, span: BoxSpan): Buffer {
  if (span.type === 'stsd') return describe(moov, span);
  if (!CONTAINERS.has(span.type)) return moov.subarray(span.start, span.end);
  const children = listBoxes(moov, span.body, span.end);
  const isSound = children.some(({ type }) => type === 'smhd');
  return box(
    span.type,
    ...children.map((child) =>
      isSound && child.type === 'stbl' ? moov.subarray(child.start, child.end) : rebuild(moov, child),
    ),
  );
}

function describe(moov: Buffer, table: BoxSpan): Buffer {
  const entries = listBoxes(moov, table.body + TABLE_HEAD, table.end).map((entry) => {
    const isPicture = entry.end - entry.body > ENTRY_HEAD && moov.readUInt16BE(entry.body + SIZE_AT) > 0;
    const inner = isPicture ? listBoxes(moov, entry.body + ENTRY_HEAD, entry.end) : [];
    if (!isPicture || inner.some(({ type }) => type === 'clap')) return moov.subarray(entry.start, entry.end);
    const width = moov.readUInt16BE(entry.body + SIZE_AT);
    const height = moov.readUInt16BE(entry.body + SIZE_AT + 2);
    const clap = box('clap', u32(width, 1, height, 1, 0, 1, 0, 1));
    return box(entry.type, moov.subarray(entry.body, entry.end), clap);
  });
  return box('stsd', moov.subarray(table.body, table.body + TABLE_HEAD), ...entries);
}
