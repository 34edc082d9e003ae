import type { CodecContext } from 'node-av/lib';
import type { AudioCodecSettings, DolbyDigitalPlusSettings, DolbySettings } from '../audio-codec-settings.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';

/** FFmpeg's lambda of one step of a quality. */
const LAMBDA = 118;

interface Encoder {
  readonly name: string;
  readonly format: 'fltp' | 's16' | 's32' | 'flt';
  readonly options: Readonly<Record<string, string | number>>;
}

/** FDK's modes of variable bitrate for LC, from about 40 to about 100 kbit/s for each channel. */
const FDK_MODES = { low: 2, 'medium-low': 3, 'medium-high': 4, high: 5 } as const;

function encoderOf(settings: AudioCodecSettings): Encoder {
  switch (settings.kind) {
    case 'passthrough':
      throw new RangeError('What is passed through is not encoded.');
    case 'aac': {
      const { bitrate, quality, cutoffHz: cutoff, isQuick } = settings;
      const coder = isQuick === true ? { aac_coder: 'fast' } : {};
      const options = { b: bitrate, ...(cutoff !== undefined && { cutoff }), ...coder };
      if (quality === undefined) return { name: 'aac', format: 'fltp', options };
      return { name: 'libfdk_aac', format: 's16', options: { vbr: FDK_MODES[quality] } };
    }
    case 'mp3': {
      const { rate } = settings;
      const options =
        rate.mode === 'cbr' ? { b: rate.bitrate } : { flags: '+qscale', global_quality: rate.quality * LAMBDA };
      return { name: 'libmp3lame', format: 'fltp', options };
    }
    case 'wav':
    case 'aiff': {
      const order = settings.kind === 'wav' ? 'le' : 'be';
      const format = settings.bitDepth === 16 ? 's16' : 's32';
      return { name: `pcm_s${settings.bitDepth}${order}`, format, options: {} };
    }
    case 'flac':
      // The encoder takes 24 bits in the upper ones of 32.
      return settings.bitDepth === 16
        ? { name: 'flac', format: 's16', options: {} }
        : { name: 'flac', format: 's32', options: { bits_per_raw_sample: 24 } };
    case 'ac3':
      return { name: 'ac3', format: 'fltp', options: dolbyOptions(settings) };
    case 'eac3':
      return { name: 'eac3', format: 'fltp', options: { ...dolbyOptions(settings), ...settings.metadata } };
    case 'mp2':
      return { name: 'mp2', format: 's16', options: { b: settings.bitrate } };
    case 'opus':
      return { name: 'libopus', format: 'flt', options: { b: settings.bitrate } };
    case 'vorbis':
      return {
        name: 'libvorbis',
        format: 'fltp',
        options: { flags: '+qscale', global_quality: Math.round(settings.quality * LAMBDA) },
      };
  }
}

function dolbyOptions({ bitrate, service, dialnorm }: DolbySettings): Encoder['options'] {
  return { b: bitrate, audio_service_type: service, dialnorm: -dialnorm };
}

/** @throws TranscodeError 1040 when the encoder does not take the settings */
export function openAudioEncoder(ffmpeg: FFmpeg, settings: AudioCodecSettings, target: number): CodecContext {
  const { name, format, options } = encoderOf(settings);
  const encoder = name as Parameters<typeof ffmpeg.Codec.findEncoderByName>[0];
  const codec = present(ffmpeg.Codec.findEncoderByName(encoder), `This FFmpeg has no ${encoder} encoder.`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = settings.sampleRate;
  const formats = {
    fltp: ffmpeg.AV_SAMPLE_FMT_FLTP,
    flt: ffmpeg.AV_SAMPLE_FMT_FLT,
    s16: ffmpeg.AV_SAMPLE_FMT_S16,
    s32: ffmpeg.AV_SAMPLE_FMT_S32,
  };
  context.sampleFormat = formats[format];
  const what = `Error initializing encoder for audio target [${target}]`;
  context.channelLayout = ffmpeg.avChannelLayoutDefault(settings.channels);
  context.timeBase = new ffmpeg.Rational(1, settings.sampleRate);
  const flags = options['flags'] === undefined ? '+global_header' : `${options['flags']}+global_header`;
  openCodec(ffmpeg, context, codec, { ...options, flags }, ERROR_CODES.settingsDoNotFit, what);
  return context;
}

/** Filters on the encoder's own channels that its settings ask for; '' for none. */
export function codecFilters(settings: AudioCodecSettings): string {
  if (settings.kind !== 'ac3' && settings.kind !== 'eac3') return '';
  const filters: string[] = [];
  if (settings.isLfeFiltered && settings.channels === 6) filters.push('lowpass=f=120:c=LFE', 'lowpass=f=120:c=LFE');
  if (settings.kind === 'eac3') filters.push(...plusFilters(settings));
  return filters.map((filter) => `${filter},`).join('');
}

function plusFilters({ isDcFiltered, isSurroundAttenuated, channels }: DolbyDigitalPlusSettings): string[] {
  const names = channels === 5 ? ['FL', 'FR', 'FC'] : ['FL', 'FR', 'FC', 'LFE'];
  const kept = names.map((name) => `${name}=${name}`).join('|');
  const attenuated = `pan=${channels === 5 ? '5.0' : '5.1'}|${kept}|BL=0.7079*BL|BR=0.7079*BR`;
  return [...(isDcFiltered ? ['highpass=f=3'] : []), ...(isSurroundAttenuated && channels >= 5 ? [attenuated] : [])];
}

/** The RFC 6381 name of what an encoder makes. */
export function audioCodecName(settings: AudioCodecSettings): string {
  const { kind } = settings;
  if (kind === 'aac' && settings.isParametric === true) return 'mp4a.40.29';
  if (kind === 'aac' && settings.isReplicated === true) return 'mp4a.40.5';
  const names: Readonly<Partial<Record<AudioCodecSettings['kind'], string>>> = {
    // AAC LC is object type 2; MP3 and MP2 are MPEG-1's layers.
    aac: 'mp4a.40.2',
    mp3: 'mp4a.40.34',
    mp2: 'mp4a.40.33',
    ac3: 'ac-3',
    eac3: 'ec-3',
    opus: 'opus',
    flac: 'fLaC',
  };
  return names[kind] ?? kind;
}
