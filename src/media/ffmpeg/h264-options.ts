import type { H264Settings, Interlacing, Rational } from '../video-settings.ts';
import { bufferFill, gopFrames, rateOptions } from './rate-options.ts';

/**
 * Quality level 1 to 10 → x264's rate factor: the guide's starting points (7 for phones, 9 for large screens) come out
 * at 22.5 and 19.5.
 */
export function h264RateFactor(level: number): number {
  return Math.round((33 - 1.5 * level) * 100) / 100;
}

/**
 * libx264's options for H.264 settings.
 *
 * @param forcedKeySeconds set where key frames are forced, which then begin a closed GOP
 */
export function h264Options(
  settings: H264Settings,
  framerate: Rational,
  forcedKeySeconds: number | undefined,
  interlaced?: Interlacing,
): Record<string, string | number> {
  const gop = gopFrames(settings, framerate);
  const x264: Record<string, string | number> = bufferFill(settings);
  if (interlaced !== undefined) x264[interlaced.firstField === 'top' ? 'tff' : 'bff'] = 1;
  if (settings.tag === 'avc3') x264['repeat-headers'] = 1;
  if (settings.isFlickerReduced === true) x264['ipratio'] = 1.1;
  if (settings.areTransitionsDetected === true) x264['rc-lookahead'] = 60;
  if (settings.rateControl.mode === 'cbr') x264['nal-hrd'] = 'cbr';
  const options: Record<string, string | number> = {
    preset: settings.preset,
    profile: settings.profile,
    threads: 'auto',
    g: gop,
    sc_threshold: settings.isSceneChangeDetected ? 40 : 0,
    'forced-idr': forcedKeySeconds === undefined && settings.closedGopEvery === undefined ? 0 : 1,
    ...rateOptions(settings, h264RateFactor),
  };
  if (settings.level !== undefined) options['level'] = settings.level;
  if (settings.minKeyInterval !== undefined) options['keyint_min'] = Math.min(settings.minKeyInterval, gop);
  if (settings.bFrames !== undefined) options['bf'] = settings.profile === 'baseline' ? 0 : settings.bFrames;
  if (settings.areBFramesReferences !== undefined)
    options['b-pyramid'] = settings.areBFramesReferences ? 'normal' : 'none';
  if (settings.references !== undefined) options['refs'] = settings.references;
  if (settings.slices !== undefined) options['slices'] = settings.slices;
  if (settings.entropy !== undefined) options['coder'] = settings.entropy;
  if (settings.adaptiveQuantization !== undefined) {
    options['aq-mode'] = settings.adaptiveQuantization === 0 ? 'none' : 'variance';
    options['aq-strength'] = settings.adaptiveQuantization;
  }
  if (!settings.isTemporalAdaptive) options['mbtree'] = 0;
  if (!settings.isBFrameCountAdaptive) x264['b-adapt'] = 0;
  if (settings.isGopOpen) x264['open-gop'] = 1;
  const extra = Object.entries(x264).map(([name, value]) => `${name}=${value}`);
  if (extra.length > 0) options['x264-params'] = extra.join(':');
  return options;
}
