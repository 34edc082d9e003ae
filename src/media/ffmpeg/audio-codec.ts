import type { CodecContext } from 'node-av/lib';
import { ERROR_CODES } from '../transcode-error.ts';
import type { AudioCodecSettings } from '../audio-settings.ts';
import { present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';

/** FFmpeg's lambda of one step of a quality. */
const LAMBDA = 118;

interface Encoder {
  readonly name: keyof FFmpeg & `FF_ENCODER_${string}`;
  readonly format: 'fltp' | 's16' | 's32';
  readonly options: Readonly<Record<string, string | number>>;
}

function encoderOf(settings: AudioCodecSettings): Encoder {
  switch (settings.kind) {
    case 'aac':
      return { name: 'FF_ENCODER_AAC', format: 'fltp', options: { b: settings.bitrate } };
    case 'mp3': {
      const { rate } = settings;
      const options =
        rate.mode === 'cbr' ? { b: rate.bitrate } : { flags: '+qscale', global_quality: rate.quality * LAMBDA };
      return { name: 'FF_ENCODER_LIBMP3LAME', format: 'fltp', options };
    }
    case 'wav':
      return settings.bitDepth === 16
        ? { name: 'FF_ENCODER_PCM_S16LE', format: 's16', options: {} }
        : { name: 'FF_ENCODER_PCM_S24LE', format: 's32', options: {} };
    case 'flac':
      // The encoder takes 24 bits in the upper ones of 32.
      return settings.bitDepth === 16
        ? { name: 'FF_ENCODER_FLAC', format: 's16', options: {} }
        : { name: 'FF_ENCODER_FLAC', format: 's32', options: { bits_per_raw_sample: 24 } };
  }
}

/** @throws TranscodeError 1040 when the encoder does not take the settings */
export function openAudioEncoder(ffmpeg: FFmpeg, settings: AudioCodecSettings, target: number): CodecContext {
  const { name, format, options } = encoderOf(settings);
  const encoder = ffmpeg[name] as Parameters<typeof ffmpeg.Codec.findEncoderByName>[0];
  const codec = present(ffmpeg.Codec.findEncoderByName(encoder), `This FFmpeg has no ${encoder} encoder.`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = settings.sampleRate;
  const formats = { fltp: ffmpeg.AV_SAMPLE_FMT_FLTP, s16: ffmpeg.AV_SAMPLE_FMT_S16, s32: ffmpeg.AV_SAMPLE_FMT_S32 };
  context.sampleFormat = formats[format];
  context.channelLayout = ffmpeg.avChannelLayoutDefault(settings.channels);
  context.timeBase = new ffmpeg.Rational(1, settings.sampleRate);
  const what = `Error initializing encoder for audio target [${target}]`;
  const flags = options['flags'] === undefined ? '+global_header' : `${options['flags']}+global_header`;
  openCodec(ffmpeg, context, codec, { ...options, flags }, ERROR_CODES.settingsDoNotFit, what);
  return context;
}
