import {
  type AudioCodec,
  type CodedTrack,
  codedTrack,
  isAudio,
  isVideo,
  type VideoCodec,
} from '#media/packaging/codecs/track-codec.ts';
import { PackagingError, type PackagingFault } from '#media/packaging/packaging-error.ts';
import type { Track } from '#media/matroska/tracks.ts';
import { ServiceError } from '#kernel/service-error.ts';

/** The tracks of a session or a clip: one of each kind at most. */
export interface PlayableTracks {
  readonly video?: CodedTrack<VideoCodec>;
  readonly audio?: CodedTrack<AudioCodec>;
  /** Those that there are, video first. */
  readonly all: readonly CodedTrack[];
}

/** Where the tracks are to be played. HLS takes sound alone, and AAC only; the others want a picture. */
export type Destination = 'HLS' | 'DASH' | 'clip';

/**
 * Source: "GetHLSStreamingSessionURL", "GetDASHStreamingSessionURL" and "GetClip" in the API reference.
 *
 * @throws PackagingError
 */
export function playableTracks(tracks: readonly Track[], destination: Destination): PlayableTracks {
  const coded = tracks.map(codedTrack);
  const [videos, audios] = [coded.filter(isVideo), coded.filter(isAudio)];
  const [video, audio] = [videos[0], audios[0]];
  if (videos.length > 1 || audios.length > 1) throw unsupported('There is more than one track of video or of audio.');
  if (video === undefined && destination !== 'HLS') throw unsupported('There is no track of video.');
  if (audio?.codec.kind === 'g711' && destination === 'HLS') {
    throw unsupported(`The media type of track ${audio.number} is not supported in HLS, which takes AAC only.`);
  }
  return {
    ...(video !== undefined && { video }),
    ...(audio !== undefined && { audio }),
    all: [video, audio].filter((track) => track !== undefined),
  };
}

function unsupported(message: string): PackagingError {
  return new PackagingError('unsupported-media', message);
}

const CODES: Readonly<Record<PackagingFault, string>> = {
  'missing-codec-private-data': 'MissingCodecPrivateDataException',
  'invalid-codec-private-data': 'InvalidCodecPrivateDataException',
  'unsupported-media': 'UnsupportedStreamMediaTypeException',
  'invalid-frame': 'InvalidMediaFrameException',
};

/** What is told of media that cannot be played. */
export function mediaError({ fault, message }: PackagingError): ServiceError {
  return new ServiceError(CODES[fault], 400, message);
}
