import type { AacSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** The bitrates that the service has for AAC, in bits a second. */
const BITRATES: readonly number[] = [
  6000, 8000, 10_000, 12_000, 14_000, 16_000, 20_000, 24_000, 28_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000,
  96_000, 112_000, 128_000, 160_000, 192_000, 224_000, 256_000, 288_000, 320_000, 384_000, 448_000, 512_000, 576_000,
  640_000, 768_000, 896_000, 1_024_000,
];

/** The least and the most bits a second of LC, by coding mode and samples a second. Source: the service's guide. */
const LC_BOUNDS: Readonly<Record<string, Readonly<Record<number, readonly [number, number]>>>> = {
  CODING_MODE_1_0: {
    8000: [8000, 14_000],
    12_000: [8000, 14_000],
    16_000: [8000, 28_000],
    22_050: [24_000, 28_000],
    24_000: [24_000, 28_000],
    32_000: [32_000, 192_000],
    44_100: [56_000, 256_000],
    48_000: [56_000, 288_000],
    88_200: [288_000, 288_000],
    96_000: [128_000, 288_000],
  },
  CODING_MODE_2_0: {
    8000: [16_000, 20_000],
    12_000: [16_000, 20_000],
    16_000: [16_000, 32_000],
    22_050: [32_000, 32_000],
    24_000: [32_000, 32_000],
    32_000: [40_000, 384_000],
    44_100: [64_000, 512_000],
    48_000: [64_000, 576_000],
  },
  CODING_MODE_5_1: { 48_000: [192_000, 1_024_000] },
};

/**
 * The same of HEV1. In mono, the service's guide begins lower: at 12,000, and at 8,000 with 22,050 and 24,000 samples a
 * second. FFmpeg's encoder, which makes the lower part of the spectrum, does not keep such rates.
 */
const HEV1_BOUNDS: typeof LC_BOUNDS = {
  CODING_MODE_1_0: { 32_000: [20_000, 64_000], 44_100: [24_000, 64_000], 48_000: [24_000, 64_000] },
  CODING_MODE_2_0: {
    32_000: [16_000, 128_000],
    44_100: [16_000, 96_000],
    48_000: [16_000, 128_000],
    96_000: [96_000, 128_000],
  },
};

/** The same of HEV2. */
const HEV2_BOUNDS: typeof LC_BOUNDS = {
  CODING_MODE_2_0: {
    22_050: [8000, 10_000],
    24_000: [8000, 10_000],
    32_000: [12_000, 64_000],
    44_100: [20_000, 64_000],
    48_000: [20_000, 64_000],
  },
};

/** By profile. */
const BOUNDS: Readonly<Record<string, typeof LC_BOUNDS>> = { LC: LC_BOUNDS, HEV1: HEV1_BOUNDS, HEV2: HEV2_BOUNDS };

/** The rates that AAC has a number for. */
const SAMPLE_RATES: readonly number[] = [
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];

export const aac: SettingRule<AacSettings> = allOf(
  checkAac,
  structure<AacSettings>({
    Bitrate: carriedOut,
    SampleRate: carriedOut,
    CodingMode: checkCodingMode,
    CodecProfile: checkProfile,
    RateControlMode: carriedOut,
    VbrQuality: carriedOut,
    RawFormat: carriedOut,
    Specification: carriedOut,
    AudioDescriptionBroadcasterMix: carriedOut,
  }),
);

function checkProfile(profile: string, pointer: string, problems: Problem[]): void {
  if (BOUNDS[profile] !== undefined) return;
  const reason =
    profile === 'XHE' ? 'XHE needs an encoder for xHE-AAC, which is not there' : 'others are not supported';
  const text = `Should be equal to one of the allowed values in ${JSON.stringify(Object.keys(BOUNDS))}; ${reason}`;
  problems.push({ pointer, text });
}

function checkCodingMode(mode: string, pointer: string, problems: Problem[]): void {
  const modes = ['CODING_MODE_AUTO', 'CODING_MODE_1_0', 'CODING_MODE_2_0', 'CODING_MODE_5_1'];
  oneOf(...modes)(mode, pointer, problems);
}

function checkAac(settings: AacSettings, pointer: string, problems: Problem[]): void {
  const { CodingMode: mode, SampleRate: rate, RateControlMode: control } = settings;
  if (mode === undefined) problems.push(missing(pointer, 'codingMode'));
  if (rate === undefined) problems.push(missing(pointer, 'sampleRate'));
  if (rate !== undefined && !SAMPLE_RATES.includes(rate)) {
    const text = `Should be equal to one of the allowed values in ${JSON.stringify(SAMPLE_RATES)}`;
    problems.push({ pointer: `${pointer}/sampleRate`, text });
  }
  if (settings.CodecProfile === 'HEV1' || settings.CodecProfile === 'HEV2')
    checkReplicated(settings, pointer, problems);
  if (control === 'VBR') checkVbr(settings, pointer, problems);
  else checkBitrate(settings, pointer, problems);
}

function checkReplicated(settings: AacSettings, pointer: string, problems: Problem[]): void {
  const { CodecProfile: profile = '', CodingMode: mode, SampleRate: rate, RateControlMode: control } = settings;
  const refuse = (member: string, allowed: readonly unknown[]): void => {
    const text = `Should be equal to one of the allowed values in ${JSON.stringify(allowed)} with codecProfile ${profile}`;
    problems.push({ pointer: `${pointer}/${member}`, text });
  };
  const modes = BOUNDS[profile] ?? {};
  const bounds = modes[mode ?? ''];
  if (mode !== undefined && bounds === undefined) refuse('codingMode', Object.keys(modes));
  if (rate !== undefined && bounds !== undefined && bounds[rate] === undefined) {
    refuse('sampleRate', Object.keys(bounds).map(Number));
  }
  if (control === 'VBR') refuse('rateControlMode', ['CBR']);
}

function checkVbr({ Bitrate: bitrate }: AacSettings, pointer: string, problems: Problem[]): void {
  if (bitrate === undefined) return;
  problems.push({ pointer: `${pointer}/bitrate`, text: 'Needs rateControlMode CBR' });
}

function checkBitrate(settings: AacSettings, pointer: string, problems: Problem[]): void {
  const { Bitrate: bitrate, CodingMode: mode, SampleRate: rate, VbrQuality: quality } = settings;
  const profile = settings.CodecProfile ?? 'LC';
  if (quality !== undefined) problems.push({ pointer: `${pointer}/vbrQuality`, text: 'Needs rateControlMode VBR' });
  if (bitrate === undefined) {
    problems.push(missing(pointer, 'bitrate'));
    return;
  }
  if (!BITRATES.includes(bitrate)) {
    const text = `Should be equal to one of the allowed values in ${JSON.stringify(BITRATES)}`;
    problems.push({ pointer: `${pointer}/bitrate`, text });
    return;
  }
  const bounds = (BOUNDS[profile] ?? LC_BOUNDS)[mode ?? '']?.[rate ?? 0];
  if (bounds === undefined || (bitrate >= bounds[0] && bitrate <= bounds[1])) return;
  const text = `Should be between ${bounds[0]} and ${bounds[1]} for ${profile}, ${mode} at ${rate} Hz`;
  problems.push({ pointer: `${pointer}/bitrate`, text });
}
