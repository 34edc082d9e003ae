import type { CodecContext, CodecParameters } from 'node-av/lib';
import type { AudioCodecSettings } from '../audio-codec-settings.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';
import type { Picture } from './picture-size.ts';

/** What a muxer has to know of a track: an encoder says it, or for a stream that is copied its own container. */
export type TrackFormat = CodecContext | CopiedFormat;

/** Of a stream that is copied. */
export interface CopiedFormat {
  readonly parameters: CodecParameters;
  readonly timeBase: Rational;
  readonly sampleAspectRatio: Rational;
  readonly extraData: Buffer | null;
}

export function isCopied(format: TrackFormat): format is CopiedFormat {
  return 'parameters' in format;
}

/** The picture of an output, encoded or copied. */
export interface VideoTrack {
  readonly context: TrackFormat;
  readonly settings: VideoSettings;
  readonly picture: Picture;
  readonly framerate: Rational;
  /** Of the first picture. */
  readonly timecode?: string;
  /** Of video so far. */
  readonly seconds: number;
}

/** A sound of an output, encoded or copied. */
export interface AudioTrack {
  readonly context: TrackFormat;
  readonly settings: AudioCodecSettings;
  /** RFC 6381. */
  readonly codecName: string;
  /** Samples of a packet; 0 where they differ. */
  readonly frameSize: number;
  /** Of sound so far. */
  readonly seconds: number;
}
