import type {
  CmafGroupSettings,
  DashIsoGroupSettings,
  FileGroupSettings,
  HlsCaptionLanguageMapping,
  HlsGroupSettings,
  OutputGroupSettings,
} from '@aws-sdk/client-mediaconvert';
import { checkDestination } from './cross-setting-rules.ts';
import { destinationSettings } from './destination-rules.ts';
import { smoothGroup } from './smooth-rules.ts';
import { checkCmafManifests, checkFragmentedGroup, checkHlsGroup } from './group-rules.ts';
import { cmafEncryption, dashEncryption } from './fragmented-encryption-rules.ts';
import { hlsEncryption } from './hls-encryption-rules.ts';
import { trickPlaySettings } from './trick-play-rules.ts';
import { additionalManifest } from './manifest-rules.ts';
import { type SettingRule, allOf, carriedOut, each, emptyOnly, oneOf, structure } from './setting-rule.ts';

const hlsGroup: SettingRule<HlsGroupSettings> = allOf(
  checkHlsGroup,
  structure<HlsGroupSettings>({
    Destination: checkDestination,
    DestinationSettings: destinationSettings,
    Encryption: hlsEncryption,
    SegmentControl: carriedOut,
    SegmentLength: carriedOut,
    SegmentLengthControl: carriedOut,
    MinSegmentLength: carriedOut,
    MinFinalSegmentLength: carriedOut,
    TargetDurationCompatibilityMode: carriedOut,
    ManifestDurationFormat: carriedOut,
    ManifestCompression: carriedOut,
    CodecSpecification: carriedOut,
    StreamInfResolution: carriedOut,
    ClientCache: carriedOut,
    OutputSelection: carriedOut,
    BaseUrl: carriedOut,
    DirectoryStructure: carriedOut,
    SegmentsPerSubdirectory: carriedOut,
    ProgramDateTime: carriedOut,
    ProgramDateTimePeriod: carriedOut,
    ProgressiveWriteHlsManifest: carriedOut,
    TimedMetadataId3Frame: carriedOut,
    TimedMetadataId3Period: carriedOut,
    TimestampDeltaMilliseconds: carriedOut,
    ImageBasedTrickPlay: carriedOut,
    ImageBasedTrickPlaySettings: trickPlaySettings,
    AudioOnlyHeader: carriedOut,
    CaptionLanguageSetting: carriedOut,
    CaptionSegmentLengthControl: carriedOut,
    CaptionLanguageMappings: each(
      structure<HlsCaptionLanguageMapping>({
        CaptionChannel: carriedOut,
        LanguageCode: carriedOut,
        CustomLanguageCode: carriedOut,
        LanguageDescription: carriedOut,
      }),
    ),
    AdMarkers: emptyOnly,
    AdditionalManifests: each(additionalManifest),
  }),
);

const fragmentedGroup = {
  Destination: checkDestination,
  DestinationSettings: destinationSettings,
  SegmentControl: carriedOut,
  SegmentLength: carriedOut,
  SegmentLengthControl: carriedOut,
  FragmentLength: carriedOut,
  MinFinalSegmentLength: carriedOut,
  MinBufferTime: carriedOut,
  MpdProfile: carriedOut,
  MpdManifestBandwidthType: carriedOut,
  WriteSegmentTimelineInRepresentation: carriedOut,
  DashManifestStyle: carriedOut,
  BaseUrl: carriedOut,
  // An edit list takes presentation to 0.
  VideoCompositionOffsets: oneOf<'UNSIGNED'>('UNSIGNED'),
  PtsOffsetHandlingForBFrames: oneOf<'ZERO_BASED'>('ZERO_BASED'),
  ImageBasedTrickPlay: carriedOut,
  ImageBasedTrickPlaySettings: trickPlaySettings,
  AdditionalManifests: each(additionalManifest),
};

const dashGroup: SettingRule<DashIsoGroupSettings> = allOf(
  checkFragmentedGroup,
  structure<DashIsoGroupSettings>({
    ...fragmentedGroup,
    Encryption: dashEncryption,
    AudioChannelConfigSchemeIdUri: carriedOut,
    HbbtvCompliance: carriedOut,
  }),
);

const cmafGroup: SettingRule<CmafGroupSettings> = allOf(
  checkFragmentedGroup,
  checkCmafManifests,
  structure<CmafGroupSettings>({
    ...fragmentedGroup,
    Encryption: cmafEncryption,
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

export const outputGroupSettings: SettingRule<OutputGroupSettings> = structure<OutputGroupSettings>({
  Type: oneOf(
    'FILE_GROUP_SETTINGS',
    'HLS_GROUP_SETTINGS',
    'DASH_ISO_GROUP_SETTINGS',
    'CMAF_GROUP_SETTINGS',
    'MS_SMOOTH_GROUP_SETTINGS',
  ),
  FileGroupSettings: structure<FileGroupSettings>({
    Destination: checkDestination,
    DestinationSettings: destinationSettings,
  }),
  HlsGroupSettings: hlsGroup,
  DashIsoGroupSettings: dashGroup,
  CmafGroupSettings: cmafGroup,
  MsSmoothGroupSettings: smoothGroup,
  PerFrameMetrics: emptyOnly,
});
