import type { CodedTrack } from '../codecs/track-codec.ts';
import { box, fullBox, u32 } from './box.ts';
import { fileType, movie } from './movie.ts';

/** The tables of a movie whose samples are all in fragments. */
const EMPTY_TABLES: readonly Buffer[] = [
  fullBox('stts', 0, 0, u32(0)),
  fullBox('stsc', 0, 0, u32(0)),
  fullBox('stsz', 0, 0, u32(0, 0)),
  fullBox('stco', 0, 0, u32(0)),
];

/** What a player needs before the media segments of a track: `ftyp` and `moov`. */
export function initSegment(track: CodedTrack): Buffer {
  const extension = box('mvex', fullBox('trex', 0, 0, u32(track.number, 1, 0, 0, 0)));
  return Buffer.concat([
    fileType('iso6', 'iso6', 'cmfc', 'mp41'),
    movie([{ track, duration: 0, tables: EMPTY_TABLES }], extension),
  ]);
}
