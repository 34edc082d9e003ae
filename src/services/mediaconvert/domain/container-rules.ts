import type {
  CmfcSettings,
  ContainerSettings,
  F4vSettings,
  M3u8Settings,
  MovSettings,
  Mp4Settings,
  MpdSettings,
  MxfSettings,
  MxfXavcProfileSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkTransport } from './transport-rules.ts';
import { type SettingRule, allOf, carriedOut, oneOf, structure, withoutEffect } from './setting-rule.ts';
import { checkEvents } from './timed-metadata-rules.ts';
import { m2ts } from './m2ts-rules.ts';

/** Four characters, as every box and brand has. */
function checkBrand(value: string, pointer: string, problems: Problem[]): void {
  if (!/^[\x20-\x7e]{4}$/.test(value)) problems.push({ pointer, text: 'Should have four characters of ASCII' });
}

const mp4: SettingRule<Mp4Settings> = structure<Mp4Settings>({
  MoovPlacement: carriedOut,
  CslgAtom: carriedOut,
  CttsVersion: carriedOut,
  FreeSpaceBox: carriedOut,
  Mp4MajorBrand: checkBrand,
  AudioDuration: carriedOut,
  C2paManifest: oneOf('EXCLUDE'),
});

const mov: SettingRule<MovSettings> = structure<MovSettings>({
  CslgAtom: carriedOut,
  ClapAtom: carriedOut,
  // Bears on MPEG-2 video alone.
  Mpeg2FourCCControl: withoutEffect,
  PaddingControl: oneOf('NONE'),
  Reference: oneOf('SELF_CONTAINED'),
  AudioDuration: carriedOut,
});

const mxf: SettingRule<MxfSettings> = structure<MxfSettings>({
  // Checked with the codec.
  Profile: oneOf('OP1A', 'XDCAM', 'XDCAM_RDD9', 'XAVC'),
  AfdSignaling: oneOf('NO_COPY'),
  UncompressedAudioWrapping: oneOf('AUTO'),
  XavcProfileSettings: structure<MxfXavcProfileSettings>({ DurationMode: oneOf('ALLOW_ANY_DURATION') }),
});

const m3u8: SettingRule<M3u8Settings> = allOf(
  checkTransport,
  structure<M3u8Settings>({
    PmtPid: carriedOut,
    TimedMetadataPid: carriedOut,
    VideoPid: carriedOut,
    AudioPids: carriedOut,
    ProgramNumber: carriedOut,
    TransportStreamId: carriedOut,
    AudioFramesPerPes: carriedOut,
    PtsOffset: carriedOut,
    PtsOffsetMode: carriedOut,
    PcrControl: carriedOut,
    MaxPcrInterval: carriedOut,
    // Of 0, they stand at the start of each segment.
    PatInterval: carriedOut,
    PmtInterval: carriedOut,
    Scte35Source: oneOf('NONE'),
    TimedMetadata: carriedOut,
    NielsenId3: oneOf('NONE'),
    AudioDuration: carriedOut,
    AudioPtsOffsetDelta: carriedOut,
    // Numbers of streams that are not written, as their sources are off.
    Scte35Pid: withoutEffect,
    PrivateMetadataPid: withoutEffect,
    DataPTSControl: withoutEffect,
  }),
);

const fragmentedContainer = {
  AudioDuration: carriedOut,
  C2paManifest: oneOf<'EXCLUDE'>('EXCLUDE'),
  KlvMetadata: oneOf<'NONE'>('NONE'),
  ManifestMetadataSignaling: carriedOut,
  Scte35Esam: oneOf<'NONE'>('NONE'),
  Scte35Source: oneOf<'NONE'>('NONE'),
  TimedMetadata: carriedOut,
  TimedMetadataBoxVersion: carriedOut,
  TimedMetadataSchemeIdUri: carriedOut,
  TimedMetadataValue: carriedOut,
};

const mpd: SettingRule<MpdSettings> = allOf(
  checkEvents,
  structure<MpdSettings>({
    ...fragmentedContainer,
    AccessibilityCaptionHints: carriedOut,
    CaptionContainerType: carriedOut,
  }),
);

const cmfc: SettingRule<CmfcSettings> = allOf(
  checkEvents,
  structure<CmfcSettings>({
    ...fragmentedContainer,
    AudioGroupId: carriedOut,
    AudioRenditionSets: carriedOut,
    AudioTrackType: carriedOut,
    DescriptiveVideoServiceFlag: carriedOut,
    IFrameOnlyManifest: carriedOut,
  }),
);

export const containerSettings: SettingRule<ContainerSettings> = structure<ContainerSettings>({
  Container: oneOf(
    'MP4',
    'MOV',
    'RAW',
    'M2TS',
    'MXF',
    'WEBM',
    'F4V',
    'OGG',
    'GIF',
    'Y4M',
    'M3U8',
    'MPD',
    'CMFC',
    'ISMV',
  ),
  Mp4Settings: mp4,
  M2tsSettings: m2ts,
  MxfSettings: mxf,
  F4vSettings: structure<F4vSettings>({ MoovPlacement: carriedOut }),
  MovSettings: mov,
  M3u8Settings: m3u8,
  MpdSettings: mpd,
  CmfcSettings: cmfc,
});
