import type {
  CmafGroupSettings,
  DashIsoGroupSettings,
  FileGroupSettings,
  HlsGroupSettings,
  Output,
  OutputGroup,
  OutputGroupSettings,
} from '@aws-sdk/client-mediaconvert';
import { hasTemplateIdentifiers } from '#media/packaging/segment-template.ts';
import type { Problem } from '../errors.ts';
import { checkSoundFile } from './audio-container-rules.ts';
import { checkMainManifests, checkPackedAudio, checkTrickPlay } from './manifest-rules.ts';
import { checkPictureContainer } from './container-codecs.ts';
import { isCaptionOutput } from './caption-output-rules.ts';
import { isSingleFile } from './group-facts.ts';
import { missing } from './setting-rule.ts';
import { checkDash } from './dash-rules.ts';
import { checkTrickPlayImages } from './trick-play-rules.ts';
import { checkLengths } from './length-rules.ts';
import { checkSmoothOutputs } from './smooth-rules.ts';
import { checkClocks } from './transport-rules.ts';

/** The rules of output groups that look at more than one member, as MediaConvert's guide states them. */

interface GroupKind {
  /** The wire name of the member with the group's settings. */
  readonly member: string;
  settingsOf(settings: OutputGroupSettings):
    | ({ readonly DestinationSettings?: FileGroupSettings['DestinationSettings'] } & {
        readonly Destination?: string | undefined;
      })
    | undefined;
  readonly containers: readonly string[];
  /** The member of `outputSettings` and those of `containerSettings` that are for other groups. */
  readonly isSegmented: boolean;
}

const KINDS: Readonly<Record<string, GroupKind>> = {
  FILE_GROUP_SETTINGS: {
    member: 'fileGroupSettings',
    settingsOf: (settings) => settings.FileGroupSettings,
    containers: ['MP4', 'MOV', 'RAW', 'M2TS', 'MXF', 'WEBM', 'F4V', 'OGG', 'GIF', 'Y4M'],
    isSegmented: false,
  },
  HLS_GROUP_SETTINGS: {
    member: 'hlsGroupSettings',
    settingsOf: (settings) => settings.HlsGroupSettings,
    containers: ['M3U8'],
    isSegmented: true,
  },
  DASH_ISO_GROUP_SETTINGS: {
    member: 'dashIsoGroupSettings',
    settingsOf: (settings) => settings.DashIsoGroupSettings,
    containers: ['MPD'],
    isSegmented: true,
  },
  CMAF_GROUP_SETTINGS: {
    member: 'cmafGroupSettings',
    settingsOf: (settings) => settings.CmafGroupSettings,
    containers: ['CMFC'],
    isSegmented: true,
  },
  MS_SMOOTH_GROUP_SETTINGS: {
    member: 'msSmoothGroupSettings',
    settingsOf: (settings) => settings.MsSmoothGroupSettings,
    containers: ['ISMV'],
    isSegmented: true,
  },
};

export function checkOutputGroup(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const settings = group.OutputGroupSettings;
  if (settings === undefined) {
    problems.push(missing(pointer, 'outputGroupSettings'));
    return;
  }
  const at = `${pointer}/outputGroupSettings`;
  const { Type: type } = settings;
  if (type === undefined) problems.push(missing(at, 'type'));
  const outputs = group.Outputs ?? [];
  if (outputs.length === 0) {
    problems.push({ pointer: `${pointer}/outputs`, text: 'Should have at least 1 items', isMissing: true });
  }
  const kind = type === undefined ? undefined : KINDS[type];
  if (kind === undefined) return;
  const own = kind.settingsOf(settings);
  if (own === undefined) problems.push(missing(at, kind.member));
  else checkStorage(own, `${at}/${kind.member}`, problems);
  if (Object.values(KINDS).some((other) => other !== kind && other.settingsOf(settings) !== undefined)) {
    problems.push({ pointer: at, text: 'Should match exactly one schema defined in "oneOf"' });
  }
  checkNames(group, kind, pointer, problems);
  const isSampleAes = settings.HlsGroupSettings?.Encryption?.EncryptionMethod === 'SAMPLE_AES';
  outputs.forEach((output, index) => {
    const place = `${pointer}/outputs/${index}`;
    checkContainer(output, kind, place, problems);
    checkPictureContainer(output, place, problems);
    checkSoundFile(output, place, problems);
    if (type === 'HLS_GROUP_SETTINGS') checkHlsOutput(output, isSampleAes, place, problems);
    else if (output.OutputSettings?.HlsSettings !== undefined) {
      problems.push({ pointer: `${place}/outputSettings/hlsSettings`, text: 'Is only allowed in an HLS output group' });
    }
    if (type === 'DASH_ISO_GROUP_SETTINGS' || type === 'CMAF_GROUP_SETTINGS') checkOneTrack(output, place, problems);
  });
  if (type === 'CMAF_GROUP_SETTINGS') checkRenditions(group, pointer, problems);
  checkMainManifests(group, pointer, problems);
  checkTrickPlay(group, pointer, problems);
  checkTrickPlayImages(group, pointer, problems);
  checkDash(group, pointer, problems);
  checkLengths(group, pointer, problems);
  checkClocks(group, pointer, problems);
  checkSmoothOutputs(group, pointer, problems);
}

/** No two outputs may write the same objects, and none those of its group. */
function checkNames(group: OutputGroup, kind: GroupKind, pointer: string, problems: Problem[]): void {
  const settings = group.OutputGroupSettings ?? {};
  const isDash = settings.Type === 'DASH_ISO_GROUP_SETTINGS';
  const isTemplate = isDash || settings.Type === 'CMAF_GROUP_SETTINGS';
  const fragmented = settings.DashIsoGroupSettings ?? settings.CmafGroupSettings;
  const isCut = fragmented !== undefined && !isSingleFile(fragmented);
  const names = new Set<string>();
  group.Outputs?.forEach((output, index) => {
    const place = `${pointer}/outputs/${index}`;
    const modifier = output.NameModifier ?? '';
    if (hasTemplateIdentifiers(modifier)) {
      checkTemplate(modifier, isTemplate && isCut, `${place}/nameModifier`, problems);
    }
    const stem = modifier.replace(/\$(?:Number|Time|RepresentationID)(?:%0\d{1,2}d?)?\$/g, '');
    if (/\$(?:Number|Time|RepresentationID)\b/.test(stem)) {
      const text = 'Widths of format identifiers are written as in $Number%05$';
      problems.push({ pointer: `${place}/nameModifier`, text });
    }
    const extension = output.Extension ?? output.ContainerSettings?.Container;
    const name = kind.isSegmented && !isDash ? stem : `${stem}.${extension}`;
    if (kind.isSegmented && !isDash && stem === '') problems.push(missing(place, 'nameModifier'));
    else if (names.has(name)) {
      problems.push({ pointer: place, text: 'nameModifier should differ from the other outputs' });
    }
    names.add(name);
  });
}

function checkTemplate(modifier: string, isAllowed: boolean, pointer: string, problems: Problem[]): void {
  if (!isAllowed) {
    const text = '$Number$, $Time$ and $RepresentationID$ are only allowed with SEGMENTED_FILES of DASH and CMAF';
    problems.push({ pointer, text });
  } else if (!/\$(?:Number|Time)(?:%0\d{1,2}d?)?\$/.test(modifier)) {
    problems.push({ pointer, text: 'Needs $Number$ or $Time$, as every segment would have the same name' });
  }
}

function checkStorage(
  group: NonNullable<ReturnType<GroupKind['settingsOf']>>,
  pointer: string,
  problems: Problem[],
): void {
  if (group.Destination === undefined) problems.push(missing(pointer, 'destination'));
  const encryption = group.DestinationSettings?.S3Settings?.Encryption;
  if (encryption === undefined) return;
  const at = `${pointer}/destinationSettings/s3Settings/encryption`;
  const { EncryptionType, KmsKeyArn, KmsEncryptionContext } = encryption;
  if (EncryptionType === undefined) problems.push(missing(at, 'encryptionType'));
  const isKmsUsed = EncryptionType === 'SERVER_SIDE_ENCRYPTION_KMS';
  if (!isKmsUsed && KmsKeyArn !== undefined) {
    problems.push({ pointer: `${at}/kmsKeyArn`, text: 'Is only allowed with SERVER_SIDE_ENCRYPTION_KMS' });
  }
  if (KmsEncryptionContext === undefined) return;
  const context = `${at}/kmsEncryptionContext`;
  if (!isKmsUsed) problems.push({ pointer: context, text: 'Is only allowed with SERVER_SIDE_ENCRYPTION_KMS' });
  else if (!isStringMap(KmsEncryptionContext)) {
    problems.push({ pointer: context, text: 'Should be base64 of a JSON object of strings' });
  }
}

function isStringMap(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.values(value).every((entry) => typeof entry === 'string');
  } catch {
    return false;
  }
}

/** The members of `containerSettings`, by container. */
const CONTAINER_MEMBERS = {
  MP4: ['Mp4Settings', 'mp4Settings'],
  MOV: ['MovSettings', 'movSettings'],
  M2TS: ['M2tsSettings', 'm2tsSettings'],
  MXF: ['MxfSettings', 'mxfSettings'],
  F4V: ['F4vSettings', 'f4vSettings'],
  M3U8: ['M3u8Settings', 'm3u8Settings'],
  MPD: ['MpdSettings', 'mpdSettings'],
  CMFC: ['CmfcSettings', 'cmfcSettings'],
} as const;

function checkContainer(output: Output, kind: GroupKind, pointer: string, problems: Problem[]): void {
  const { Container: container } = output.ContainerSettings ?? {};
  if (container === undefined) return;
  if (!kind.containers.includes(container)) {
    const text = `Should be equal to one of the allowed values in ${JSON.stringify(kind.containers)}`;
    problems.push({ pointer: `${pointer}/containerSettings/container`, text });
  }
  for (const [name, [member, wire]] of Object.entries(CONTAINER_MEMBERS)) {
    if (name === container || output.ContainerSettings?.[member] === undefined) continue;
    problems.push({ pointer: `${pointer}/containerSettings/${wire}`, text: `Needs container ${name}` });
  }
}

function checkHlsOutput(output: Output, isSampleAes: boolean, pointer: string, problems: Problem[]): void {
  if (isSampleAes && output.VideoDescription?.CodecSettings?.Codec === 'H_265') {
    const text = 'H_265 cannot be encrypted by SAMPLE_AES in transport streams';
    problems.push({ pointer: `${pointer}/videoDescription/codecSettings/codec`, text });
  }
  const isAudioOnly = output.VideoDescription === undefined && !isCaptionOutput(output);
  if (isAudioOnly && output.OutputSettings?.HlsSettings?.AudioOnlyContainer !== 'M2TS') {
    checkPackedAudio(output, isSampleAes, pointer, problems);
  }
}

function checkOneTrack(output: Output, pointer: string, problems: Problem[]): void {
  const audios = output.AudioDescriptions?.length ?? 0;
  if (audios + (output.VideoDescription === undefined ? 0 : 1) <= 1) return;
  const text = 'Should be an output of its own: DASH and CMAF outputs have either a picture or one sound';
  problems.push({ pointer: `${pointer}/audioDescriptions`, text });
}

/** With several sounds, which is chosen has to be said. */
function checkRenditions(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const sounds =
    group.Outputs?.filter((output) => output.VideoDescription === undefined && !isCaptionOutput(output)) ?? [];
  group.Outputs?.forEach((output, index) => {
    const at = `${pointer}/outputs/${index}/containerSettings/cmfcSettings`;
    const { AudioTrackType, AudioGroupId, AudioRenditionSets } = output.ContainerSettings?.CmfcSettings ?? {};
    const isSound = output.VideoDescription === undefined && !isCaptionOutput(output);
    if (isSound && sounds.length > 1 && AudioTrackType === undefined) problems.push(missing(at, 'audioTrackType'));
    if (isSound && AudioRenditionSets !== undefined) {
      problems.push({ pointer: `${at}/audioRenditionSets`, text: 'Is only allowed in an output with a picture' });
    }
    if (isSound) return;
    for (const [member, value] of [
      ['audioTrackType', AudioTrackType],
      ['audioGroupId', AudioGroupId],
    ] as const) {
      if (value !== undefined)
        problems.push({ pointer: `${at}/${member}`, text: 'Is only allowed in an output of sound' });
    }
  });
}

export function checkHlsGroup(group: HlsGroupSettings, pointer: string, problems: Problem[]): void {
  const { MinSegmentLength: least, SegmentLength: length = 10 } = group;
  if (group.SegmentsPerSubdirectory !== undefined && group.DirectoryStructure !== 'SUBDIRECTORY_PER_STREAM') {
    const text = 'Needs directoryStructure SUBDIRECTORY_PER_STREAM';
    problems.push({ pointer: `${pointer}/segmentsPerSubdirectory`, text });
  }
  if (group.ProgressiveWriteHlsManifest === 'ENABLED' && group.SegmentControl === 'SINGLE_FILE') {
    // An object is there to be read when all of it is written.
    const text = 'ENABLED is not supported with segmentControl SINGLE_FILE';
    problems.push({ pointer: `${pointer}/progressiveWriteHlsManifest`, text });
  }
  if (least === undefined) problems.push(missing(pointer, 'minSegmentLength'));
  else if (least > length) {
    problems.push({ pointer: `${pointer}/minSegmentLength`, text: `Should be less than or equal to ${length}` });
  }
}

/** What DASH and CMAF groups have in common. */
export function checkFragmentedGroup(
  group: DashIsoGroupSettings | CmafGroupSettings,
  pointer: string,
  problems: Problem[],
): void {
  const { SegmentLength: segment, FragmentLength: fragment } = group;
  if (segment !== undefined && fragment !== undefined && fragment > segment) {
    problems.push({ pointer: `${pointer}/fragmentLength`, text: `Should be less than or equal to ${segment}` });
  }
  if (group.MpdProfile === 'ON_DEMAND_PROFILE' && !isSingleFile(group)) {
    problems.push({ pointer: `${pointer}/mpdProfile`, text: 'ON_DEMAND_PROFILE needs segmentControl SINGLE_FILE' });
  }
}

export function checkCmafManifests(group: CmafGroupSettings, pointer: string, problems: Problem[]): void {
  if (group.WriteDashManifest === 'DISABLED' && group.WriteHlsManifest === 'DISABLED') {
    problems.push({ pointer: `${pointer}/writeHlsManifest`, text: 'At least one manifest has to be written' });
  }
}
