import type { InputCleaning, NoiseReduction } from '#media/picture-settings.ts';
import type { Deinterlacing } from '#media/video-settings.ts';
import type { Deinterlacer, Input, NoiseReducer } from '@aws-sdk/client-mediaconvert';

/** @returns undefined for no filter */
export function planNoise(noise: NoiseReducer | undefined): NoiseReduction | undefined {
  if (noise === undefined) return undefined;
  const { Filter: filter = 'BILATERAL', SpatialFilterSettings: spatial, TemporalFilterSettings: temporal } = noise;
  if (filter === 'SPATIAL') {
    const { Strength: strength = 2, Speed: speed = 0, PostFilterSharpenStrength: sharpening = 0 } = spatial ?? {};
    return { kind: 'spatial', strength, speed, sharpening };
  }
  if (filter === 'TEMPORAL') {
    const { Strength: strength = 2, Speed: speed = 0, AggressiveMode: aggressiveness = 0 } = temporal ?? {};
    const isSharpened = temporal?.PostTemporalSharpening === 'ENABLED';
    const sharpening = isSharpened ? SHARPENING[temporal.PostTemporalSharpeningStrength ?? 'LOW'] : 0;
    return { kind: 'temporal', strength, speed, aggressiveness, sharpening };
  }
  const kind = KINDS[filter];
  return kind && { kind, strength: noise.FilterSettings?.Strength ?? 1 };
}

const SHARPENING = { LOW: 0.3, MEDIUM: 0.6, HIGH: 1 } as const;

const KINDS: Readonly<Record<string, Exclude<NoiseReduction['kind'], 'spatial' | 'temporal'>>> = {
  BILATERAL: 'bilateral',
  MEAN: 'mean',
  GAUSSIAN: 'gaussian',
  LANCZOS: 'lanczos',
  SHARPEN: 'sharpen',
  CONSERVE: 'conserve',
};

export function planDeinterlacer({ Mode: mode, Control: control, Algorithm }: Deinterlacer): Deinterlacing {
  return {
    method: mode === 'INVERSE_TELECINE' ? 'inverse-telecine' : METHODS[Algorithm ?? 'INTERPOLATE'],
    pictures: control === 'FORCE_ALL_FRAMES' ? 'all' : 'interlaced',
    isDetected: mode === 'ADAPTIVE',
  };
}

const METHODS = {
  INTERPOLATE: 'interpolate',
  INTERPOLATE_TICKER: 'ticker',
  BLEND: 'blend',
  BLEND_TICKER: 'blend',
  LINEAR_INTERPOLATION: 'linear',
} as const;

/** The strength that stands for an automatic one. */
const AUTOMATIC = 2;

/** @returns undefined where nothing is to be done */
export function planCleaning(input: Input): InputCleaning | undefined {
  const isDeblocked = input.DeblockFilter === 'ENABLED';
  const isDenoised = input.DenoiseFilter === 'ENABLED';
  if (!isDeblocked && !isDenoised) return undefined;
  return { strength: input.FilterStrength || AUTOMATIC, isDeblocked, isDenoised };
}
