import { type BoxSpan, listBoxes } from '../mp4-boxes.ts';

/** A track fragment of a `moof`, and where its samples stand in `bytes`. */
export interface TrackFragment {
  readonly moof: BoxSpan;
  readonly traf: BoxSpan;
  /** Where the offsets of runs stand, which are counted from the beginning of `moof`. */
  readonly offsets: readonly number[];
  readonly samples: readonly { readonly start: number; readonly end: number }[];
}

const TFHD = { base: 1, description: 2, duration: 8, size: 0x10 } as const;
const TRUN = { offset: 1, firstFlags: 4, duration: 0x100, size: 0x200, flags: 0x400, shift: 0x800 } as const;

/**
 * Finds the samples of a track fragment (ISO 14496-12, 8.8).
 *
 * @throws RangeError when they cannot be found
 */
export function trackFragment(bytes: Buffer, moof: BoxSpan): TrackFragment {
  const traf = listBoxes(bytes, moof.body, moof.end).find(({ type }) => type === 'traf');
  if (traf === undefined) throw new RangeError('A fragment has no track.');
  const boxes = listBoxes(bytes, traf.body, traf.end);
  const header = boxes.find(({ type }) => type === 'tfhd');
  if (header === undefined) throw new RangeError('A track fragment has no header.');
  const defaultSize = defaultSizeOf(bytes, header);
  const offsets: number[] = [];
  const samples: { start: number; end: number }[] = [];
  for (const run of boxes.filter(({ type }) => type === 'trun')) {
    const flags = bytes.readUInt32BE(run.body) & 0xff_ffff;
    const count = bytes.readUInt32BE(run.body + 4);
    if ((flags & TRUN.offset) === 0) throw new RangeError('A run does not say where it begins.');
    let at = run.body + 8;
    offsets.push(at);
    let start = moof.start + bytes.readInt32BE(at);
    at += (flags & TRUN.firstFlags) === 0 ? 4 : 8;
    for (let index = 0; index < count; index++) {
      if ((flags & TRUN.duration) !== 0) at += 4;
      const size = (flags & TRUN.size) === 0 ? defaultSize : bytes.readUInt32BE(at);
      for (const field of [TRUN.size, TRUN.flags, TRUN.shift]) if ((flags & field) !== 0) at += 4;
      if (start + size > bytes.length) throw new RangeError('A sample is cut off.');
      samples.push({ start, end: start + size });
      start += size;
    }
  }
  return { moof, traf, offsets, samples };
}

function defaultSizeOf(bytes: Buffer, header: BoxSpan): number {
  const flags = bytes.readUInt32BE(header.body) & 0xff_ffff;
  if ((flags & TFHD.size) === 0) return 0;
  let at = header.body + 8;
  if ((flags & TFHD.base) !== 0) at += 8;
  for (const field of [TFHD.description, TFHD.duration]) if ((flags & field) !== 0) at += 4;
  return bytes.readUInt32BE(at);
}
