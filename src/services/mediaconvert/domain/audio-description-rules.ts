import type { AudioCodecSettings, AudioDescription, AudioNormalizationSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { aac } from './aac-rules.ts';
import { aiff, checkAudioCodec, flac, mp2, mp3, opus, vorbis, wav } from './audio-rules.ts';
import { ac3, eac3 } from './dolby-rules.ts';
import { remix } from './remix-rules.ts';
import { type SettingRule, allOf, carriedOut, missing, oneOf, structure } from './setting-rule.ts';

const CODECS = ['AAC', 'AC3', 'EAC3', 'MP2', 'MP3', 'WAV', 'AIFF', 'FLAC', 'OPUS', 'VORBIS', 'PASSTHROUGH'];
const LICENSED = ['AC4', 'EAC3_ATMOS'];

function checkCodec(codec: string, pointer: string, problems: Problem[]): void {
  if (CODECS.includes(codec)) return;
  const reason = LICENSED.includes(codec) ? `FFmpeg has no ${codec} encoder` : 'others are not supported';
  problems.push({
    pointer,
    text: `Should be equal to one of the allowed values in ${JSON.stringify(CODECS)}; ${reason}`,
  });
}

const normalization: SettingRule<AudioNormalizationSettings> = allOf(
  checkNormalization,
  structure<AudioNormalizationSettings>({
    Algorithm: carriedOut,
    AlgorithmControl: carriedOut,
    CorrectionGateLevel: carriedOut,
    LoudnessLogging: carriedOut,
    PeakCalculation: carriedOut,
    TargetLkfs: carriedOut,
    TruePeakLimiterThreshold: carriedOut,
  }),
);

function checkNormalization(settings: AudioNormalizationSettings, pointer: string, problems: Problem[]): void {
  if (settings.Algorithm === undefined) problems.push(missing(pointer, 'algorithm'));
}

/** What is copied can neither be mixed nor made louder. */
function checkCopied(audio: AudioDescription, pointer: string, problems: Problem[]): void {
  if (audio.CodecSettings?.Codec !== 'PASSTHROUGH') return;
  const text = 'Is not allowed with codec PASSTHROUGH';
  if (audio.RemixSettings !== undefined) problems.push({ pointer: `${pointer}/remixSettings`, text });
  if (audio.AudioNormalizationSettings !== undefined) {
    problems.push({ pointer: `${pointer}/audioNormalizationSettings`, text });
  }
}

export const audioDescription: SettingRule<AudioDescription> = allOf(
  checkAudioCodec,
  checkCopied,
  structure<AudioDescription>({
    AudioSourceName: carriedOut,
    CodecSettings: structure<AudioCodecSettings>({
      Codec: checkCodec,
      AacSettings: aac,
      Ac3Settings: ac3,
      Eac3Settings: eac3,
      Mp2Settings: mp2,
      Mp3Settings: mp3,
      WavSettings: wav,
      AiffSettings: aiff,
      FlacSettings: flac,
      OpusSettings: opus,
      VorbisSettings: vorbis,
    }),
    AudioNormalizationSettings: normalization,
    RemixSettings: remix,
    LanguageCode: carriedOut,
    CustomLanguageCode: carriedOut,
    LanguageCodeControl: carriedOut,
    StreamName: carriedOut,
    AudioTypeControl: carriedOut,
    // Above 3 they are reserved.
    AudioType: oneOf(0, 1, 2, 3),
  }),
);
