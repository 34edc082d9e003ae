import type { HdrMetadata } from '../color-settings.ts';
import type { EncodedVideoSettings, Interlacing, Rational, VideoSettings } from '../video-settings.ts';
import { av1Options } from './av1-options.ts';
import { h264Options } from './h264-options.ts';
import { h265Options } from './h265-options.ts';
import { JPEG_OPTIONS } from './jpeg-quality.ts';
import { OTHER_ENCODERS, otherOptions, otherPixelFormat } from './other-video-options.ts';
import type { Picture } from './picture-size.ts';

/** FFmpeg's name of each encoder. */
const ENCODERS = {
  h264: 'libx264',
  h265: 'libx265',
  av1: 'libsvtav1',
  jpeg: 'mjpeg',
  ...OTHER_ENCODERS,
} as const;

export function encoderName({ kind }: EncodedVideoSettings) {
  return ENCODERS[kind];
}

/** The form of the pictures that an encoder takes. */
export function pixelFormatOf(settings: EncodedVideoSettings) {
  switch (settings.kind) {
    case 'h264':
      if (settings.profile === 'high422') return settings.bitDepth === 10 ? 'yuv422p10le' : 'yuv422p';
      return settings.bitDepth === 10 ? 'yuv420p10le' : 'yuv420p';
    case 'h265':
      if (settings.profile === 'main422-10') return settings.bitDepth === 10 ? 'yuv422p10le' : 'yuv422p';
      return settings.profile === 'main10' ? 'yuv420p10le' : 'yuv420p';
    case 'av1':
      return settings.bitDepth === 10 ? 'yuv420p10le' : 'yuv420p';
    case 'jpeg':
      return 'yuv420p';
    default:
      return otherPixelFormat(settings);
  }
}

export type PixelFormat = ReturnType<typeof pixelFormatOf>;

export interface EncoderFacts {
  readonly framerate: Rational;
  readonly picture: Picture;
  /** Set where key frames are forced. */
  readonly forcedKeySeconds: number | undefined;
  readonly interlaced: Interlacing | undefined;
  readonly hdr?: HdrMetadata | undefined;
  /** Of the first picture, where pictures carry theirs. */
  readonly timecode?: string | undefined;
}

/** The encoder's own options. */
export function encoderOptions(settings: EncodedVideoSettings, facts: EncoderFacts): Record<string, string | number> {
  const { interlaced } = facts;
  const order = interlaced === undefined ? {} : { field_order: interlaced.firstField === 'top' ? 'tt' : 'bb' };
  const options = { ...order, ...ownOptions(settings, facts) };
  return facts.timecode === undefined ? options : withTimecodes(options, settings, facts.timecode);
}

function ownOptions(
  settings: EncodedVideoSettings,
  { framerate, picture, forcedKeySeconds, interlaced, hdr }: EncoderFacts,
): Record<string, string | number> {
  switch (settings.kind) {
    case 'h264':
      return h264Options(settings, framerate, forcedKeySeconds, interlaced);
    case 'h265':
      return h265Options(settings, framerate, forcedKeySeconds, hdr);
    case 'av1':
      return av1Options(settings, framerate);
    case 'jpeg':
      return { threads: 1, ...JPEG_OPTIONS };
    default:
      return otherOptions(settings, framerate, picture, interlaced);
  }
}

/** MPEG-2's groups of pictures have theirs by themselves; H.264 makes room for them; H.265 needs none. */
function withTimecodes(
  options: Record<string, string | number>,
  { kind }: EncodedVideoSettings,
  timecode: string,
): Record<string, string | number> {
  if (kind === 'mpeg2') return { ...options, gop_timecode: timecode, drop_frame_timecode: timecode[8] === ';' ? 1 : 0 };
  if (kind !== 'h264') return options;
  const { 'x264-params': own } = options;
  return { ...options, 'x264-params': own === undefined ? 'pic-struct=1' : `${own}:pic-struct=1` };
}

/** True where a decoder can begin in the middle without what came before: the GOPs are closed. */
export function isGopClosed(settings: EncodedVideoSettings): boolean {
  switch (settings.kind) {
    case 'h264':
    case 'h265':
      return !settings.isGopOpen;
    case 'av1':
      return true;
    default:
      return false;
  }
}

/** True for the codecs whose encoders have a mode for fields. */
export function hasFields({ interlaced, codec }: VideoSettings): boolean {
  return interlaced !== undefined && codec.kind !== 'uncompressed';
}
