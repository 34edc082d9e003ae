import type { Input, VideoSelector } from '@aws-sdk/client-mediaconvert';
import { audioSelector, audioSelectorGroup, checkSelectorGroups } from './audio-selector-rules.ts';
import { captionSelector } from './caption-rules.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { imageInserter } from './image-rules.ts';
import { checkTimecodes, inputClip } from './input-clip-rules.ts';
import { checkInputFilters } from './noise-rules.ts';
import { rectangle } from './picture-rules.ts';
import { inputDecryption } from './input-decryption-rules.ts';
import {
  type SettingRule,
  allOf,
  carriedOut,
  each,
  emptyOnly,
  entries,
  oneOf,
  structure,
  withoutEffect,
} from './setting-rule.ts';

const videoSelector: SettingRule<VideoSelector> = structure<VideoSelector>({
  AlphaBehavior: carriedOut,
  ColorSpace: oneOf('FOLLOW'),
  ColorSpaceUsage: withoutEffect,
  EmbeddedTimecodeOverride: oneOf('NONE'),
  PadVideo: oneOf('DISABLED'),
  Rotate: carriedOut,
  SampleRange: oneOf('FOLLOW'),
  SelectorType: oneOf('AUTO'),
});

export const input: SettingRule<Input> = allOf(
  checkTimecodes,
  checkSelectorGroups,
  checkInputFilters,
  structure<Input>({
    FileInput: checkFileInput,
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
    InputScanType: oneOf('AUTO'),
    PsiControl: oneOf('USE_PSI'),
  }),
);
