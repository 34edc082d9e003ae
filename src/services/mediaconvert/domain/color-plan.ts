import type { ColorLut } from '#media/color-lut.ts';
import { parseLocation } from '#media/media-location.ts';
import type { TranscodeJob } from '#media/transcode-job.ts';
import type { ColorSpace, HdrMetadata, InputColor, OutputColor } from '#media/color-settings.ts';
import type { ColorCorrector, Hdr10Metadata, JobSettings, VideoSelector } from '@aws-sdk/client-mediaconvert';

/** The numbers of H.273 that the service writes for each of its colour spaces. */
const SPACES: Readonly<Record<string, ColorSpace>> = {
  REC_601: { primaries: 6, transfer: 6, matrix: 6 },
  REC_709: { primaries: 1, transfer: 1, matrix: 1 },
  HDR10: { primaries: 9, transfer: 16, matrix: 9 },
  HLG_2020: { primaries: 9, transfer: 18, matrix: 9 },
  P3DCI: { primaries: 11, transfer: 17, matrix: 1 },
  P3D65_SDR: { primaries: 12, transfer: 13, matrix: 1 },
  P3D65_HDR: { primaries: 12, transfer: 16, matrix: 1 },
};

/** Tables that stand for conversions. */
export function planLuts({ ColorConversion3DLUTSettings: luts = [] }: JobSettings): Pick<TranscodeJob, 'luts'> {
  if (luts.length === 0) return {};
  return {
    luts: luts.map((lut): ColorLut => {
      const [from, to] = [SPACES[lut.InputColorSpace ?? ''], SPACES[lut.OutputColorSpace ?? '']];
      if (from === undefined || to === undefined) throw new RangeError('A table of colours is for no colour space.');
      const { InputMasteringLuminance: fromPeak = 0, OutputMasteringLuminance: toPeak = 0 } = lut;
      return {
        file: parseLocation(lut.FileInput ?? ''),
        from,
        to,
        ...(fromPeak > 0 && { fromPeak: fromPeak / LIGHT_UNIT }),
        ...(toPeak > 0 && { toPeak: toPeak / LIGHT_UNIT }),
      };
    }),
  };
}

const CONVERSIONS: Readonly<Record<string, string>> = {
  FORCE_601: 'REC_601',
  FORCE_709: 'REC_709',
  FORCE_HDR10: 'HDR10',
  FORCE_HLG_2020: 'HLG_2020',
  FORCE_P3D65_SDR: 'P3D65_SDR',
  FORCE_P3D65_HDR: 'P3D65_HDR',
};

/** @returns undefined where the input's own marks are right */
export function planInputColor(selector: VideoSelector | undefined): InputColor | undefined {
  const space = SPACES[selector?.ColorSpace ?? 'FOLLOW'];
  const range = RANGES[selector?.SampleRange ?? 'FOLLOW'];
  const hdr = planHdr(selector?.Hdr10Metadata);
  const peak = selector?.MaxLuminance ?? selector?.Hdr10Metadata?.MaxLuminance ?? 0;
  if (space === undefined && range === undefined && peak === 0) return undefined;
  return {
    ...(space !== undefined && { space }),
    isFallback: selector?.ColorSpaceUsage === 'FALLBACK',
    ...(range !== undefined && { range }),
    ...(peak > 0 && { peak: peak / LIGHT_UNIT }),
    ...(hdr !== undefined && { hdr }),
  };
}

const RANGES: Readonly<Record<string, InputColor['range']>> = { FULL_RANGE: 'full', LIMITED_RANGE: 'limited' };

/** Ten thousandths of a candela per square metre. */
const LIGHT_UNIT = 10_000;
const NEUTRAL = 50;

/** @returns undefined where nothing is done */
export function planColor(corrector: ColorCorrector | undefined): OutputColor | undefined {
  if (corrector === undefined) return undefined;
  const space = SPACES[CONVERSIONS[corrector.ColorSpaceConversion ?? 'NONE'] ?? ''];
  const peak = corrector.MaxLuminance;
  const range = planRange(corrector);
  const hdr = planHdr(corrector.Hdr10Metadata);
  const {
    Brightness: brightness = NEUTRAL,
    Contrast: contrast = NEUTRAL,
    Saturation: saturation = NEUTRAL,
  } = corrector;
  return {
    ...(space !== undefined && { space }),
    toneMapping: corrector.HdrToSdrToneMapper === 'VIBRANT' ? 'vibrant' : 'details',
    ...(peak !== undefined && peak > 0 && { peak: peak / LIGHT_UNIT }),
    sdrWhite: corrector.SdrReferenceWhiteLevel ?? 100,
    ...(range !== undefined && { range }),
    ...(hdr !== undefined && { hdr }),
    ...(brightness !== NEUTRAL && { brightness: (brightness - NEUTRAL) / 100 }),
    ...(contrast !== NEUTRAL && { contrast: contrast / NEUTRAL }),
    ...(saturation !== NEUTRAL && { saturation: saturation / NEUTRAL }),
    ...(corrector.Hue !== undefined && corrector.Hue !== 0 && { hue: corrector.Hue }),
  };
}

function planRange({ SampleRangeConversion: conversion, ClipLimits: limits }: ColorCorrector): OutputColor['range'] {
  if (conversion === 'LIMITED_RANGE_SQUEEZE') return 'squeeze';
  if (conversion !== 'LIMITED_RANGE_CLIP') return undefined;
  return { minimum: limits?.MinimumYUV ?? 64, maximum: limits?.MaximumYUV ?? 940 };
}

/** What is not said is as in P3 with the white of D65. */
function planHdr(hdr: Hdr10Metadata | undefined): HdrMetadata | undefined {
  if (hdr === undefined) return undefined;
  return {
    red: [hdr.RedPrimaryX ?? 34_000, hdr.RedPrimaryY ?? 16_000],
    green: [hdr.GreenPrimaryX ?? 13_250, hdr.GreenPrimaryY ?? 34_500],
    blue: [hdr.BluePrimaryX ?? 7500, hdr.BluePrimaryY ?? 3000],
    white: [hdr.WhitePointX ?? 15_635, hdr.WhitePointY ?? 16_450],
    minimum: hdr.MinLuminance ?? 1,
    maximum: hdr.MaxLuminance ?? 10_000_000,
    maxContentLight: hdr.MaxContentLightLevel ?? 0,
    maxPictureLight: hdr.MaxFrameAverageLightLevel ?? 0,
  };
}
