import type { CodedTrack } from '../codecs/track-codec.ts';
import { PackagingError } from '../packaging-error.ts';
import { type FragmentPlace, mp4Frame, sizeOf, type TimedFrame, timeSamples } from '../track-samples.ts';
import { box, fullBox, text, u32, u64 } from './box.ts';

/** Sample flags (ISO 14496-12, 8.8.3.1): depends on no other, is a point to begin at. */
const KEYFRAME_FLAGS = 0x0200_0000;
/** Depends on others, is no point to begin at. */
const OTHER_FLAGS = 0x0101_0000;

const DEFAULT_BASE_IS_MOOF = 0x02_0000;
const DATA_OFFSET = 0x0001;
const SAMPLE_FIELDS = 0x0100 | 0x0200 | 0x0400 | 0x0800;
/** Bytes of a sample's entry in `trun`. */
const SAMPLE_ENTRY = 16;
const SEGMENT_TYPE = box('styp', text('msdh'), u32(0), text('msdhmsixcmfc'));

/**
 * One media segment: `styp`, `moof` and `mdat` with the frames of one track. Its pieces are views of the frames, to be
 * written one after another.
 *
 * @param sequence `mfhd`'s sequence number
 * @throws PackagingError invalid-frame, also when the track has no frames here
 */
export function mediaSegment(
  track: CodedTrack,
  frames: readonly TimedFrame[],
  place: FragmentPlace,
  sequence: number,
): Buffer[] {
  const times = timeSamples(track, frames, place);
  const [first] = times;
  if (first === undefined) {
    throw new PackagingError('invalid-frame', `The fragment has no frames of track ${track.number}.`);
  }
  const samples = frames.map((frame) => mp4Frame(track, frame));
  const entries = Buffer.allocUnsafe(samples.length * SAMPLE_ENTRY);
  let mediaSize = 0;
  samples.forEach(({ pieces, isEntry }, index) => {
    const size = sizeOf(pieces);
    const at = index * SAMPLE_ENTRY;
    mediaSize += size;
    entries.writeUInt32BE(times[index]?.duration ?? 0, at);
    entries.writeUInt32BE(size, at + 4);
    entries.writeUInt32BE(isEntry ? KEYFRAME_FLAGS : OTHER_FLAGS, at + 8);
    entries.writeInt32BE(times[index]?.compositionOffset ?? 0, at + 12);
  });
  const fragment = (dataOffset: number): Buffer =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequence)),
      box(
        'traf',
        fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, u32(track.number)),
        fullBox('tfdt', 1, 0, u64(first.decodeTime)),
        fullBox('trun', 1, DATA_OFFSET | SAMPLE_FIELDS, u32(samples.length, dataOffset), entries),
      ),
    );
  // The media begins behind the fragment's own box and the head of `mdat`.
  const moof = fragment(fragment(0).length + 8);
  const mediaHead = Buffer.concat([u32(mediaSize + 8), text('mdat')]);
  return [SEGMENT_TYPE, moof, mediaHead, ...samples.flatMap(({ pieces }) => pieces)];
}
