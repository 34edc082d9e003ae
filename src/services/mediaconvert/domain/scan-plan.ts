import type { H264Settings } from '@aws-sdk/client-mediaconvert';
import type { VideoSettings } from '#media/video-settings.ts';

/** What codecs' settings say of fields; not every codec has all of it, nor all of the values. */
export type Scan = Pick<H264Settings, 'ScanTypeConversionMode' | 'BandwidthReductionFilter'> & {
  readonly InterlaceMode?: string | undefined;
  readonly Telecine?: string | undefined;
};

export function planScan(scan: Scan): Pick<VideoSettings, 'interlaced' | 'isTelecined' | 'bandwidthReduction'> {
  const { InterlaceMode: mode = 'PROGRESSIVE', ScanTypeConversionMode: conversion } = scan;
  const reduction = planReduction(scan);
  return {
    ...(mode !== 'PROGRESSIVE' && {
      interlaced: {
        firstField: mode.includes('BOTTOM') ? 'bottom' : 'top',
        isFollowed: mode.startsWith('FOLLOW'),
        isOptimized: conversion === 'INTERLACED_OPTIMIZE',
      },
    }),
    ...(scan.Telecine === 'HARD' && { isTelecined: true }),
    ...(reduction !== undefined && { bandwidthReduction: reduction }),
  };
}

const LEVELS: Readonly<Record<string, 'low' | 'medium' | 'high'>> = { LOW: 'low', MEDIUM: 'medium', HIGH: 'high' };

/** `AUTO` is the middle. */
function planReduction({ BandwidthReductionFilter: filter }: Scan): VideoSettings['bandwidthReduction'] {
  const strength = filter?.Strength === 'AUTO' ? 'medium' : LEVELS[filter?.Strength ?? 'OFF'];
  if (strength === undefined) return undefined;
  const sharpening = LEVELS[filter?.Sharpening ?? 'OFF'];
  return { strength, ...(sharpening !== undefined && { sharpening }) };
}
