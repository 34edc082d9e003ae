import type {
  AiffSettings,
  AudioCodecSettings,
  AudioDescription,
  FlacSettings,
  Mp2Settings,
  Mp3Settings,
  OpusSettings,
  VorbisSettings,
  WavSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkCodecMember } from './codec-member.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** 0 channels are as many as the input's sound has. */
export const mp3: SettingRule<Mp3Settings> = allOf(
  checkMp3,
  structure<Mp3Settings>({
    Bitrate: carriedOut,
    Channels: carriedOut,
    RateControlMode: carriedOut,
    SampleRate: oneOf(22_050, 24_000, 32_000, 44_100, 48_000),
    VbrQuality: carriedOut,
  }),
);

export const wav: SettingRule<WavSettings> = allOf(
  checkExtensible,
  structure<WavSettings>({
    BitDepth: oneOf(16, 24),
    Channels: checkEven,
    Format: carriedOut,
    SampleRate: carriedOut,
  }),
);

export const aiff: SettingRule<AiffSettings> = structure<AiffSettings>({
  BitDepth: oneOf(16, 24),
  Channels: checkEven,
  SampleRate: carriedOut,
});

export const flac: SettingRule<FlacSettings> = structure<FlacSettings>({
  BitDepth: oneOf(16, 24),
  Channels: checkEven,
  SampleRate: carriedOut,
});

/** The sizes of frames that MPEG-1 layer II has, in bits a second. */
const MP2_BITRATES = [
  32_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000, 224_000, 256_000, 320_000,
  384_000,
] as const;

export const mp2: SettingRule<Mp2Settings> = allOf(
  checkMp2,
  structure<Mp2Settings>({
    Bitrate: oneOf<number>(...MP2_BITRATES),
    Channels: carriedOut,
    SampleRate: oneOf(32_000, 44_100, 48_000),
    AudioDescriptionMix: carriedOut,
  }),
);

export const opus: SettingRule<OpusSettings> = structure<OpusSettings>({
  Bitrate: checkOpusBitrate,
  Channels: carriedOut,
  SampleRate: oneOf(16_000, 24_000, 48_000),
});

export const vorbis: SettingRule<VorbisSettings> = structure<VorbisSettings>({
  Channels: carriedOut,
  SampleRate: oneOf(22_050, 32_000, 44_100, 48_000),
  VbrQuality: carriedOut,
});

/** The member in which each codec keeps its settings. */
const SETTINGS = {
  AAC: ['AacSettings', 'aacSettings'],
  AC3: ['Ac3Settings', 'ac3Settings'],
  EAC3: ['Eac3Settings', 'eac3Settings'],
  MP2: ['Mp2Settings', 'mp2Settings'],
  MP3: ['Mp3Settings', 'mp3Settings'],
  WAV: ['WavSettings', 'wavSettings'],
  AIFF: ['AiffSettings', 'aiffSettings'],
  FLAC: ['FlacSettings', 'flacSettings'],
  OPUS: ['OpusSettings', 'opusSettings'],
  VORBIS: ['VorbisSettings', 'vorbisSettings'],
} as const satisfies Record<string, readonly [keyof AudioCodecSettings, string]>;

export function checkAudioCodec(audio: AudioDescription, pointer: string, problems: Problem[]): void {
  checkCodecMember(audio.CodecSettings, SETTINGS, pointer, problems);
}

/** FFmpeg writes the longer head where it is needed: where a plain one says all, there is a plain one. */
function checkExtensible(settings: WavSettings, pointer: string, problems: Problem[]): void {
  const { Format: format, BitDepth: depth = 16, Channels: channels = 2, SampleRate: rate = 48_000 } = settings;
  if (format !== 'EXTENSIBLE' || depth > 16 || channels > 2 || rate > 48_000) return;
  const text = 'EXTENSIBLE is supported with 24 bits, more than 2 channels or more than 48000 samples a second';
  problems.push({ pointer: `${pointer}/format`, text });
}

function checkEven(channels: number, pointer: string, problems: Problem[]): void {
  if (channels > 1 && channels % 2 === 1) problems.push({ pointer, text: 'Should be 0, 1 or an even number' });
}

function checkOpusBitrate(bitrate: number, pointer: string, problems: Problem[]): void {
  if (bitrate % 8000 !== 0) problems.push({ pointer, text: 'Should be a multiple of 8000' });
}

function checkMp2({ Bitrate: bitrate, Channels: channels }: Mp2Settings, pointer: string, problems: Problem[]): void {
  if (bitrate === undefined) {
    problems.push(missing(pointer, 'bitrate'));
    return;
  }
  // ISO 11172-3 has these for one channel or for two alone.
  const isForTwo = bitrate > 192_000;
  const isForOne = bitrate <= 56_000 || bitrate === 80_000;
  const isMisfit = (isForTwo && channels === 1) || (isForOne && (channels === undefined || channels === 2));
  if (isMisfit) {
    problems.push({ pointer: `${pointer}/bitrate`, text: `Should be one that MP2 has for ${channels ?? 2} channels` });
  }
}

function checkMp3(settings: Mp3Settings, pointer: string, problems: Problem[]): void {
  const isVbr = settings.RateControlMode === 'VBR';
  if (isVbr && settings.VbrQuality === undefined) problems.push(missing(pointer, 'vbrQuality'));
  if (!isVbr && settings.Bitrate === undefined) problems.push(missing(pointer, 'bitrate'));
  if (isVbr && settings.Bitrate !== undefined) problems.push({ pointer: `${pointer}/bitrate`, text: 'Needs CBR' });
  if (!isVbr && settings.VbrQuality !== undefined)
    problems.push({ pointer: `${pointer}/vbrQuality`, text: 'Needs VBR' });
}
