import type { AacSettings, AudioCodecSettings, AudioDescription } from '@aws-sdk/client-mediaconvert';
import { checkAudioCodec, flac, mp3, wav } from './audio-rules.ts';
import { checkAac } from './cross-setting-rules.ts';
import { type SettingRule, allOf, carriedOut, oneOf, structure } from './setting-rule.ts';

const aac: SettingRule<AacSettings> = allOf(
  checkAac,
  structure<AacSettings>({
    Bitrate: carriedOut,
    SampleRate: carriedOut,
    CodingMode: oneOf('CODING_MODE_1_0', 'CODING_MODE_2_0', 'CODING_MODE_5_1'),
    // The AAC encoders of the FFmpeg build at hand have no spectral band replication.
    CodecProfile: oneOf('LC'),
    RateControlMode: oneOf('CBR'),
    RawFormat: oneOf('NONE'),
    Specification: oneOf('MPEG4'),
    AudioDescriptionBroadcasterMix: oneOf('NORMAL'),
  }),
);

export const audioDescription: SettingRule<AudioDescription> = allOf(
  checkAudioCodec,
  structure<AudioDescription>({
    AudioSourceName: carriedOut,
    CodecSettings: structure<AudioCodecSettings>({
      Codec: oneOf('AAC', 'MP3', 'WAV', 'FLAC'),
      AacSettings: aac,
      Mp3Settings: mp3,
      WavSettings: wav,
      FlacSettings: flac,
    }),
    LanguageCode: carriedOut,
    CustomLanguageCode: carriedOut,
    LanguageCodeControl: carriedOut,
    StreamName: carriedOut,
    AudioTypeControl: oneOf('FOLLOW_INPUT'),
    AudioType: oneOf(0),
  }),
);
