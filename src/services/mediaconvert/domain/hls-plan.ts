import type { GroupKey } from '#media/content-encryption.ts';
import type { HlsGroup, HlsOutput, TransportSettings } from '#media/output-group.ts';
import type { HlsGroupSettings, HlsSettings, M3u8Settings, Output } from '@aws-sdk/client-mediaconvert';
import { planSounds } from './output-sounds.ts';
import { planCaptions, planClosedCaptions } from './caption-plan.ts';
import { planHlsEncryption } from './content-encryption-plan.ts';
import { hlsManifestSettings } from './hls-manifest-plan.ts';
import { groupFacts } from './group-facts.ts';
import { LONGEST_PICTURE_MS } from './transport-rules.ts';
import { planTrickPlayImages } from './trick-play-plan.ts';
import { planAlignment } from './segment-plan.ts';
import { additionalManifests } from './manifest-plan.ts';
import { planTags } from './timed-metadata-plan.ts';
import { videoSettings } from './video-plan.ts';

/** @param keys of the group's key provider, where it has one */
export function planHls(
  hls: HlsGroupSettings,
  keys: readonly GroupKey[] | undefined,
): Omit<HlsGroup, keyof ReturnType<typeof groupFacts> | 'outputs'> {
  return {
    kind: 'hls',
    segmentSeconds: hls.SegmentLength ?? 10,
    ...planAlignment(hls),
    ...planTrickPlayImages(hls),
    captionSegments: hls.CaptionSegmentLengthControl === 'MATCH_VIDEO' ? 'match-video' : 'large',
    ...planClosedCaptions(hls),
    areManifestsWritten: hls.OutputSelection !== 'SEGMENTS_ONLY',
    ...(hls.ProgressiveWriteHlsManifest === 'ENABLED' &&
      hls.OutputSelection !== 'SEGMENTS_ONLY' && { areManifestsProgressive: true }),
    ...hlsManifestSettings(hls),
    ...additionalManifests(hls),
    ...(hls.SegmentControl === 'SINGLE_FILE' && { isSingleFile: true }),
    ...(hls.DirectoryStructure === 'SUBDIRECTORY_PER_STREAM' && { directories: planDirectories(hls) }),
    ...(hls.ProgramDateTime === 'INCLUDE' && {
      programDateTime: { periodSeconds: hls.ProgramDateTimePeriod ?? DATE_PERIOD_SECONDS },
    }),
    ...(hls.Encryption !== undefined && { content: planHlsEncryption(hls.Encryption, keys) }),
  };
}

/** As often as the service tells dates. */
const DATE_PERIOD_SECONDS = 600;

function planDirectories({ SegmentsPerSubdirectory: count }: HlsGroupSettings) {
  return count === undefined ? {} : { segmentsPerDirectory: count };
}

/** @param group the settings of the output's group */
export function planHlsOutput(output: Output, group: HlsGroupSettings): HlsOutput {
  const hls = output.OutputSettings?.HlsSettings ?? {};
  const video = videoSettings(output.VideoDescription, output.ContainerSettings?.Container);
  const rendition = video === undefined ? planRendition(hls) : undefined;
  return {
    nameModifier: output.NameModifier ?? '',
    segmentModifier: hls.SegmentModifier ?? '',
    ...(video !== undefined && { video }),
    audios: planSounds(output),
    ...planCaptions(output),
    transport: planTransport(output.ContainerSettings?.M3u8Settings ?? {}, group),
    ...planTags(output.ContainerSettings?.M3u8Settings ?? {}, group),
    ...(video === undefined &&
      hls.AudioOnlyContainer !== 'M2TS' && { packedAudio: { isTimed: group.AudioOnlyHeader !== 'EXCLUDE' } }),
    ...(hls.IFrameOnlyManifest === 'INCLUDE' && { iFrames: 'ranges' as const }),
    ...(hls.IFrameOnlyManifest === 'INCLUDE_AS_TS' && { iFrames: 'files' as const }),
    ...(rendition !== undefined && { audioRendition: rendition }),
    audioGroupIds:
      video === undefined || hls.AudioRenditionSets === undefined
        ? []
        : hls.AudioRenditionSets.split(',')
            .map((name) => name.trim())
            .filter((name) => name !== ''),
  };
}

const DEFAULT_AUDIO_GROUP = 'program_audio';

function planRendition(hls: HlsSettings): HlsOutput['audioRendition'] | undefined {
  const type = hls.AudioTrackType;
  if (type === 'AUDIO_ONLY_VARIANT_STREAM' || (type === undefined && hls.AudioGroupId === undefined)) return undefined;
  return {
    groupId: hls.AudioGroupId ?? DEFAULT_AUDIO_GROUP,
    isDefault: type === 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
    isAutoSelected: type !== 'ALTERNATE_AUDIO_NOT_AUTO_SELECT',
    ...(hls.DescriptiveVideoServiceFlag === 'FLAG' && { isDescriptive: true }),
  };
}

/** As often as MPEG wants clock references. */
const DEFAULT_CLOCK_MS = 100;

/** Room for what is decoded before it is shown. */
const DEFAULT_OFFSET_SECONDS = 2;

function planTransport(m3u8: M3u8Settings, group: HlsGroupSettings): TransportSettings {
  const { PtsOffset, PtsOffsetMode, PatInterval, AudioPtsOffsetDelta, MaxPcrInterval = DEFAULT_CLOCK_MS } = m3u8;
  const unit = PtsOffsetMode === 'MILLISECONDS' ? 1000 : 1;
  const offset = PtsOffset === undefined ? DEFAULT_OFFSET_SECONDS : PtsOffset / unit;
  return {
    pmtPid: m3u8.PmtPid ?? 480,
    videoPid: m3u8.VideoPid ?? 481,
    audioPids: m3u8.AudioPids ?? [482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492],
    programNumber: m3u8.ProgramNumber ?? 1,
    transportStreamId: m3u8.TransportStreamId ?? 1,
    audioFramesPerPes: m3u8.AudioFramesPerPes ?? 4,
    clockOffsetSeconds: offset + (group.TimestampDeltaMilliseconds ?? 0) / 1000,
    // A reference may come a picture later than it is due; a period shorter than any picture means all of them.
    clockPeriodMs: m3u8.PcrControl === 'CONFIGURED_PCR_PERIOD' ? MaxPcrInterval - LONGEST_PICTURE_MS : 1,
    ...(AudioPtsOffsetDelta !== undefined && { audioOffsetSeconds: AudioPtsOffsetDelta / unit }),
    ...(PatInterval !== undefined && PatInterval > 0 && { tablePeriodSeconds: PatInterval / 1000 }),
  };
}
