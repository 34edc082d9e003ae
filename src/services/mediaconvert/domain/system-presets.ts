import type {
  AudioDescription,
  ContainerSettings,
  JobTemplate,
  Output,
  Preset,
  VideoCodecSettings,
  VideoDescription,
} from '@aws-sdk/client-mediaconvert';
import type { JobScope } from '../store.ts';
import { arnOf, SYSTEM_PREFIX } from './names.ts';

/**
 * AWS's own presets, made from what their names say: container, codecs, size, rate and bitrate. AWS's settings beyond
 * that are not public as a list; these are plain ones.
 */

const FAMILIES: Readonly<Record<string, { readonly container: ContainerSettings; readonly category: string }>> = {
  Ott_Hls_Ts: { container: { Container: 'M3U8' }, category: 'OTT-HLS' },
  Ott_Dash_Mp4: { container: { Container: 'MPD' }, category: 'OTT-DASH' },
  Ott_Cmaf_Cmfc: { container: { Container: 'CMFC' }, category: 'OTT-CMAF' },
  Generic_Mp4: {
    container: {
      Container: 'MP4',
      Mp4Settings: { CslgAtom: 'INCLUDE', FreeSpaceBox: 'EXCLUDE', MoovPlacement: 'PROGRESSIVE_DOWNLOAD' },
    },
    category: 'GENERIC',
  },
};

const FAMILY = /^System-(?:(Ott_Hls_Ts|Ott_Dash_Mp4|Ott_Cmaf_Cmfc)|Generic_(?:Sd|Hd|Uhd)_Mp4)_(.+)$/;
/** Such as `Avc_Aac_16x9_Sdr_1280x720p_30Hz_5Mbps_Qvbr_Vq9`, or without `30Hz_`. */
const PICTURE =
  /^(Avc|Hevc)_(?:(Aac(?:_He)?)_)?\d+x\d+_(?:Sdr_)?(\d+)x(\d+)p_(?:(\d+(?:\.\d+)?)Hz_)?(\d+(?:\.\d+)?)([MK])bps(?:_(Cbr)|_Qvbr_Vq(\d+))?$/;
/** Such as `Aac_He_96Kbps`. */
const SOUND = /^(Aac(?:_He)?)_(\d+)Kbps$/;
/** Such as `System-Ott-Dash-Mpd_Av1_1280x720p_24Hz_1Mbps_Qvbr_Vq6`. */
const AV1 = /^System-Ott-Dash-Mpd_Av1_(\d+)x(\d+)p_(\d+(?:\.\d+)?)Hz_(\d+(?:\.\d+)?)([MK])bps_Qvbr_Vq(\d+)$/;
/** Such as `System-Avc_16x9_720p_29_97fps_5000kbps`: for HLS. */
const OLD = /^System-Avc_(16x9|4x3)_(\d+)p_(\d+)_(\d+)fps_(\d+)kbps$/;

const SOUND_BITRATE = 96_000;

/** A system preset; `undefined` for a name that follows none of the patterns. */
export function systemPreset(scope: JobScope, name: string): Preset | undefined {
  const old = OLD.exec(name);
  if (old !== null) {
    const [, aspect, height, whole, part, kilobits] = old;
    const lines = Number(height);
    const width = 2 * Math.round((lines * (aspect === '16x9' ? 16 / 9 : 4 / 3)) / 2);
    const rate = Number(`${whole}.${part}`);
    const video = pictureOf({ codec: 'Avc', width, height: lines, rate, bitrate: Number(kilobits) * 1000 });
    return made(scope, name, 'Ott_Hls_Ts', video, [soundOf('Aac', SOUND_BITRATE)]);
  }
  const av1 = AV1.exec(name);
  if (av1 !== null) {
    const [, width, height, rate, amount, unit, quality] = av1;
    const bitrate = bitsOf(amount, unit);
    const size = { width: Number(width), height: Number(height) };
    const video = pictureOf({ codec: 'Av1', ...size, rate: Number(rate), bitrate, quality: Number(quality) });
    return made(scope, name, 'Ott_Dash_Mp4', video, []);
  }
  const [, ott, rest = ''] = FAMILY.exec(name) ?? [];
  const family = ott ?? 'Generic_Mp4';
  const sound = SOUND.exec(rest);
  if (sound !== null) {
    const kilobits = Number(sound[2]);
    const preset = made(scope, name, family, undefined, [soundOf(sound[1] ?? '', kilobits * 1000)]);
    return family === 'Ott_Cmaf_Cmfc' && preset !== undefined ? asAlternative(preset, kilobits === 96) : preset;
  }
  const picture = PICTURE.exec(rest);
  if (picture === null) return undefined;
  const [, codec = '', aac, width, height, rate, amount, unit, , quality] = picture;
  const video = pictureOf({
    codec,
    width: Number(width),
    height: Number(height),
    ...(rate !== undefined && { rate: Number(rate) }),
    bitrate: bitsOf(amount, unit),
    ...(quality !== undefined && { quality: Number(quality) }),
  });
  return made(scope, name, family, video, aac === undefined ? [] : [soundOf(aac, SOUND_BITRATE)]);
}

function bitsOf(amount: string | undefined, unit: string | undefined): number {
  return Math.round(Number(amount) * (unit === 'M' ? 1_000_000 : 1000));
}

function made(
  scope: JobScope,
  name: string,
  family: string,
  video: VideoDescription | undefined,
  sounds: AudioDescription[],
): Preset | undefined {
  const facts = FAMILIES[family];
  if (facts === undefined) return undefined;
  return {
    Arn: arnOf(scope, 'presets', name),
    Name: name,
    Type: 'SYSTEM',
    Category: facts.category,
    Description: name.slice(SYSTEM_PREFIX.length).replaceAll('_', ' '),
    Settings: {
      ContainerSettings: facts.container,
      ...(video !== undefined && { VideoDescription: video }),
      ...(sounds.length > 0 && { AudioDescriptions: sounds }),
    },
  };
}

/** Of the sounds of a CMAF group, which are alternatives of each other, one is what players begin with. */
function asAlternative(preset: Preset, isDefault: boolean): Preset {
  const AudioTrackType = isDefault ? 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT' : 'ALTERNATE_AUDIO_AUTO_SELECT';
  const ContainerSettings = { ...preset.Settings?.ContainerSettings, CmfcSettings: { AudioTrackType } } as const;
  return { ...preset, Settings: { ...preset.Settings, ContainerSettings } };
}

interface Picture {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Absent: the input's. */
  readonly rate?: number;
  /** Bits a second. */
  readonly bitrate: number;
  /** Of QVBR; absent: a constant bitrate. */
  readonly quality?: number;
}

function pictureOf(picture: Picture): VideoDescription {
  return {
    Width: picture.width,
    Height: picture.height,
    ScalingBehavior: 'DEFAULT',
    Sharpness: 50,
    AntiAlias: 'ENABLED',
    CodecSettings: codecOf(picture),
  };
}

/** The rates that television has for whole numbers. */
const TELEVISION_RATES: Readonly<Record<string, number>> = { '23.97': 24_000, '29.97': 30_000, '59.94': 60_000 };

function codecOf({ codec, rate, bitrate, quality, height }: Picture): VideoCodecSettings {
  const common = {
    ...(quality === undefined
      ? { RateControlMode: 'CBR' as const, Bitrate: bitrate }
      : { RateControlMode: 'QVBR' as const, MaxBitrate: bitrate, QvbrSettings: { QvbrQualityLevel: quality } }),
    QualityTuningLevel: 'SINGLE_PASS_HQ' as const,
    GopSize: 2,
    GopSizeUnits: 'SECONDS' as const,
    GopClosedCadence: 1,
    ...framerateOf(rate),
    ParControl: 'SPECIFIED' as const,
    ParNumerator: 1,
    ParDenominator: 1,
  };
  if (codec === 'Av1' && quality !== undefined && rate !== undefined) {
    const GopSize = Math.round(2 * rate);
    const QvbrSettings = { QvbrQualityLevel: quality };
    const settings = { RateControlMode: 'QVBR', MaxBitrate: bitrate, QvbrSettings, GopSize } as const;
    return { Codec: 'AV1', Av1Settings: { ...settings, ...framerateOf(rate) } };
  }
  if (codec === 'Hevc') return { Codec: 'H_265', H265Settings: common };
  return { Codec: 'H_264', H264Settings: { ...common, CodecProfile: height >= 720 ? 'HIGH' : 'MAIN' } };
}

function framerateOf(rate: number | undefined) {
  if (rate === undefined) return { FramerateControl: 'INITIALIZE_FROM_SOURCE' as const };
  const television = TELEVISION_RATES[String(rate)];
  return {
    FramerateControl: 'SPECIFIED' as const,
    FramerateNumerator: television ?? Math.round(rate * 1000),
    FramerateDenominator: television === undefined ? 1000 : 1001,
  };
}

function soundOf(codec: string, bitrate: number): AudioDescription {
  const profile = codec === 'Aac_He' ? { CodecProfile: 'HEV1' as const } : {};
  return {
    AudioSourceName: 'Audio Selector 1',
    CodecSettings: {
      Codec: 'AAC',
      AacSettings: { Bitrate: bitrate, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000, ...profile },
    },
  };
}

const LADDER = [
  '480x270p_15Hz_0.4Mbps',
  '640x360p_30Hz_0.6Mbps',
  '640x360p_30Hz_1.2Mbps',
  '960x540p_30Hz_3.5Mbps',
  '1280x720p_30Hz_3.5Mbps',
  '1280x720p_30Hz_5.0Mbps',
  '1280x720p_30Hz_6.5Mbps',
  '1920x1080p_30Hz_8.5Mbps',
];

const DASH_SOUND = 'System-Ott_Dash_Mp4_Aac_He_96Kbps';

/** A template's, in its order. */
const CMAF_OUTPUTS = [
  ...[
    '1920x1080p_30Hz_10Mbps_Qvbr_Vq9',
    '1920x1080p_30Hz_8Mbps_Qvbr_Vq8',
    '1440x810p_30Hz_6Mbps_Qvbr_Vq9',
    '1440x810p_30Hz_5Mbps_Qvbr_Vq7',
    '1280x720p_30Hz_5Mbps_Qvbr_Vq9',
    '1280x720p_30Hz_4Mbps_Qvbr_Vq7',
    '960x540p_30Hz_2.5Mbps_Qvbr_Vq7',
    '768x432p_30Hz_1.2Mbps_Qvbr_Vq7',
    '640x360p_30Hz_0.8Mbps_Qvbr_Vq7',
    '416x234p_30Hz_0.36Mbps_Qvbr_Vq7',
  ].map((step) => `System-Ott_Cmaf_Cmfc_Avc_16x9_Sdr_${step}`),
  'System-Ott_Cmaf_Cmfc_Aac_He_96Kbps',
  'System-Ott_Cmaf_Cmfc_Aac_He_64Kbps',
];

/** Those that are listed: the ones that real jobs use. Others that follow the patterns are known too. */
export const SYSTEM_PRESETS: readonly string[] = [
  ...LADDER.map((step) => `System-Ott_Hls_Ts_Avc_Aac_16x9_${step}`),
  ...LADDER.map((step) => `System-Ott_Dash_Mp4_Avc_16x9_${step}`),
  DASH_SOUND,
  ...CMAF_OUTPUTS,
  'System-Generic_Hd_Mp4_Avc_Aac_16x9_1920x1080p_60Hz_9Mbps',
  'System-Generic_Hd_Mp4_Avc_Aac_16x9_1920x1080p_24Hz_6Mbps',
  'System-Generic_Hd_Mp4_Avc_Aac_16x9_1280x720p_24Hz_4.5Mbps',
  'System-Generic_Hd_Mp4_Avc_Aac_16x9_Sdr_1920x1080p_30Hz_10Mbps_Qvbr_Vq9',
  'System-Generic_Hd_Mp4_Avc_Aac_16x9_Sdr_1280x720p_30Hz_5Mbps_Qvbr_Vq9',
  'System-Generic_Sd_Mp4_Avc_Aac_4x3_640x480p_24Hz_1.5Mbps',
].toSorted();

export const SYSTEM_TEMPLATES: readonly string[] = [
  'System-Ott_Cmaf_Cmfc_Avc_Aac_Sdr_Qvbr',
  'System-Ott_Dash_Mp4_Avc_Aac',
  'System-Ott_Hls_Ts_Avc_Aac',
];

/** A system template; `undefined` for a name that is none. */
export function systemTemplate(scope: JobScope, name: string): JobTemplate | undefined {
  const facts = { Arn: arnOf(scope, 'jobTemplates', name), Name: name, Type: 'SYSTEM' } as const;
  if (name === 'System-Ott_Hls_Ts_Avc_Aac') {
    const group = {
      Name: 'Apple HLS',
      OutputGroupSettings: {
        Type: 'HLS_GROUP_SETTINGS' as const,
        HlsGroupSettings: { SegmentLength: 10, MinSegmentLength: 0 },
      },
      Outputs: LADDER.map((step) => outputOf(`System-Ott_Hls_Ts_Avc_Aac_16x9_${step}`)),
    };
    return { ...facts, Category: 'OTT-HLS', Settings: { OutputGroups: [group] } };
  }
  if (name === 'System-Ott_Dash_Mp4_Avc_Aac') {
    const group = {
      Name: 'DASH ISO',
      OutputGroupSettings: {
        Type: 'DASH_ISO_GROUP_SETTINGS' as const,
        DashIsoGroupSettings: { SegmentLength: 30, FragmentLength: 2, SegmentControl: 'SINGLE_FILE' as const },
      },
      Outputs: [...LADDER.map((step) => `System-Ott_Dash_Mp4_Avc_16x9_${step}`), DASH_SOUND].map(outputOf),
    };
    return { ...facts, Category: 'OTT-DASH', Settings: { OutputGroups: [group] } };
  }
  if (name === 'System-Ott_Cmaf_Cmfc_Avc_Aac_Sdr_Qvbr') {
    const group = {
      Name: 'CMAF',
      OutputGroupSettings: {
        Type: 'CMAF_GROUP_SETTINGS' as const,
        CmafGroupSettings: { SegmentLength: 30, FragmentLength: 3, SegmentControl: 'SEGMENTED_FILES' as const },
      },
      Outputs: CMAF_OUTPUTS.map(outputOf),
    };
    return { ...facts, Category: 'OTT-CMAF', Settings: { OutputGroups: [group] } };
  }
  return undefined;
}

/** As AWS names a system template's outputs: after their presets. */
function outputOf(preset: string): Output {
  const name = preset
    .slice(SYSTEM_PREFIX.length)
    .replace(/_(\d+(?:\.\d+)?)Mbps(?=$|_Qvbr)/, (_, amount) => `_${Number(amount) * 1000}Kbps`);
  return { Preset: preset, NameModifier: `_${name}` };
}
