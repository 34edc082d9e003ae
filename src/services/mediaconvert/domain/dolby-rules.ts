import type { Ac3Settings, Eac3Settings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** The sizes of frames that AC-3 has, in bits a second. */
const AC3_BITRATES: readonly number[] = [
  64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000, 224_000, 256_000, 320_000, 384_000, 448_000, 512_000,
  576_000, 640_000,
];

/** The least and the most bits a second, by coding mode. */
const AC3_BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  CODING_MODE_1_0: [64_000, 128_000],
  CODING_MODE_2_0: [128_000, 384_000],
  CODING_MODE_3_2_LFE: [384_000, 640_000],
};

const EAC3_BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  CODING_MODE_1_0: [32_000, 3_024_000],
  CODING_MODE_2_0: [96_000, 3_024_000],
  CODING_MODE_3_2: [192_000, 3_024_000],
};

/**
 * FFmpeg's encoders write no dynamic range control, do not shift phases and know nothing of the input's metadata; two
 * independent channels they have not.
 */
const dolby = {
  Bitrate: carriedOut,
  BitstreamMode: carriedOut,
  Dialnorm: carriedOut,
  LfeFilter: carriedOut,
  DynamicRangeCompressionLine: oneOf<'NONE'>('NONE'),
  DynamicRangeCompressionRf: oneOf<'NONE'>('NONE'),
  MetadataControl: oneOf<'USE_CONFIGURED'>('USE_CONFIGURED'),
  SampleRate: oneOf(48_000),
};

export const ac3: SettingRule<Ac3Settings> = allOf(
  checkAc3,
  structure<Ac3Settings>({
    ...dolby,
    CodingMode: oneOf('CODING_MODE_AUTO', 'CODING_MODE_1_0', 'CODING_MODE_2_0', 'CODING_MODE_3_2_LFE'),
    DynamicRangeCompressionProfile: oneOf('NONE'),
  }),
);

export const eac3: SettingRule<Eac3Settings> = allOf(
  checkEac3,
  structure<Eac3Settings>({
    ...dolby,
    CodingMode: carriedOut,
    AttenuationControl: carriedOut,
    DcFilter: carriedOut,
    LfeControl: carriedOut,
    LoRoCenterMixLevel: oneOf(3, 1.5, 0, -1.5, -3, -4.5, -6, -60),
    LoRoSurroundMixLevel: oneOf(-1.5, -3, -4.5, -6, -60),
    LtRtCenterMixLevel: oneOf(3, 1.5, 0, -1.5, -3, -4.5, -6, -60),
    LtRtSurroundMixLevel: oneOf(-1.5, -3, -4.5, -6, -60),
    PassthroughControl: oneOf('NO_PASSTHROUGH'),
    PhaseControl: oneOf('NO_SHIFT'),
    StereoDownmix: carriedOut,
    SurroundExMode: carriedOut,
    SurroundMode: carriedOut,
  }),
);

function checkAc3(settings: Ac3Settings, pointer: string, problems: Problem[]): void {
  const { Bitrate: bitrate, CodingMode: mode, LfeFilter: filter } = settings;
  if (filter === 'ENABLED' && mode !== 'CODING_MODE_3_2_LFE') {
    problems.push({ pointer: `${pointer}/lfeFilter`, text: 'Needs codingMode CODING_MODE_3_2_LFE' });
  }
  if (bitrate === undefined) return;
  if (!AC3_BITRATES.includes(bitrate)) {
    const text = `Should be equal to one of the allowed values in ${JSON.stringify(AC3_BITRATES)}`;
    problems.push({ pointer: `${pointer}/bitrate`, text });
  } else checkBounds(bitrate, mode, AC3_BOUNDS, pointer, problems);
}

function checkEac3(settings: Eac3Settings, pointer: string, problems: Problem[]): void {
  const { Bitrate: bitrate, CodingMode: mode } = settings;
  if (bitrate === undefined) return;
  if (bitrate % 8000 === 0) checkBounds(bitrate, mode, EAC3_BOUNDS, pointer, problems);
  else problems.push({ pointer: `${pointer}/bitrate`, text: 'Should be a multiple of 8000' });
}

function checkBounds(
  bitrate: number,
  mode: string | undefined,
  all: typeof AC3_BOUNDS,
  pointer: string,
  problems: Problem[],
): void {
  const bounds = all[mode ?? ''];
  if (bounds === undefined || (bitrate >= bounds[0] && bitrate <= bounds[1])) return;
  const text = `Should be between ${bounds[0]} and ${bounds[1]} for ${mode}`;
  problems.push({ pointer: `${pointer}/bitrate`, text });
}
