import type { Av1Settings, Rational } from '../video-settings.ts';
import { gopFrames } from './rate-options.ts';

/** SVT-AV1's presets go from 0 (best) to 13; this one takes about as long as x264's medium. */
const PRESET = 10;
/** Layers of the pyramid that so many frames between two others make. */
const LAYERS = { 3: 2, 7: 3, 15: 4 } as const;

/** libsvtav1's options for AV1 settings. */
export function av1Options(settings: Av1Settings, framerate: Rational): Record<string, string | number> {
  const { level, maxBitrate } = settings.rateControl;
  return {
    preset: PRESET,
    // Of 63; level 7 is 30, and 10 is 21.
    crf: Math.round(51 - 3 * level),
    maxrate: maxBitrate,
    bufsize: maxBitrate * 2,
    g: gopFrames(settings, framerate),
    'svtav1-params': ownOptions(settings).join(':'),
  };
}

/** What SVT-AV1 takes under names of its own. */
function ownOptions({ bFrames, tileColumnsLog2, adaptiveQuantization: strength }: Av1Settings): string[] {
  // The most is one: by itself the encoder takes up to half as much again.
  const options: string[] = ['mbr-overshoot-pct=0'];
  if (bFrames !== undefined) options.push(`hierarchical-levels=${LAYERS[bFrames]}`);
  if (tileColumnsLog2 !== undefined) options.push(`tile-columns=${tileColumnsLog2}`);
  if (strength === 0) options.push('aq-mode=0');
  else if (strength !== undefined) options.push('enable-variance-boost=1', `variance-boost-strength=${strength}`);
  return options;
}
