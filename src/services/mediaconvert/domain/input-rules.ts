import type { Input, VideoSelector } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { audioSelector, audioSelectorGroup, checkSelectorGroups } from './audio-selector-rules.ts';
import { captionSelector } from './caption-rules.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { checkInputColor, hdr10Metadata } from './color-rules.ts';
import { checkSource, videoGenerator } from './generator-rules.ts';
import { imageInserter } from './image-rules.ts';
import { checkTimecodes, inputClip } from './input-clip-rules.ts';
import { checkInputFilters } from './noise-rules.ts';
import { rectangle } from './picture-rules.ts';
import { inputDecryption } from './input-decryption-rules.ts';
import { type SettingRule, allOf, carriedOut, each, emptyOnly, entries, oneOf, structure } from './setting-rule.ts';

const videoSelector: SettingRule<VideoSelector> = allOf(
  checkInputColor,
  structure<VideoSelector>({
    AlphaBehavior: carriedOut,
    ColorSpace: oneOf('FOLLOW', 'REC_601', 'REC_709', 'HDR10', 'HLG_2020', 'P3D65_SDR', 'P3D65_HDR'),
    ColorSpaceUsage: carriedOut,
    Hdr10Metadata: hdr10Metadata,
    MaxLuminance: carriedOut,
    EmbeddedTimecodeOverride: oneOf('NONE'),
    PadVideo: carriedOut,
    Pid: carriedOut,
    ProgramNumber: carriedOut,
    Rotate: carriedOut,
    SampleRange: carriedOut,
    SelectorType: oneOf('AUTO'),
  }),
);

export const input: SettingRule<Input> = allOf(
  checkTimecodes,
  checkSelectorGroups,
  checkInputFilters,
  checkSource,
  checkProgram,
  structure<Input>({
    FileInput: checkFileInput,
    VideoGenerator: videoGenerator,
    DecryptionSettings: inputDecryption,
    AudioSelectors: entries(audioSelector),
    AudioSelectorGroups: entries(audioSelectorGroup),
    CaptionSelectors: entries(captionSelector),
    InputClippings: each(inputClip),
    SupplementalImps: emptyOnly,
    VideoOverlays: emptyOnly,
    VideoSelector: videoSelector,
    ImageInserter: imageInserter,
    Crop: rectangle,
    Position: rectangle,
    TimecodeSource: carriedOut,
    TimecodeStart: carriedOut,
    FilterEnable: carriedOut,
    FilterStrength: carriedOut,
    DeblockFilter: carriedOut,
    DenoiseFilter: carriedOut,
    AdvancedInputFilter: oneOf('DISABLED'),
    InputScanType: carriedOut,
    ProgramNumber: carriedOut,
    PsiControl: carriedOut,
  }),
);

/** The sound is of the program that the picture is of. */
function checkProgram(
  { ProgramNumber: number, VideoSelector: video }: Input,
  pointer: string,
  problems: Problem[],
): void {
  if (number === undefined || video?.ProgramNumber === undefined || number === video.ProgramNumber) return;
  problems.push({
    pointer: `${pointer}/videoSelector/programNumber`,
    text: 'Should be the programNumber of the input',
  });
}
