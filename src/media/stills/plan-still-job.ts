import type { Frame } from '../matroska/read-frames.ts';
import type { Track } from '../matroska/tracks.ts';
import type { StillCodec, StillJob } from './still-job.ts';

/** Each in the spelling of the SDKs, and in that of the developer guide. */
const CODECS: Readonly<Record<string, StillCodec>> = {
  'V_MPEG4/ISO/AVC': 'h264',
  'V_MPEG/ISO/AVC': 'h264',
  'V_MPEGH/ISO/HEVC': 'hevc',
  'V_MPEG/ISO/HEVC': 'hevc',
};

/** The track of which pictures are made; `undefined` where there is none that can be decoded. */
export function findStillTrack(tracks: readonly Track[]): Track | undefined {
  return tracks.find(
    ({ type, codecId, contentEncoding }) =>
      type === 'video' && CODECS[codecId] !== undefined && contentEncoding?.kind !== 'other',
  );
}

/**
 * What a worker has to decode for the pictures of one fragment: from the last key frame that is not after the first
 * picture to the last frame that has to be decoded for the last one.
 *
 * @param frames of the fragment, all tracks, in decoding order
 * @param wanted milliseconds of the frames' clock, ascending, at least one
 * @returns `undefined` where the track has no frames
 */
export function planStillJob(
  track: Track,
  frames: readonly Frame[],
  wanted: readonly number[],
  settings: Pick<StillJob, 'picture' | 'maximumBytes' | 'maximumMs'>,
): StillJob | undefined {
  const codec = CODECS[track.codecId];
  const own = frames.filter((frame) => frame.track === track.number);
  if (codec === undefined || own.length === 0) return undefined;
  const first = wanted[0] ?? 0;
  const last = wanted.at(-1) ?? first;
  const begin = Math.max(
    0,
    own.findLastIndex((frame) => frame.isKeyframe && frame.timecodeMs <= first),
  );
  const end = Math.max(
    begin,
    own.findLastIndex((frame) => frame.timecodeMs <= last),
  );
  return {
    codec,
    ...(track.codecPrivate !== undefined && { codecPrivate: track.codecPrivate }),
    frames: own.slice(begin, end + 1).map(({ timecodeMs, payload }) => ({ timeMs: timecodeMs, payload })),
    wanted,
    ...settings,
  };
}
