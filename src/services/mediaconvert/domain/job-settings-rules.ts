import type {
  HlsSettings,
  JobSettings,
  Output,
  OutputGroup,
  OutputSettings,
  TimecodeConfig,
} from '@aws-sdk/client-mediaconvert';
import { automatedEncoding, checkAutomatedAbr } from './abr-rules.ts';
import { audioDescription } from './audio-description-rules.ts';
import { checkGroupCaptions, checkJobCaptions } from './caption-output-rules.ts';
import { captionDescription } from './caption-rules.ts';
import { containerSettings } from './container-rules.ts';
import { checkModifier, checkOutput, checkSegmentModifier, checkSettings } from './cross-setting-rules.ts';
import { checkLutCount, colorLut } from './color-rules.ts';
import { checkOutputGroup } from './group-rules.ts';
import { checkEncryptedCodecs } from './hls-encryption-rules.ts';
import { checkTimecodeConfig } from './input-clip-rules.ts';
import { input } from './input-rules.ts';
import { outputGroupSettings } from './output-group-rules.ts';
import { checkCopiedCaptions, checkCopiedSounds, checkPassthroughInputs } from './passthrough-rules.ts';
import {
  type SettingRule,
  allOf,
  carriedOut,
  each,
  emptyOnly,
  oneOf,
  structure,
  withoutEffect,
} from './setting-rule.ts';
import { motionImageInserter } from './image-rules.ts';
import { checkTimecodeTrack } from './picture-rules.ts';
import { checkTimedMetadata, timedMetadataInsertion } from './timed-metadata-rules.ts';
import { videoDescription } from './video-rules.ts';

/**
 * What of the job settings is carried out. Whatever is not named here is refused, with the JSON pointer to it. The
 * values' own bounds (lengths, ranges, enums) were checked before, from the service's model.
 */

const hlsOutput: SettingRule<HlsSettings> = structure<HlsSettings>({
  SegmentModifier: checkSegmentModifier,
  AudioGroupId: carriedOut,
  AudioRenditionSets: carriedOut,
  AudioTrackType: carriedOut,
  AudioOnlyContainer: carriedOut,
  IFrameOnlyManifest: carriedOut,
  DescriptiveVideoServiceFlag: carriedOut,
});

export const output: SettingRule<Output> = allOf(
  checkOutput,
  checkCopiedCaptions,
  checkTimecodeTrack,
  structure<Output>({
    NameModifier: checkModifier,
    Extension: carriedOut,
    ContainerSettings: containerSettings,
    VideoDescription: videoDescription,
    AudioDescriptions: each(audioDescription),
    CaptionDescriptions: each(captionDescription),
    OutputSettings: structure<OutputSettings>({ HlsSettings: hlsOutput }),
  }),
);

const outputGroup: SettingRule<OutputGroup> = allOf(
  checkOutputGroup,
  checkAutomatedAbr,
  checkGroupCaptions,
  checkEncryptedCodecs,
  checkTimedMetadata,
  structure<OutputGroup>({
    Name: withoutEffect,
    CustomName: withoutEffect,
    OutputGroupSettings: outputGroupSettings,
    AutomatedEncodingSettings: automatedEncoding,
    Outputs: each(output),
  }),
);

export const jobSettingsRule: SettingRule<JobSettings> = allOf(
  checkSettings,
  checkJobCaptions,
  checkPassthroughInputs,
  checkCopiedSounds,
  structure<JobSettings>({
    Inputs: each(input),
    OutputGroups: each(outputGroup),
    TimecodeConfig: allOf(
      checkTimecodeConfig,
      structure<TimecodeConfig>({ Source: carriedOut, Start: carriedOut, TimestampOffset: carriedOut }),
    ),
    TimedMetadataInsertion: timedMetadataInsertion,
    AdAvailOffset: oneOf(0),
    FollowSource: oneOf(1),
    ColorConversion3DLUTSettings: allOf(checkLutCount, each(colorLut)),
    MotionImageInserter: motionImageInserter,
    MotionImageInserters: emptyOnly,
  }),
);
