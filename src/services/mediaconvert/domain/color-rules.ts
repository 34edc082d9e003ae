import type {
  ClipLimits,
  ColorConversion3DLUTSetting,
  ColorCorrector,
  Hdr10Metadata,
  VideoDescription,
  VideoSelector,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** What is done to colours. */

const lutSpace = oneOf('REC_601', 'REC_709', 'HDR10', 'HLG_2020', 'P3D65_SDR', 'P3D65_HDR');

/** A table of colours, for the conversions from one space into another. */
export const colorLut: SettingRule<ColorConversion3DLUTSetting> = allOf(
  checkLut,
  structure<ColorConversion3DLUTSetting>({
    FileInput: checkFileInput,
    InputColorSpace: lutSpace,
    InputMasteringLuminance: carriedOut,
    OutputColorSpace: lutSpace,
    OutputMasteringLuminance: carriedOut,
  }),
);

function checkLut(lut: ColorConversion3DLUTSetting, pointer: string, problems: Problem[]): void {
  if (lut.FileInput === undefined) problems.push(missing(pointer, 'fileInput'));
  if (lut.InputColorSpace === undefined) problems.push(missing(pointer, 'inputColorSpace'));
  if (lut.OutputColorSpace === undefined) problems.push(missing(pointer, 'outputColorSpace'));
}

const MOST_LUTS = 8;

export function checkLutCount(luts: readonly unknown[], pointer: string, problems: Problem[]): void {
  if (luts.length > MOST_LUTS) problems.push({ pointer, text: `Should have at most ${MOST_LUTS} items` });
}

export const hdr10Metadata: SettingRule<Hdr10Metadata> = allOf(
  checkHdr10Metadata,
  structure<Hdr10Metadata>({
    RedPrimaryX: carriedOut,
    RedPrimaryY: carriedOut,
    GreenPrimaryX: carriedOut,
    GreenPrimaryY: carriedOut,
    BluePrimaryX: carriedOut,
    BluePrimaryY: carriedOut,
    WhitePointX: carriedOut,
    WhitePointY: carriedOut,
    MinLuminance: carriedOut,
    MaxLuminance: carriedOut,
    MaxContentLightLevel: carriedOut,
    MaxFrameAverageLightLevel: carriedOut,
  }),
);

function checkHdr10Metadata(hdr: Hdr10Metadata, pointer: string, problems: Problem[]): void {
  if (hdr.MaxContentLightLevel === undefined) problems.push(missing(pointer, 'maxContentLightLevel'));
  if (hdr.MaxFrameAverageLightLevel === undefined) problems.push(missing(pointer, 'maxFrameAverageLightLevel'));
}

export const colorCorrector: SettingRule<ColorCorrector> = allOf(
  checkColorCorrector,
  structure<ColorCorrector>({
    Brightness: carriedOut,
    Contrast: carriedOut,
    Saturation: carriedOut,
    Hue: carriedOut,
    ColorSpaceConversion: oneOf(
      'NONE',
      'FORCE_601',
      'FORCE_709',
      'FORCE_HDR10',
      'FORCE_HLG_2020',
      'FORCE_P3D65_SDR',
      'FORCE_P3D65_HDR',
    ),
    Hdr10Metadata: hdr10Metadata,
    HdrToSdrToneMapper: carriedOut,
    MaxLuminance: carriedOut,
    SampleRangeConversion: carriedOut,
    ClipLimits: structure<ClipLimits>({
      MinimumYUV: carriedOut,
      MaximumYUV: carriedOut,
      // What red, green and blue may have is all that they can have.
      MinimumRGBTolerance: oneOf(0),
      MaximumRGBTolerance: oneOf(100),
    }),
    SdrReferenceWhiteLevel: carriedOut,
  }),
);

function checkColorCorrector(color: ColorCorrector, pointer: string, problems: Problem[]): void {
  const { ColorSpaceConversion: conversion = 'NONE', Hdr10Metadata: hdr, ClipLimits: limits } = color;
  if (conversion === 'FORCE_HDR10' && hdr === undefined) problems.push(missing(pointer, 'hdr10Metadata'));
  if (conversion !== 'FORCE_HDR10' && hdr !== undefined) {
    const text = 'Needs colorSpaceConversion FORCE_HDR10';
    problems.push({ pointer: `${pointer}/hdr10Metadata`, text });
  }
  if (limits !== undefined && color.SampleRangeConversion !== 'LIMITED_RANGE_CLIP') {
    const text = 'Needs sampleRangeConversion LIMITED_RANGE_CLIP';
    problems.push({ pointer: `${pointer}/clipLimits`, text });
  }
}

/** HDR needs ten bits a sample, and its metadata a codec that writes it. */
export function checkHdrCodec(video: VideoDescription, pointer: string, problems: Problem[]): void {
  const conversion = video.VideoPreprocessors?.ColorCorrector?.ColorSpaceConversion ?? 'NONE';
  if (!['FORCE_HDR10', 'FORCE_HLG_2020', 'FORCE_P3D65_HDR'].includes(conversion)) return;
  const { Codec: codec, H265Settings: h265, Av1Settings: av1 } = video.CodecSettings ?? {};
  const isH265 = codec === 'H_265' && (h265?.CodecProfile ?? '').startsWith('MAIN10');
  const isDeep = isH265 || (codec === 'AV1' && av1?.BitDepth === 'BIT_10') || codec === 'PRORES';
  if (isH265 || (isDeep && conversion !== 'FORCE_HDR10')) return;
  const text =
    conversion === 'FORCE_HDR10'
      ? 'FORCE_HDR10 is supported with H_265 and a codecProfile of ten bits'
      : `${conversion} needs a codec with ten bits a sample`;
  problems.push({ pointer: `${pointer}/videoPreprocessors/colorCorrector/colorSpaceConversion`, text });
}

/** What is said of an input's colours, and when. */
export function checkInputColor(selector: VideoSelector, pointer: string, problems: Problem[]): void {
  const { ColorSpace: space, Hdr10Metadata: hdr } = selector;
  if (hdr === undefined || space === 'HDR10') return;
  problems.push({ pointer: `${pointer}/hdr10Metadata`, text: 'Needs colorSpace HDR10' });
}
