import type {
  AudioDescription,
  AudioSelector as AudioSelectorSettings,
  FileGroupSettings,
  HlsGroupSettings,
  HlsSettings,
  Input,
  InputDecryptionSettings,
  JobSettings,
  M3u8Settings,
  Output,
  OutputGroup as OutputGroupSettings,
} from '@aws-sdk/client-mediaconvert';
import type {
  AudioSelector,
  AudioSettings,
  FileOutput,
  HlsGroup,
  HlsOutput,
  InputClips,
  InputDecryption,
  ObjectStorage,
  OutputGroup,
  S3Location,
  TranscodeInput,
  TranscodeJob,
  TransportSettings,
} from '#media/transcode-job.ts';
import { DEFAULT_SELECTOR } from './cross-setting-rules.ts';
import { audioCodecSettings } from './audio-plan.ts';
import { planCmaf, planDash, planFragmentedOutputs } from './fragmented-plan.ts';
import { planHlsEncryption } from './hls-encryption-plan.ts';
import { hlsManifestSettings } from './hls-manifest-plan.ts';
import { videoSettings } from './video-plan.ts';

/**
 * Turns job settings that passed the rules into what a worker does.
 *
 * @param startedAt milliseconds since the epoch, for names with date and time
 * @param inputKeys the plain data keys of the inputs that were encrypted before they were stored, in the inputs' order
 */
export function planTranscode(
  settings: JobSettings,
  startedAt: number,
  inputKeys: readonly (Uint8Array | undefined)[] = [],
): TranscodeJob {
  const inputs = (settings.Inputs ?? []).map((input, index) => planInput(input, inputKeys[index]));
  const first = inputs[0]?.source.key ?? '';
  const inputName = first.slice(first.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return { inputs, startedAt, groups: (settings.OutputGroups ?? []).map((group) => planGroup(group, inputName)) };
}

function planInput(input: Input, key: Uint8Array | undefined): TranscodeInput {
  const selectors = Object.entries(input.AudioSelectors ?? {});
  const preferred = selectors.find(([, selector]) => selector.DefaultSelection === 'DEFAULT')?.[1];
  const audioSelectors = Object.fromEntries(selectors.map(([name, selector]) => [name, planSelector(selector)]));
  return {
    source: parseS3(input.FileInput ?? ''),
    audioSelectors: {
      ...(preferred !== undefined && { [DEFAULT_SELECTOR]: planSelector(preferred) }),
      ...audioSelectors,
    },
    ...((input.InputClippings ?? []).length > 0 && { clips: planClips(input) }),
    ...(input.DecryptionSettings !== undefined && { decryption: planDecryption(input.DecryptionSettings, key) }),
  };
}

function planClips(input: Input): InputClips {
  const { TimecodeSource: source = 'EMBEDDED', TimecodeStart: start, InputClippings: clips = [] } = input;
  const specified = source === 'ZEROBASED' ? 'zero' : (start ?? 'zero');
  return {
    firstTimecode: source === 'EMBEDDED' ? 'embedded' : specified,
    parts: clips.map(({ StartTimecode, EndTimecode }) => ({
      ...(StartTimecode !== undefined && { start: StartTimecode }),
      ...(EndTimecode !== undefined && { end: EndTimecode }),
    })),
  };
}

const MODES = { AES_CTR: 'ctr', AES_CBC: 'cbc', AES_GCM: 'gcm' } as const;

function planDecryption(settings: InputDecryptionSettings, key: Uint8Array | undefined): InputDecryption {
  const { DecryptionMode: mode, InitializationVector: iv } = settings;
  if (mode === undefined || iv === undefined || key === undefined) throw new Error('An encrypted input has no key.');
  return { mode: MODES[mode], key, iv: Buffer.from(iv, 'base64') };
}

function planSelector(selector: AudioSelectorSettings): AudioSelector {
  const language = (selector.CustomLanguageCode ?? selector.LanguageCode)?.toLowerCase();
  const [track] = selector.Tracks ?? [];
  const [pid] = selector.Pids ?? [];
  const kind = selector.SelectorType ?? impliedType(track, pid, language);
  if (kind === 'TRACK' && track !== undefined) return { kind: 'track', track };
  if (kind === 'PID' && pid !== undefined) return { kind: 'pid', pid };
  if (kind === 'LANGUAGE_CODE' && language !== undefined) return { kind: 'language', code: language };
  return { kind: 'default' };
}

/** A selector without a type is of the type of what it names. */
function impliedType(track: number | undefined, pid: number | undefined, language: string | undefined) {
  if (track !== undefined) return 'TRACK';
  if (pid !== undefined) return 'PID';
  return language === undefined ? undefined : 'LANGUAGE_CODE';
}

function parseS3(uri: string): S3Location {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  return { bucket: match?.[1] ?? '', key: match?.[2] ?? '' };
}

function planGroup(group: OutputGroupSettings, inputName: string): OutputGroup {
  const settings = group.OutputGroupSettings ?? {};
  const outputs = group.Outputs ?? [];
  if (settings.Type === 'HLS_GROUP_SETTINGS') {
    const hls = settings.HlsGroupSettings ?? {};
    return { ...planHls(hls), ...groupFacts(hls, inputName), outputs: outputs.map(planHlsOutput) };
  }
  if (settings.Type === 'DASH_ISO_GROUP_SETTINGS' || settings.Type === 'CMAF_GROUP_SETTINGS') {
    const { CmafGroupSettings: cmaf = {}, DashIsoGroupSettings: dash = {} } = settings;
    const isDash = settings.Type === 'DASH_ISO_GROUP_SETTINGS';
    const planned = planFragmentedOutputs(group, (output) => (output.AudioDescriptions ?? []).map(planAudio));
    const facts = groupFacts(isDash ? dash : cmaf, inputName);
    return { ...(isDash ? planDash(dash) : planCmaf(cmaf)), ...facts, outputs: planned };
  }
  const file = settings.FileGroupSettings ?? {};
  return { kind: 'file', ...groupFacts(file, inputName), outputs: outputs.map(planFileOutput) };
}

/** A destination that ends in `/` is a folder, in which the input's name is kept. */
function groupFacts(group: FileGroupSettings, inputName: string) {
  const { bucket, key } = parseS3(group.Destination ?? '');
  const keyBase = key === '' || key.endsWith('/') ? `${key}$fn$` : key;
  return { bucket, keyBase, inputName, storage: planStorage(group) };
}

function planStorage(group: FileGroupSettings): ObjectStorage {
  const s3 = group.DestinationSettings?.S3Settings;
  const encryption = s3?.Encryption;
  return {
    ...(s3?.AccessControl?.CannedAcl === 'BUCKET_OWNER_FULL_CONTROL' && { acl: 'bucket-owner-full-control' as const }),
    ...(encryption !== undefined && {
      encryption: {
        algorithm:
          encryption.EncryptionType === 'SERVER_SIDE_ENCRYPTION_KMS' ? ('aws:kms' as const) : ('AES256' as const),
        ...(encryption.KmsKeyArn !== undefined && { kmsKeyArn: encryption.KmsKeyArn }),
        ...(encryption.KmsEncryptionContext !== undefined && { kmsContext: encryption.KmsEncryptionContext }),
      },
    }),
  };
}

/** What has no container is what its codec makes. */
function planRaw(output: Output): FileOutput['container'] {
  const kind = audioCodecSettings(output.AudioDescriptions?.[0]?.CodecSettings).kind;
  return output.VideoDescription === undefined && kind !== 'aac' ? kind : 'pictures';
}

function planFileOutput(output: Output): FileOutput {
  const { Container: name, Mp4Settings: mp4, MovSettings: mov } = output.ContainerSettings ?? {};
  const container = name === 'RAW' ? planRaw(output) : name === 'MOV' ? 'mov' : 'mp4';
  const video = videoSettings(output.VideoDescription, output.ContainerSettings?.Container);
  return {
    nameModifier: output.NameModifier ?? '',
    extension: output.Extension ?? (container === 'pictures' ? 'jpg' : container),
    container,
    moov: container === 'mp4' && mp4?.MoovPlacement !== 'NORMAL' ? 'front' : 'end',
    ...((container === 'mp4' ? mp4?.CslgAtom : mov?.CslgAtom) === 'INCLUDE' && {
      compositionShift: mp4?.CttsVersion === 1 ? (1 as const) : (0 as const),
    }),
    ...(video !== undefined && { video }),
    audios: (output.AudioDescriptions ?? []).map(planAudio),
  };
}

function planHls(hls: HlsGroupSettings): Omit<HlsGroup, keyof ReturnType<typeof groupFacts> | 'outputs'> {
  return {
    kind: 'hls',
    segmentSeconds: hls.SegmentLength ?? 10,
    alignment: hls.SegmentLengthControl === 'GOP_MULTIPLE' ? 'gop-multiple' : 'exact',
    areManifestsWritten: hls.OutputSelection !== 'SEGMENTS_ONLY',
    ...hlsManifestSettings(hls),
    ...(hls.Encryption !== undefined && { encryption: planHlsEncryption(hls.Encryption) }),
  };
}

function planHlsOutput(output: Output): HlsOutput {
  const hls = output.OutputSettings?.HlsSettings ?? {};
  const video = videoSettings(output.VideoDescription, output.ContainerSettings?.Container);
  const rendition = video === undefined ? planRendition(hls) : undefined;
  return {
    nameModifier: output.NameModifier ?? '',
    segmentModifier: hls.SegmentModifier ?? '',
    ...(video !== undefined && { video }),
    audios: (output.AudioDescriptions ?? []).map(planAudio),
    transport: planTransport(output.ContainerSettings?.M3u8Settings ?? {}),
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
  };
}

function planTransport(m3u8: M3u8Settings): TransportSettings {
  return {
    pmtPid: m3u8.PmtPid ?? 480,
    videoPid: m3u8.VideoPid ?? 481,
    audioPids: m3u8.AudioPids ?? [482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492],
    programNumber: m3u8.ProgramNumber ?? 1,
    transportStreamId: m3u8.TransportStreamId ?? 1,
    audioFramesPerPes: m3u8.AudioFramesPerPes ?? 4,
    clockOffsetSeconds: m3u8.PtsOffset ?? 2,
  };
}

function planAudio(audio: AudioDescription): AudioSettings {
  const language = (audio.CustomLanguageCode ?? audio.LanguageCode)?.toLowerCase();
  return {
    selector: audio.AudioSourceName ?? DEFAULT_SELECTOR,
    ...(language !== undefined && { language }),
    isLanguageFollowed: audio.LanguageCodeControl !== 'USE_CONFIGURED',
    ...(audio.StreamName !== undefined && { streamName: audio.StreamName }),
    codec: audioCodecSettings(audio.CodecSettings),
  };
}
