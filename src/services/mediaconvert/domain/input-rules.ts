import type { AudioSelector, Input, VideoSelector } from '@aws-sdk/client-mediaconvert';
import { checkAudioSelector, checkFileInput } from './cross-setting-rules.ts';
import { imageInserter } from './image-rules.ts';
import { checkTimecodes, inputClip } from './input-clip-rules.ts';
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

const audioSelector: SettingRule<AudioSelector> = allOf(
  checkAudioSelector,
  structure<AudioSelector>({
    DefaultSelection: carriedOut,
    SelectorType: oneOf('TRACK', 'PID', 'LANGUAGE_CODE'),
    Tracks: single,
    Pids: single,
    LanguageCode: carriedOut,
    CustomLanguageCode: carriedOut,
    Offset: oneOf(0),
    // The program inside a Dolby E stream; other streams have one.
    ProgramSelection: oneOf(0, 1),
    AudioDurationCorrection: oneOf('DISABLED'),
    Smpte337Passthrough: oneOf('DISABLED'),
  }),
);

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
  structure<Input>({
    FileInput: checkFileInput,
    DecryptionSettings: inputDecryption,
    AudioSelectors: entries(audioSelector),
    AudioSelectorGroups: emptyOnly,
    CaptionSelectors: emptyOnly,
    InputClippings: each(inputClip),
    SupplementalImps: emptyOnly,
    VideoOverlays: emptyOnly,
    VideoSelector: videoSelector,
    ImageInserter: imageInserter,
    Crop: rectangle,
    Position: rectangle,
    TimecodeSource: carriedOut,
    TimecodeStart: carriedOut,
    FilterEnable: oneOf('AUTO', 'DISABLE'),
    FilterStrength: oneOf(0),
    DeblockFilter: oneOf('DISABLED'),
    DenoiseFilter: oneOf('DISABLED'),
    AdvancedInputFilter: oneOf('DISABLED'),
    InputScanType: oneOf('AUTO'),
    PsiControl: oneOf('USE_PSI'),
  }),
);

function single(items: readonly number[], pointer: string, problems: { pointer: string; text: string }[]): void {
  if (items.length !== 1) problems.push({ pointer, text: 'Should have exactly 1 item; more are not supported' });
}
