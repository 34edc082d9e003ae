import type { Mpeg2Settings } from '../other-video-settings.ts';
import type { Interlacing, Rational } from '../video-settings.ts';
import { gopFrames } from './rate-options.ts';

const LEVELS = { low: 10, main: 8, high1440: 6, high: 4 } as const;
/** Bits of a second in the decoder's buffer where nothing is said. */
const BUFFER_SECONDS = 1;

/** mpeg2video's options for MPEG-2 settings. */
export function mpeg2Options(
  settings: Mpeg2Settings,
  framerate: Rational,
  interlaced: Interlacing | undefined,
): Record<string, string | number> {
  const { rateControl } = settings;
  const { bitrate } = rateControl;
  const isConstant = rateControl.mode === 'cbr';
  const maximum = rateControl.mode === 'cbr' ? bitrate : (rateControl.maxBitrate ?? Math.round(bitrate * 1.5));
  const buffer = settings.bufferSize ?? maximum * BUFFER_SECONDS;
  const gop = gopFrames(settings, framerate);
  const flags = [...(interlaced === undefined ? [] : ['ildct', 'ilme']), ...(settings.isGopOpen ? [] : ['cgop'])];
  return {
    threads: 'auto',
    profile: settings.profile,
    ...(settings.level !== undefined && { level: LEVELS[settings.level] }),
    b: bitrate,
    maxrate: maximum,
    ...(isConstant && { minrate: bitrate }),
    bufsize: buffer,
    ...(settings.bufferInitialFill !== undefined && {
      rc_init_occupancy: Math.round((buffer * settings.bufferInitialFill) / 100),
    }),
    g: gop,
    bf: Math.min(settings.bFrames ?? 2, gop > 1 ? 7 : 0),
    // By itself the encoder begins a closed GOP early rather than change the order of its last frames.
    ...(!settings.isGopOpen && { mpv_flags: '+strict_gop' }),
    // A closed GOP may not be cut short by a scene.
    sc_threshold: settings.isSceneChangeDetected && settings.isGopOpen ? 40 : 1_000_000_000,
    ...(settings.minKeyInterval !== undefined && { keyint_min: Math.min(settings.minKeyInterval, gop) }),
    ...(settings.dcPrecision !== undefined && { dc: settings.dcPrecision }),
    ...(settings.isSpatiallyAdaptive && { lumi_mask: 0.05, scplx_mask: 0.1 }),
    ...(flags.length > 0 && { flags: flags.map((flag) => `+${flag}`).join('') }),
  };
}
