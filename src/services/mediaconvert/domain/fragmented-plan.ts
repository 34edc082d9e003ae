import type {
  CmafGroupSettings,
  CmfcSettings,
  DashIsoGroupSettings,
  Output,
  OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import type { AudioSettings } from '#media/audio-settings.ts';
import type { GroupKey } from '#media/content-encryption.ts';
import type { AudioRendition, DashManifestSettings, FragmentedGroup, FragmentedOutput } from '#media/output-group.ts';
import { planCmafEncryption, planProvidedEncryption } from './content-encryption-plan.ts';
import { isCaptionOutput } from './caption-output-rules.ts';
import { captionExtension, planCaptions } from './caption-plan.ts';
import { isSingleFile } from './group-facts.ts';
import { hlsManifestSettings } from './hls-manifest-plan.ts';
import { planTrickPlayImages } from './trick-play-plan.ts';
import { planAlignment } from './segment-plan.ts';
import { additionalManifests } from './manifest-plan.ts';
import { planEvents } from './timed-metadata-plan.ts';
import { videoSettings } from './video-plan.ts';

type Settings = DashIsoGroupSettings & CmafGroupSettings;
type GroupPlan = Pick<
  FragmentedGroup,
  | 'kind'
  | 'additionalManifests'
  | 'segmentSeconds'
  | 'fragmentSeconds'
  | 'alignment'
  | 'minFinalSeconds'
  | 'trickPlayImages'
  | 'isSingleFile'
  | 'dash'
  | 'hls'
  | 'content'
>;

export function planDash(settings: DashIsoGroupSettings, keys: readonly GroupKey[] | undefined): GroupPlan {
  const { Encryption: encryption } = settings;
  return {
    kind: 'dash',
    ...planCommon(settings, 30),
    dash: planManifest(settings),
    ...(encryption !== undefined && { content: planProvidedEncryption(keys) }),
  };
}

export function planCmaf(settings: CmafGroupSettings, keys: readonly GroupKey[] | undefined): GroupPlan {
  const { Encryption: encryption } = settings;
  return {
    kind: 'cmaf',
    ...planCommon(settings, 10),
    ...(settings.WriteDashManifest !== 'DISABLED' && { dash: planManifest(settings) }),
    ...(settings.WriteHlsManifest !== 'DISABLED' && { hls: hlsManifestSettings(settings) }),
    ...(encryption !== undefined && { content: planCmafEncryption(encryption, keys) }),
  };
}

function planCommon(settings: DashIsoGroupSettings | CmafGroupSettings, defaultLength: number) {
  return {
    segmentSeconds: settings.SegmentLength ?? defaultLength,
    fragmentSeconds: settings.FragmentLength ?? 2,
    ...planAlignment(settings),
    ...planTrickPlayImages(settings),
    isSingleFile: isSingleFile(settings),
    ...additionalManifests(settings),
  };
}

const COMMON_TIMELINES = { COMPACT: 'video', DISTINCT: 'rates', FULL: 'all' } as const;

function planStyle(settings: Settings): Pick<DashManifestSettings, 'profile' | 'commonTimeline' | 'channelScheme'> {
  const { DashManifestStyle: style = 'BASIC', HbbtvCompliance: compliance } = settings;
  const plain = settings.MpdProfile === 'ON_DEMAND_PROFILE' ? 'on-demand' : 'main';
  return {
    profile: compliance === 'HBBTV_1_5' ? 'hbbtv' : plain,
    ...(style !== 'BASIC' && { commonTimeline: COMMON_TIMELINES[style] }),
    ...(settings.AudioChannelConfigSchemeIdUri === 'DOLBY_CHANNEL_CONFIGURATION' && { channelScheme: 'dolby' }),
  };
}

function planManifest(settings: Settings): DashManifestSettings {
  return {
    ...planStyle(settings),
    isTimelineWritten:
      settings.WriteSegmentTimelineInRepresentation === 'ENABLED' ||
      (settings.DashManifestStyle ?? 'BASIC') !== 'BASIC',
    bandwidth: settings.MpdManifestBandwidthType === 'MAX' ? 'max' : 'average',
    ...(settings.MinBufferTime !== undefined && { minBufferMs: settings.MinBufferTime }),
    baseUrl: settings.BaseUrl ?? '',
  };
}

/** @param planAudios of an output */
export function planFragmentedOutputs(
  group: OutputGroup,
  planAudios: (output: Output) => readonly AudioSettings[],
): FragmentedOutput[] {
  const outputs = group.Outputs ?? [];
  const isCmaf = group.OutputGroupSettings?.Type === 'CMAF_GROUP_SETTINGS';
  const sounds = outputs.filter((output) => output.VideoDescription === undefined && !isCaptionOutput(output));
  const renditions = new Map(sounds.map((output, index) => [output, planRendition(cmfcOf(output), index)]));
  const allGroups = [...new Set([...renditions.values()].flatMap((one) => (one === undefined ? [] : [one.groupId])))];
  return outputs.map((output) => {
    const video = videoSettings(output.VideoDescription, output.ContainerSettings?.Container);
    const rendition = renditions.get(output);
    const isRawText = isCaptionOutput(output) && output.ContainerSettings?.MpdSettings?.CaptionContainerType === 'RAW';
    return {
      nameModifier: output.NameModifier ?? '',
      extension: output.Extension ?? extensionOf(output, isCmaf, isRawText),
      ...(video !== undefined && { video }),
      audios: planAudios(output),
      ...planCaptions(output),
      ...(isRawText && { isRawText }),
      ...(output.ContainerSettings?.MpdSettings?.AccessibilityCaptionHints === 'INCLUDE' && {
        areCaptionsHinted: true,
      }),
      ...planEvents(isCmaf ? cmfcOf(output) : output.ContainerSettings?.MpdSettings),
      ...(rendition !== undefined && { audioRendition: rendition }),
      audioGroupIds: video === undefined ? [] : (listed(cmfcOf(output).AudioRenditionSets) ?? allGroups),
      ...(cmfcOf(output).IFrameOnlyManifest === 'INCLUDE' && { hasIFrameManifest: true }),
    };
  });
}

function extensionOf(output: Output, isCmaf: boolean, isRawText: boolean): string {
  if (isCaptionOutput(output)) return isCmaf ? 'cmft' : isRawText ? (captionExtension(output) ?? 'xml') : 'mp4';
  return isCmaf ? (output.VideoDescription === undefined ? 'cmfa' : 'cmfv') : 'mp4';
}

function cmfcOf(output: Output): CmfcSettings {
  return output.ContainerSettings?.CmfcSettings ?? {};
}

/** Each sound that names no group has one of its own, which every picture plays with. */
function planRendition(cmfc: CmfcSettings, index: number): AudioRendition | undefined {
  const type = cmfc.AudioTrackType ?? 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT';
  if (type === 'AUDIO_ONLY_VARIANT_STREAM') return undefined;
  return {
    groupId: cmfc.AudioGroupId ?? `program_audio_${index}`,
    isDefault: type === 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
    isAutoSelected: type !== 'ALTERNATE_AUDIO_NOT_AUTO_SELECT',
    ...(cmfc.DescriptiveVideoServiceFlag === 'FLAG' && { isDescriptive: true }),
  };
}

function listed(names: string | undefined): string[] | undefined {
  return names
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
