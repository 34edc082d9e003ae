import type { OtherVideoSettings, ProresSettings, Vc3Settings } from '../other-video-settings.ts';
import type { Interlacing, Rational } from '../video-settings.ts';
import { mpeg2Options } from './mpeg2-options.ts';
import type { Picture } from './picture-size.ts';
import { vpxOptions } from './vpx-options.ts';

/** FFmpeg's name of each encoder. */
export const OTHER_ENCODERS = {
  mpeg2: 'mpeg2video',
  vp8: 'libvpx',
  vp9: 'libvpx-vp9',
  prores: 'prores_ks',
  vc3: 'dnxhd',
  'avc-intra': 'libx264',
  uncompressed: 'rawvideo',
  gif: 'gif',
} as const;

const SAMPLINGS = { '420': 'yuv420p', '422': 'yuv422p', '444': 'yuv444p' } as const;

/** The form of the pictures that the encoder takes. */
export function otherPixelFormat(settings: OtherVideoSettings) {
  switch (settings.kind) {
    case 'mpeg2':
      return settings.profile === '422' ? 'yuv422p' : 'yuv420p';
    case 'vp8':
    case 'vp9':
      return 'yuv420p';
    case 'prores':
      return isFullChroma(settings) ? 'yuv444p10le' : 'yuv422p10le';
    case 'vc3':
      return settings.bitDepth === 10 ? 'yuv422p10le' : 'yuv422p';
    case 'avc-intra':
      return settings.avcClass === 50 ? 'yuv420p10le' : 'yuv422p10le';
    case 'uncompressed':
      return SAMPLINGS[settings.sampling];
    case 'gif':
      return 'bgr8';
  }
}

function isFullChroma({ profile, isSubsampled }: ProresSettings): boolean {
  return profile.startsWith('4444') && !isSubsampled;
}

/** The encoder's options. */
export function otherOptions(
  settings: OtherVideoSettings,
  framerate: Rational,
  picture: Picture,
  interlaced: Interlacing | undefined,
): Record<string, string | number> {
  switch (settings.kind) {
    case 'mpeg2':
      return mpeg2Options(settings, framerate, interlaced);
    case 'vp8':
    case 'vp9':
      return vpxOptions(settings, framerate);
    case 'prores':
      return { profile: settings.profile, vendor: 'apl0', threads: 'auto' };
    case 'vc3':
      return { b: vc3Bitrate(settings, framerate, picture), threads: 'auto' };
    case 'avc-intra':
      // The sets of parameters stand before every picture, as the format has it.
      return {
        'avcintra-class': settings.avcClass,
        'x264-params': [
          `avcintra-flavor=${settings.isXavc === true ? 'sony' : 'panasonic'}`,
          ...(interlaced === undefined ? [] : [interlaced.firstField === 'top' ? 'tff=1' : 'bff=1']),
        ].join(':'),
      };
    case 'uncompressed':
    case 'gif':
      return {};
  }
}

/**
 * Bits a second of a VC-3 class, whose number is what pictures of 1920 × 1080 take at 30000/1001 a second, in Mb/s.
 * The encoder knows them as whole Mb/s for its own pictures.
 */
function vc3Bitrate({ vc3Class }: Vc3Settings, framerate: Rational, { width }: Picture): number {
  const rate = Math.round((framerate.num / framerate.den) * 100) / 100;
  const table = width > 1280 ? RATES_1080 : RATES_720;
  const nearest = [...table].sort(([a], [b]) => Math.abs(a - rate) - Math.abs(b - rate))[0];
  const [, low, high] = nearest ?? [0, 145, 220];
  return (vc3Class === 145 ? low : high) * 1_000_000;
}

/** Pictures a second, and Mb/s of the two classes. Source: SMPTE ST 2019-1's table of compression identifiers. */
const RATES_1080 = [
  [23.98, 115, 175],
  [24, 115, 175],
  [25, 120, 185],
  [29.97, 145, 220],
  [30, 145, 220],
  [50, 240, 365],
  [59.94, 290, 440],
  [60, 290, 440],
] as const;

const RATES_720 = [
  [23.98, 60, 90],
  [25, 60, 90],
  [29.97, 75, 110],
  [50, 120, 180],
  [59.94, 145, 220],
] as const;
