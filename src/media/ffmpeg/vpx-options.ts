import type { VpxSettings } from '../other-video-settings.ts';
import type { Rational } from '../video-settings.ts';
import { gopFrames } from './rate-options.ts';

/** How fast the encoder goes, from 0 on. */
const SPEEDS = { vp8: { good: 4, best: 2 }, vp9: { good: 5, best: 3 } } as const;

/** libvpx's options. It looks ahead over 25 pictures for frames that are never shown, which others refer to. */
export function vpxOptions(settings: VpxSettings, framerate: Rational): Record<string, string | number> {
  const { bitrate, maxBitrate } = settings.rateControl;
  return {
    threads: 'auto',
    b: bitrate,
    ...(maxBitrate !== undefined && { maxrate: maxBitrate }),
    ...(settings.bufferSize !== undefined && { bufsize: settings.bufferSize }),
    g: gopFrames(settings, framerate),
    quality: 'good',
    'cpu-used': SPEEDS[settings.kind][settings.effort],
    'auto-alt-ref': 1,
    'lag-in-frames': 25,
    ...(settings.kind === 'vp9' && { 'row-mt': 1, 'tile-columns': 1 }),
  };
}
