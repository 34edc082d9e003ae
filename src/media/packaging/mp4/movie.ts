import { type CodedTrack, isVideo } from '../codecs/track-codec.ts';
import { timescaleOf } from '../track-samples.ts';
import { box, fullBox, text, u16, u32, u64, zeros } from './box.ts';
import { mediaHandler, sampleEntry } from './sample-entry.ts';

/** Ticks a second in the boxes that are about the whole movie. */
export const MOVIE_TIMESCALE = 1000;
const UNITY_MATRIX = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
const UNDETERMINED_LANGUAGE = 0x55c4;

/** One track of a movie: its tables, and how long it is in ticks of its own scale. */
export interface MovieTrack {
  readonly track: CodedTrack;
  readonly duration: number;
  /** `stts`, `stsc`, `stsz`, `stco` and what else the sample table has. */
  readonly tables: readonly Buffer[];
  /** An edit list, where the track does not begin at 0. */
  readonly edits?: Buffer;
}

export function fileType(major: string, ...compatible: readonly string[]): Buffer {
  return box('ftyp', text(major), u32(0x200), text(compatible.join('')));
}

/** `moov` (ISO 14496-12, 8.2): the index of a movie. */
export function movie(tracks: readonly MovieTrack[], ...further: readonly Buffer[]): Buffer {
  const seconds = tracks.map(({ track, duration }) => duration / timescaleOf(track));
  const duration = Math.round(Math.max(0, ...seconds) * MOVIE_TIMESCALE);
  const nextTrack = Math.max(0, ...tracks.map(({ track }) => track.number)) + 1;
  const header = fullBox(
    'mvhd',
    1,
    0,
    u64(0),
    u64(0),
    u32(MOVIE_TIMESCALE),
    u64(duration),
    u32(0x1_0000),
    u16(0x100),
    zeros(10),
    UNITY_MATRIX,
    zeros(24),
    u32(nextTrack),
  );
  return box('moov', header, ...tracks.map(trackBox), ...further);
}

function trackBox({ track, duration, tables, edits }: MovieTrack): Buffer {
  const timescale = timescaleOf(track);
  const { handler, header } = mediaHandler(isVideo(track));
  const size = isVideo(track) ? [track.codec.width * 0x1_0000, track.codec.height * 0x1_0000] : [0, 0];
  const ENABLED_IN_MOVIE_AND_PREVIEW = 7;
  const trackHeader = fullBox(
    'tkhd',
    1,
    ENABLED_IN_MOVIE_AND_PREVIEW,
    u64(0),
    u64(0),
    u32(track.number, 0),
    u64(Math.round((duration / timescale) * MOVIE_TIMESCALE)),
    zeros(8),
    u16(0, isVideo(track) ? 0 : 1, isVideo(track) ? 0 : 0x100, 0),
    UNITY_MATRIX,
    u32(...size),
  );
  const mediaHeader = fullBox(
    'mdhd',
    1,
    0,
    u64(0),
    u64(0),
    u32(timescale),
    u64(duration),
    u16(UNDETERMINED_LANGUAGE, 0),
  );
  const inThisFile = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const description = fullBox('stsd', 0, 0, u32(1), sampleEntry(track));
  const media = box('mdia', mediaHeader, handler, box('minf', header, inThisFile, box('stbl', description, ...tables)));
  return box('trak', trackHeader, ...(edits === undefined ? [] : [edits]), media);
}
