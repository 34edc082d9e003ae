import type { Track } from '../../matroska/tracks.ts';
import { PackagingError } from '../packaging-error.ts';
import { type AacConfig, readAacConfig } from './aac-config.ts';
import { type AvcConfig, readAvcConfig } from './avc-config.ts';
import { type G711Config, readG711Config } from './g711-config.ts';
import { type HevcConfig, readHevcConfig } from './hevc-config.ts';

export type VideoCodec = AvcConfig | HevcConfig;
export type AudioCodec = AacConfig | G711Config;
export type TrackCodec = VideoCodec | AudioCodec;

/** A track that can be packaged. */
export interface CodedTrack<Codec extends TrackCodec = TrackCodec> {
  /** The track's number in Matroska. */
  readonly number: number;
  readonly codec: Codec;
  /** How long a frame lasts, where the producer says, in milliseconds. */
  readonly frameMs: number | undefined;
}

/** Producers write the names of H.264 and H.265 in more than one way, and AWS's own documentation too. */
const READERS: Readonly<Record<string, (data: Buffer) => TrackCodec | undefined>> = {
  'V_MPEG4/ISO/AVC': readAvcConfig,
  'V_MPEG/ISO/AVC': readAvcConfig,
  'V_MPEGH/ISO/HEVC': readHevcConfig,
  'V_MPEG/ISO/HEVC': readHevcConfig,
  A_AAC: readAacConfig,
  'A_MS/ACM': readG711Config,
};

/**
 * Reads a track's codec and its configuration.
 *
 * @throws PackagingError missing-codec-private-data, invalid-codec-private-data, unsupported-media
 */
export function codedTrack(track: Track): CodedTrack {
  const read = READERS[track.codecId];
  if (read === undefined || track.contentEncoding?.kind === 'other') throw unsupported(track);
  const data = track.codecPrivate;
  if (data === undefined || data.length === 0) {
    throw new PackagingError(
      'missing-codec-private-data',
      `Missing codec private data in fragment for track ${track.number}.`,
    );
  }
  const frameMs = track.defaultDurationNs === undefined ? undefined : track.defaultDurationNs / 1e6;
  return { number: track.number, codec: readOrThrow(track, data, read), frameMs };
}

function readOrThrow(track: Track, data: Buffer, read: (data: Buffer) => TrackCodec | undefined): TrackCodec {
  try {
    const codec = read(data);
    if (codec !== undefined) return codec;
  } catch (error) {
    // Node's own errors for reads beyond a buffer are RangeErrors too.
    if (!(error instanceof RangeError) && !(error instanceof PackagingError)) throw error;
    throw new PackagingError(
      'invalid-codec-private-data',
      `Invalid codec private data in fragment for track ${track.number}.`,
    );
  }
  throw unsupported(track);
}

function unsupported(track: Track): PackagingError {
  return new PackagingError(
    'unsupported-media',
    `The media type of track ${track.number} (codec ID ${JSON.stringify(track.codecId.slice(0, 64))}) is not supported.`,
  );
}

export function isVideo(track: CodedTrack): track is CodedTrack<VideoCodec> {
  return track.codec.kind === 'avc' || track.codec.kind === 'hevc';
}

export function isAudio(track: CodedTrack): track is CodedTrack<AudioCodec> {
  return !isVideo(track);
}
