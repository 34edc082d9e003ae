import type {
  Deinterlacer,
  Input,
  NoiseReducer,
  NoiseReducerFilterSettings,
  NoiseReducerSpatialFilterSettings,
  NoiseReducerTemporalFilterSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** What is done against noise and interlacing. */

export const noiseReducer: SettingRule<NoiseReducer> = allOf(
  checkNoiseReducer,
  structure<NoiseReducer>({
    Filter: oneOf('NONE', 'BILATERAL', 'MEAN', 'GAUSSIAN', 'LANCZOS', 'SHARPEN', 'CONSERVE', 'SPATIAL', 'TEMPORAL'),
    FilterSettings: structure<NoiseReducerFilterSettings>({ Strength: carriedOut }),
    SpatialFilterSettings: structure<NoiseReducerSpatialFilterSettings>({
      Strength: carriedOut,
      Speed: carriedOut,
      PostFilterSharpenStrength: carriedOut,
    }),
    TemporalFilterSettings: structure<NoiseReducerTemporalFilterSettings>({
      Strength: carriedOut,
      Speed: carriedOut,
      AggressiveMode: carriedOut,
      PostTemporalSharpening: carriedOut,
      PostTemporalSharpeningStrength: carriedOut,
    }),
  }),
);

/** The filters that have settings of their own. */
const OWN = { SPATIAL: 'spatialFilterSettings', TEMPORAL: 'temporalFilterSettings' } as const;

function checkNoiseReducer(noise: NoiseReducer, pointer: string, problems: Problem[]): void {
  const { Filter: filter } = noise;
  if (filter === undefined) {
    problems.push(missing(pointer, 'filter'));
    return;
  }
  const wanted = filter === 'SPATIAL' || filter === 'TEMPORAL' ? OWN[filter] : 'filterSettings';
  for (const [member, value] of [
    ['filterSettings', noise.FilterSettings],
    ['spatialFilterSettings', noise.SpatialFilterSettings],
    ['temporalFilterSettings', noise.TemporalFilterSettings],
  ] as const) {
    if (value !== undefined && member !== wanted) {
      problems.push({ pointer: `${pointer}/${member}`, text: `Is not allowed with filter ${filter}` });
    }
  }
}

export const deinterlacer: SettingRule<Deinterlacer> = allOf(
  checkDeinterlacer,
  structure<Deinterlacer>({ Algorithm: carriedOut, Control: carriedOut, Mode: carriedOut }),
);

function checkDeinterlacer(
  { Algorithm: algorithm, Mode: mode }: Deinterlacer,
  pointer: string,
  problems: Problem[],
): void {
  if (mode !== 'ADAPTIVE' || (algorithm !== 'BLEND' && algorithm !== 'BLEND_TICKER')) return;
  problems.push({ pointer: `${pointer}/algorithm`, text: `${algorithm} is not supported with mode ADAPTIVE` });
}

/** The filters of an input say together what is done. */
export function checkInputFilters(input: Input, pointer: string, problems: Problem[]): void {
  const { FilterEnable: enable, FilterStrength: strength = 0, DeblockFilter: deblock, DenoiseFilter: denoise } = input;
  const isAny = deblock === 'ENABLED' || denoise === 'ENABLED';
  if (enable === 'FORCE' && strength === 0) problems.push(missing(pointer, 'filterStrength'));
  if (enable === 'FORCE' && !isAny) {
    problems.push({ pointer: `${pointer}/filterEnable`, text: 'FORCE needs deblockFilter or denoiseFilter' });
  }
  if (enable === 'DISABLE' && isAny) {
    const member = deblock === 'ENABLED' ? 'deblockFilter' : 'denoiseFilter';
    problems.push({ pointer: `${pointer}/${member}`, text: 'Is not allowed with filterEnable DISABLE' });
  }
}
