import type { HdrMetadata } from '../color-settings.ts';
import type { H265Settings, Rational } from '../video-settings.ts';
import { x265Hdr } from './hdr-metadata.ts';
import { bufferFill, gopFrames, rateOptions } from './rate-options.ts';

/** Quality level 1 to 10 → x265's rate factor, which looks like x264's of about three less. */
export function h265RateFactor(level: number): number {
  return Math.round((36 - 1.5 * level) * 100) / 100;
}

/**
 * libx265's options for H.265 settings.
 *
 * @param forcedKeySeconds set where key frames are forced, which then begin a closed GOP
 */
export function h265Options(
  settings: H265Settings,
  framerate: Rational,
  forcedKeySeconds: number | undefined,
  hdr?: HdrMetadata,
): Record<string, string | number> {
  const gop = gopFrames(settings, framerate);
  const options: Record<string, string | number> = {
    preset: settings.preset,
    profile: settings.profile,
    g: gop,
    // Pictures have captions with them only where an output asks for it.
    a53cc: 1,
    'forced-idr': forcedKeySeconds === undefined && settings.closedGopEvery === undefined ? 0 : 1,
    ...rateOptions(settings, h265RateFactor),
  };
  if (settings.minKeyInterval !== undefined) options['keyint_min'] = Math.min(settings.minKeyInterval, gop);
  if (settings.bFrames !== undefined) options['bf'] = settings.bFrames;
  if (settings.references !== undefined) options['refs'] = settings.references;
  const x265 = { ...ownOptions(settings), ...x265Hdr(hdr) };
  options['x265-params'] = Object.entries(x265)
    .map(([name, value]) => `${name}=${value}`)
    .join(':');
  return options;
}

/** What x265 takes under names of its own. */
function ownOptions(settings: H265Settings): Record<string, string | number> {
  const x265: Record<string, string | number> = {
    'log-level': 'none',
    'high-tier': settings.tier === 'high' ? 1 : 0,
    scenecut: settings.isSceneChangeDetected ? 40 : 0,
    'open-gop': settings.isGopOpen ? 1 : 0,
    cutree: settings.isTemporalAdaptive ? 1 : 0,
    deblock: settings.isDeblocked ? 'true' : 'false',
    sao: settings.isSampleOffsetAdaptive ? 1 : 0,
    'temporal-mvp': settings.isMotionPredictedOverTime ? 1 : 0,
    ...bufferFill(settings),
  };
  if (settings.rateControl.mode === 'cbr') x265['strict-cbr'] = 1;
  if (settings.level !== undefined) x265['level-idc'] = settings.level;
  if (!settings.isBFrameCountAdaptive) x265['b-adapt'] = 0;
  if (settings.areBFramesReferences !== undefined) x265['b-pyramid'] = settings.areBFramesReferences ? 1 : 0;
  if (settings.slices !== undefined) x265['slices'] = settings.slices;
  if (settings.treeBlockSize !== undefined) x265['ctu'] = settings.treeBlockSize;
  if (settings.tag === 'hev1') x265['repeat-headers'] = 1;
  if (settings.isFlickerReduced === true) x265['ipratio'] = 1.1;
  if (settings.areTransitionsDetected === true) x265['rc-lookahead'] = 60;
  if (settings.areTemporalLayersWritten === true) x265['temporal-layers'] = 3;
  // 18 is HLG's number among the transfer functions.
  if (settings.isHlgSignalled === true) x265['atc-sei'] = 18;
  if (settings.adaptiveQuantization !== undefined) {
    x265['aq-mode'] = settings.adaptiveQuantization === 0 ? 0 : 1;
    x265['aq-strength'] = settings.adaptiveQuantization;
  }
  return x265;
}
