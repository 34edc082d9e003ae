import type {
  AacSettings,
  AudioCodecSettings,
  AudioDescription,
  AudioSelector,
  CmafGroupSettings,
  CmfcSettings,
  ContainerSettings,
  DashIsoGroupSettings,
  DestinationSettings,
  FileGroupSettings,
  HlsGroupSettings,
  HlsSettings,
  Input,
  JobSettings,
  M3u8Settings,
  MovSettings,
  Mp4Settings,
  MpdSettings,
  Output,
  OutputGroup,
  OutputGroupSettings,
  OutputSettings,
  S3DestinationAccessControl,
  S3DestinationSettings,
  S3EncryptionSettings,
  TimecodeConfig,
  VideoSelector,
} from '@aws-sdk/client-mediaconvert';
import {
  allOf,
  carriedOut,
  each,
  emptyOnly,
  entries,
  oneOf,
  type SettingRule,
  structure,
  withoutEffect,
} from './setting-rule.ts';
import { checkSampleEncryption, hlsEncryption } from './hls-encryption-rules.ts';
import { checkTimecodes, inputClip } from './input-clip-rules.ts';
import { checkAudioCodec, flac, mp3, wav } from './audio-rules.ts';
import { inputDecryption } from './input-decryption-rules.ts';
import {
  checkAac,
  checkAudioSelector,
  checkDestination,
  checkFileInput,
  checkModifier,
  checkSegmentModifier,
  checkOutput,
  checkSettings,
} from './cross-setting-rules.ts';
import { checkFragmentedGroup, checkCmafManifests, checkHlsGroup, checkOutputGroup } from './group-rules.ts';
import { videoDescription } from './video-rules.ts';

/**
 * What of the job settings is carried out. Whatever is not named here is refused, with the JSON pointer to it. The
 * values' own bounds (lengths, ranges, enums) were checked before, from the service's model.
 */

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
  AlphaBehavior: oneOf('DISCARD'),
  ColorSpace: oneOf('FOLLOW'),
  ColorSpaceUsage: withoutEffect,
  EmbeddedTimecodeOverride: oneOf('NONE'),
  PadVideo: oneOf('DISABLED'),
  Rotate: oneOf('DEGREE_0'),
  SampleRange: oneOf('FOLLOW'),
  SelectorType: oneOf('AUTO'),
});

const input: SettingRule<Input> = allOf(
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
    // Time codes bear on clips; burn-in and insertion are refused.
    TimecodeSource: withoutEffect,
    TimecodeStart: withoutEffect,
    FilterEnable: oneOf('AUTO', 'DISABLE'),
    FilterStrength: oneOf(0),
    DeblockFilter: oneOf('DISABLED'),
    DenoiseFilter: oneOf('DISABLED'),
    AdvancedInputFilter: oneOf('DISABLED'),
    InputScanType: oneOf('AUTO'),
    PsiControl: oneOf('USE_PSI'),
  }),
);

const destinationSettings: SettingRule<DestinationSettings> = structure<DestinationSettings>({
  S3Settings: structure<S3DestinationSettings>({
    Encryption: structure<S3EncryptionSettings>({
      EncryptionType: carriedOut,
      KmsKeyArn: carriedOut,
      KmsEncryptionContext: carriedOut,
    }),
    StorageClass: oneOf('STANDARD'),
    AccessControl: structure<S3DestinationAccessControl>({ CannedAcl: oneOf('BUCKET_OWNER_FULL_CONTROL') }),
  }),
});

const hlsGroup: SettingRule<HlsGroupSettings> = allOf(
  checkHlsGroup,
  structure<HlsGroupSettings>({
    Destination: checkDestination,
    DestinationSettings: destinationSettings,
    Encryption: hlsEncryption,
    SegmentControl: oneOf('SEGMENTED_FILES'),
    SegmentLength: carriedOut,
    SegmentLengthControl: oneOf('EXACT', 'GOP_MULTIPLE'),
    MinSegmentLength: carriedOut,
    MinFinalSegmentLength: oneOf(0),
    TargetDurationCompatibilityMode: carriedOut,
    ManifestDurationFormat: carriedOut,
    ManifestCompression: carriedOut,
    CodecSpecification: carriedOut,
    StreamInfResolution: carriedOut,
    ClientCache: carriedOut,
    OutputSelection: carriedOut,
    BaseUrl: carriedOut,
    DirectoryStructure: oneOf('SINGLE_DIRECTORY'),
    ProgramDateTime: oneOf('EXCLUDE'),
    ProgramDateTimePeriod: withoutEffect,
    ProgressiveWriteHlsManifest: oneOf('DISABLED'),
    TimedMetadataId3Frame: oneOf('NONE'),
    TimedMetadataId3Period: withoutEffect,
    TimestampDeltaMilliseconds: oneOf(0),
    ImageBasedTrickPlay: oneOf('NONE'),
    AudioOnlyHeader: oneOf('INCLUDE'),
    // Captions are refused where they are described.
    CaptionLanguageSetting: oneOf('OMIT', 'NONE'),
    CaptionSegmentLengthControl: withoutEffect,
    CaptionLanguageMappings: emptyOnly,
    AdMarkers: emptyOnly,
    AdditionalManifests: emptyOnly,
  }),
);

const fragmentedGroup = {
  Destination: checkDestination,
  DestinationSettings: destinationSettings,
  SegmentControl: carriedOut,
  SegmentLength: carriedOut,
  SegmentLengthControl: oneOf<'EXACT' | 'GOP_MULTIPLE'>('EXACT', 'GOP_MULTIPLE'),
  FragmentLength: carriedOut,
  MinFinalSegmentLength: oneOf(0),
  MinBufferTime: carriedOut,
  MpdProfile: carriedOut,
  MpdManifestBandwidthType: carriedOut,
  WriteSegmentTimelineInRepresentation: carriedOut,
  DashManifestStyle: oneOf<'BASIC'>('BASIC'),
  BaseUrl: carriedOut,
  // An edit list takes presentation to 0.
  VideoCompositionOffsets: oneOf<'UNSIGNED'>('UNSIGNED'),
  PtsOffsetHandlingForBFrames: oneOf<'ZERO_BASED'>('ZERO_BASED'),
  ImageBasedTrickPlay: oneOf<'NONE'>('NONE'),
  AdditionalManifests: emptyOnly,
};

const dashGroup: SettingRule<DashIsoGroupSettings> = allOf(
  checkFragmentedGroup,
  structure<DashIsoGroupSettings>({
    ...fragmentedGroup,
    AudioChannelConfigSchemeIdUri: oneOf('MPEG_CHANNEL_CONFIGURATION'),
    HbbtvCompliance: oneOf('NONE'),
  }),
);

const cmafGroup: SettingRule<CmafGroupSettings> = allOf(
  checkFragmentedGroup,
  checkCmafManifests,
  structure<CmafGroupSettings>({
    ...fragmentedGroup,
    WriteDashManifest: carriedOut,
    WriteHlsManifest: carriedOut,
    TargetDurationCompatibilityMode: carriedOut,
    ManifestDurationFormat: carriedOut,
    ManifestCompression: carriedOut,
    CodecSpecification: carriedOut,
    StreamInfResolution: carriedOut,
    ClientCache: carriedOut,
  }),
);

const outputGroupSettings: SettingRule<OutputGroupSettings> = structure<OutputGroupSettings>({
  Type: oneOf('FILE_GROUP_SETTINGS', 'HLS_GROUP_SETTINGS', 'DASH_ISO_GROUP_SETTINGS', 'CMAF_GROUP_SETTINGS'),
  FileGroupSettings: structure<FileGroupSettings>({
    Destination: checkDestination,
    DestinationSettings: destinationSettings,
  }),
  HlsGroupSettings: hlsGroup,
  DashIsoGroupSettings: dashGroup,
  CmafGroupSettings: cmafGroup,
  PerFrameMetrics: emptyOnly,
});

const aac: SettingRule<AacSettings> = allOf(
  checkAac,
  structure<AacSettings>({
    Bitrate: carriedOut,
    SampleRate: carriedOut,
    CodingMode: oneOf('CODING_MODE_1_0', 'CODING_MODE_2_0', 'CODING_MODE_5_1'),
    // The AAC encoders of the FFmpeg build at hand have no spectral band replication.
    CodecProfile: oneOf('LC'),
    RateControlMode: oneOf('CBR'),
    RawFormat: oneOf('NONE'),
    Specification: oneOf('MPEG4'),
    AudioDescriptionBroadcasterMix: oneOf('NORMAL'),
  }),
);

const audioDescription: SettingRule<AudioDescription> = allOf(
  checkAudioCodec,
  structure<AudioDescription>({
    AudioSourceName: carriedOut,
    CodecSettings: structure<AudioCodecSettings>({
      Codec: oneOf('AAC', 'MP3', 'WAV', 'FLAC'),
      AacSettings: aac,
      Mp3Settings: mp3,
      WavSettings: wav,
      FlacSettings: flac,
    }),
    LanguageCode: carriedOut,
    CustomLanguageCode: carriedOut,
    LanguageCodeControl: carriedOut,
    StreamName: carriedOut,
    AudioTypeControl: oneOf('FOLLOW_INPUT'),
    AudioType: oneOf(0),
  }),
);

const mp4: SettingRule<Mp4Settings> = structure<Mp4Settings>({
  MoovPlacement: carriedOut,
  CslgAtom: carriedOut,
  CttsVersion: carriedOut,
  FreeSpaceBox: oneOf('EXCLUDE'),
  AudioDuration: oneOf('DEFAULT_CODEC_DURATION'),
  C2paManifest: oneOf('EXCLUDE'),
});

const mov: SettingRule<MovSettings> = structure<MovSettings>({
  CslgAtom: carriedOut,
  ClapAtom: oneOf('EXCLUDE'),
  // Bears on MPEG-2 video alone.
  Mpeg2FourCCControl: withoutEffect,
  PaddingControl: oneOf('NONE'),
  Reference: oneOf('SELF_CONTAINED'),
  AudioDuration: oneOf('DEFAULT_CODEC_DURATION'),
});

const m3u8: SettingRule<M3u8Settings> = structure<M3u8Settings>({
  PmtPid: carriedOut,
  VideoPid: carriedOut,
  AudioPids: carriedOut,
  ProgramNumber: carriedOut,
  TransportStreamId: carriedOut,
  AudioFramesPerPes: carriedOut,
  PtsOffset: carriedOut,
  PtsOffsetMode: oneOf('AUTO', 'SECONDS'),
  // Every picture is a PES packet and carries a clock reference.
  PcrControl: oneOf('PCR_EVERY_PES_PACKET'),
  // Tables stand at the start of each segment.
  PatInterval: oneOf(0),
  PmtInterval: oneOf(0),
  Scte35Source: oneOf('NONE'),
  TimedMetadata: oneOf('NONE'),
  NielsenId3: oneOf('NONE'),
  AudioDuration: oneOf('DEFAULT_CODEC_DURATION'),
  AudioPtsOffsetDelta: oneOf(0),
  // Numbers of streams that are not written, as their sources are off.
  Scte35Pid: withoutEffect,
  TimedMetadataPid: withoutEffect,
  PrivateMetadataPid: withoutEffect,
  DataPTSControl: withoutEffect,
});

/** Events and captions in the segments are refused; `withoutEffect` is what says how they would be written. */
const fragmentedContainer = {
  AudioDuration: oneOf<'DEFAULT_CODEC_DURATION'>('DEFAULT_CODEC_DURATION'),
  C2paManifest: oneOf<'EXCLUDE'>('EXCLUDE'),
  KlvMetadata: oneOf<'NONE'>('NONE'),
  ManifestMetadataSignaling: oneOf<'DISABLED'>('DISABLED'),
  Scte35Esam: oneOf<'NONE'>('NONE'),
  Scte35Source: oneOf<'NONE'>('NONE'),
  TimedMetadata: oneOf<'NONE'>('NONE'),
  TimedMetadataBoxVersion: withoutEffect,
};

const mpd: SettingRule<MpdSettings> = structure<MpdSettings>({
  ...fragmentedContainer,
  AccessibilityCaptionHints: oneOf('EXCLUDE'),
  CaptionContainerType: withoutEffect,
});

const cmfc: SettingRule<CmfcSettings> = structure<CmfcSettings>({
  ...fragmentedContainer,
  AudioGroupId: carriedOut,
  AudioRenditionSets: carriedOut,
  AudioTrackType: carriedOut,
  DescriptiveVideoServiceFlag: oneOf('DONT_FLAG'),
  IFrameOnlyManifest: oneOf('EXCLUDE'),
});

const containerSettings: SettingRule<ContainerSettings> = structure<ContainerSettings>({
  Container: oneOf('MP4', 'MOV', 'RAW', 'M3U8', 'MPD', 'CMFC'),
  Mp4Settings: mp4,
  MovSettings: mov,
  M3u8Settings: m3u8,
  MpdSettings: mpd,
  CmfcSettings: cmfc,
});

const hlsOutput: SettingRule<HlsSettings> = structure<HlsSettings>({
  SegmentModifier: checkSegmentModifier,
  AudioGroupId: carriedOut,
  AudioRenditionSets: carriedOut,
  AudioTrackType: carriedOut,
  AudioOnlyContainer: carriedOut,
  IFrameOnlyManifest: oneOf('EXCLUDE'),
  DescriptiveVideoServiceFlag: oneOf('DONT_FLAG'),
});

const output: SettingRule<Output> = allOf(
  checkOutput,
  structure<Output>({
    NameModifier: checkModifier,
    Extension: carriedOut,
    ContainerSettings: containerSettings,
    VideoDescription: videoDescription,
    AudioDescriptions: each(audioDescription),
    CaptionDescriptions: emptyOnly,
    OutputSettings: structure<OutputSettings>({ HlsSettings: hlsOutput }),
  }),
);

const outputGroup: SettingRule<OutputGroup> = allOf(
  checkOutputGroup,
  checkSampleEncryption,
  structure<OutputGroup>({
    Name: withoutEffect,
    CustomName: withoutEffect,
    OutputGroupSettings: outputGroupSettings,
    Outputs: each(output),
  }),
);

export const jobSettingsRule: SettingRule<JobSettings> = allOf(
  checkSettings,
  structure<JobSettings>({
    Inputs: each(input),
    OutputGroups: each(outputGroup),
    // As with the inputs' time codes: what they bear on is refused.
    TimecodeConfig: structure<TimecodeConfig>({ Source: withoutEffect, Start: withoutEffect }),
    AdAvailOffset: oneOf(0),
    FollowSource: oneOf(1),
    ColorConversion3DLUTSettings: emptyOnly,
    MotionImageInserters: emptyOnly,
  }),
);

function single(items: readonly number[], pointer: string, problems: { pointer: string; text: string }[]): void {
  if (items.length !== 1) problems.push({ pointer, text: 'Should have exactly 1 item; more are not supported' });
}
