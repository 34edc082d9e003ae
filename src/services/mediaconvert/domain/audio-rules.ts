import type {
  AudioCodecSettings,
  AudioDescription,
  FlacSettings,
  Mp3Settings,
  Output,
  WavSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkCodecMember } from './codec-member.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** What of the sounds in files of their own is carried out. 0 channels, as many as the input has, are not. */

export const mp3: SettingRule<Mp3Settings> = allOf(
  checkMp3,
  structure<Mp3Settings>({
    Bitrate: carriedOut,
    Channels: oneOf(1, 2),
    RateControlMode: carriedOut,
    SampleRate: oneOf(22_050, 24_000, 32_000, 44_100, 48_000),
    VbrQuality: carriedOut,
  }),
);

export const wav: SettingRule<WavSettings> = structure<WavSettings>({
  BitDepth: oneOf(16, 24),
  Channels: oneOf(1, 2, 6, 8),
  Format: oneOf('RIFF', 'RF64'),
  SampleRate: carriedOut,
});

export const flac: SettingRule<FlacSettings> = structure<FlacSettings>({
  BitDepth: oneOf(16, 24),
  Channels: oneOf(1, 2, 6, 8),
  SampleRate: carriedOut,
});

/** The member in which each codec keeps its settings. */
const SETTINGS = {
  AAC: ['AacSettings', 'aacSettings'],
  MP3: ['Mp3Settings', 'mp3Settings'],
  WAV: ['WavSettings', 'wavSettings'],
  FLAC: ['FlacSettings', 'flacSettings'],
} as const satisfies Record<string, readonly [keyof AudioCodecSettings, string]>;

export function checkAudioCodec(audio: AudioDescription, pointer: string, problems: Problem[]): void {
  checkCodecMember(audio.CodecSettings, SETTINGS, pointer, problems);
}

/** AAC is in a container, the others are alone in a file. */
export function checkSoundFile(output: Output, pointer: string, problems: Problem[]): void {
  const isRaw = output.ContainerSettings?.Container === 'RAW';
  output.AudioDescriptions?.forEach(({ CodecSettings: settings }, index) => {
    const at = `${pointer}/audioDescriptions/${index}`;
    const codec = settings?.Codec;
    const isAlone = codec === 'MP3' || codec === 'WAV' || codec === 'FLAC';
    if (isAlone && !isRaw)
      problems.push({ pointer: `${at}/codecSettings/codec`, text: `${codec} needs container RAW` });
    if (codec === 'AAC' && isRaw) {
      problems.push({ pointer: `${at}/codecSettings/codec`, text: 'AAC is not supported in container RAW' });
    }
    if (isRaw && index > 0) problems.push({ pointer: at, text: 'Should be an output of its own: RAW has one sound' });
  });
}

function checkMp3(settings: Mp3Settings, pointer: string, problems: Problem[]): void {
  const isVbr = settings.RateControlMode === 'VBR';
  if (isVbr && settings.VbrQuality === undefined) problems.push(missing(pointer, 'vbrQuality'));
  if (!isVbr && settings.Bitrate === undefined) problems.push(missing(pointer, 'bitrate'));
  if (isVbr && settings.Bitrate !== undefined) problems.push({ pointer: `${pointer}/bitrate`, text: 'Needs CBR' });
  if (!isVbr && settings.VbrQuality !== undefined)
    problems.push({ pointer: `${pointer}/vbrQuality`, text: 'Needs VBR' });
}
