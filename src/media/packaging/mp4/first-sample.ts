import { type BoxSpan, listBoxes } from '../mp4-boxes.ts';

const DEFAULT_SIZE = 0x10;
/** The fields before the default size of a sample in `tfhd`, and their lengths. */
const BEFORE_DEFAULT_SIZE = [
  [0x01, 8],
  [0x02, 4],
  [0x08, 4],
] as const;
const HAS_DATA_OFFSET = 0x01;
const HAS_FIRST_FLAGS = 0x04;
const HAS_DURATIONS = 0x100;
const HAS_SIZES = 0x200;

/**
 * Where the first sample of a fragment of one track ends, in bytes from the fragment's beginning (ISO 14496-12, 8.8).
 *
 * @param fragment `moof` and `mdat`, and what stands before them
 * @throws RangeError when that is not what it is
 */
export function firstSampleEnd(fragment: Uint8Array): number {
  const boxes = listBoxes(fragment);
  const moof = child(boxes, 'moof');
  const traf = child(listBoxes(fragment, moof.body, moof.end), 'traf');
  const inner = listBoxes(fragment, traf.body, traf.end);
  const view = new DataView(fragment.buffer, fragment.byteOffset, fragment.byteLength);
  const run = child(inner, 'trun');
  const flags = view.getUint32(run.body) & 0xff_ffff;
  if ((flags & HAS_DATA_OFFSET) === 0) throw new RangeError('The fragment does not say where its data begin.');
  const dataOffset = view.getInt32(run.body + 8);
  const first = run.body + 12 + ((flags & HAS_FIRST_FLAGS) === 0 ? 0 : 4);
  const size =
    (flags & HAS_SIZES) === 0
      ? defaultSize(view, child(inner, 'tfhd'))
      : view.getUint32(first + ((flags & HAS_DURATIONS) === 0 ? 0 : 4));
  return moof.start + dataOffset + size;
}

function defaultSize(view: DataView, header: BoxSpan): number {
  const flags = view.getUint32(header.body) & 0xff_ffff;
  if ((flags & DEFAULT_SIZE) === 0) throw new RangeError('The fragment does not say how large its samples are.');
  const before = BEFORE_DEFAULT_SIZE.reduce((sum, [flag, bytes]) => ((flags & flag) === 0 ? sum : sum + bytes), 0);
  return view.getUint32(header.body + 8 + before);
}

function child(boxes: readonly BoxSpan[], type: string): BoxSpan {
  const found = boxes.find((box) => box.type === type);
  if (found === undefined) throw new RangeError(`The fragment has no ${type}.`);
  return found;
}
