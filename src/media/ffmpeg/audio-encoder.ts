import type { CodecContext, FilterContext, FilterGraph, Frame, Packet } from 'node-av/lib';
import type { AudioCodecSettings } from '../audio-settings.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { openAudioEncoder } from './audio-codec.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { PacketReceiver } from './video-encoder.ts';

/** The channel layouts by which FFmpeg's filters know the channel counts. */
const LAYOUTS: Readonly<Record<AudioCodecSettings['channels'], string>> = {
  1: 'mono',
  2: 'stereo',
  6: '5.1',
  8: '7.1',
};

/** The RFC 6381 name of what this encoder makes: AAC LC is object type 2. */
export const AAC_CODEC_NAME = 'mp4a.40.2';

/** Samples of a packet, where the codec has no size of its own. */
const PCM_FRAME_SIZE = 1024;

/** One encoding of sound, shared by every output with the same settings: takes samples of its own format, end to end. */
export class AudioEncoder {
  readonly context: CodecContext;
  readonly settings: AudioCodecSettings;
  /** The filters that bring any input into the encoder's format. */
  readonly formatFilter: string;
  readonly #ffmpeg: FFmpeg;
  readonly #graph: FilterGraph;
  readonly #source: FilterContext;
  readonly #sink: FilterContext;
  readonly #frame: Frame;
  readonly #packet: Packet;
  readonly #receivers: PacketReceiver[] = [];
  #nextSample = 0;

  /** @throws TranscodeError 1040 when the encoder does not take the settings */
  constructor(ffmpeg: FFmpeg, settings: AudioCodecSettings, target: number) {
    this.#ffmpeg = ffmpeg;
    this.settings = settings;
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.context = openAudioEncoder(ffmpeg, settings, target);
    const format = ffmpeg.avGetSampleFmtName(this.context.sampleFormat) ?? 'fltp';
    const layout = LAYOUTS[settings.channels];
    this.formatFilter = `aformat=sample_fmts=${format}:sample_rates=${settings.sampleRate}:channel_layouts=${layout}`;
    this.#graph = new ffmpeg.FilterGraph();
    this.#graph.alloc();
    const rate = settings.sampleRate;
    const source = `abuffer@in=time_base=1/${rate}:sample_rate=${rate}:sample_fmt=${format}:channel_layout=${layout}`;
    const chain = `${source},asetnsamples=n=${this.context.frameSize || PCM_FRAME_SIZE}:p=0,abuffersink@out`;
    const what = `Error initializing encoder for audio target [${target}]`;
    check(ffmpeg, this.#graph.parsePtr(chain), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, this.#graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    this.#source = present(this.#graph.getFilter('abuffer@in'), what);
    this.#sink = present(this.#graph.getFilter('abuffersink@out'), what);
  }

  /** Seconds of audio so far. */
  get seconds(): number {
    return this.#nextSample / this.settings.sampleRate;
  }

  /** Every packet goes to every receiver, which must copy what it keeps. */
  addReceiver(receive: PacketReceiver): void {
    this.#receivers.push(receive);
  }

  /** Encodes samples in the encoder's own format, directly behind the ones before. */
  encode(frame: Frame): void {
    frame.pts = BigInt(this.#nextSample);
    this.#nextSample += frame.nbSamples;
    check(this.#ffmpeg, this.#source.buffersrcAddFrameSync(frame), ERROR_CODES.unknown, 'The audio encoder failed');
    this.#drain();
  }

  /** Fills with silence up to a time. */
  fillTo(seconds: number): void {
    const target = Math.round(seconds * this.settings.sampleRate);
    while (this.#nextSample < target) {
      const silence = this.#silence(Math.min(target - this.#nextSample, this.settings.sampleRate));
      this.encode(silence);
      silence.free();
    }
  }

  finish(): void {
    this.#source.buffersrcAddFrameSync(null);
    this.#drain();
    this.#send(null);
    this.#graph.free();
    this.context.freeContext();
    this.#frame.free();
    this.#packet.free();
  }

  #silence(samples: number): Frame {
    const frame = new this.#ffmpeg.Frame();
    frame.alloc();
    frame.nbSamples = samples;
    frame.format = this.context.sampleFormat;
    frame.sampleRate = this.settings.sampleRate;
    frame.channelLayout = this.context.channelLayout;
    check(this.#ffmpeg, frame.getBuffer(), ERROR_CODES.unknown, 'The audio encoder failed');
    for (const plane of frame.extendedData ?? frame.data ?? []) plane.fill(0);
    return frame;
  }

  #drain(): void {
    while (this.#sink.buffersinkGetFrameSync(this.#frame) >= 0) {
      this.#send(this.#frame);
      this.#frame.unref();
    }
  }

  #send(frame: Frame | null): void {
    const ffmpeg = this.#ffmpeg;
    check(ffmpeg, this.context.sendFrameSync(frame), ERROR_CODES.unknown, 'The audio encoder failed');
    for (;;) {
      const result = this.context.receivePacketSync(this.#packet);
      if (result === ffmpeg.AVERROR_EAGAIN || result === ffmpeg.AVERROR_EOF) return;
      check(ffmpeg, result, ERROR_CODES.unknown, 'The audio encoder failed');
      for (const receive of this.#receivers) receive(this.#packet);
      this.#packet.unref();
    }
  }
}
