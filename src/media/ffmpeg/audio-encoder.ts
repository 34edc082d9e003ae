import type { CodecContext, FilterContext, FilterGraph, Frame, Packet } from 'node-av/lib';
import type { AudioCodecSettings } from '../audio-codec-settings.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { audioCodecName, codecFilters, openAudioEncoder } from './audio-codec.ts';
import { layoutName } from './channel-mix.ts';
import { check, present } from './check.ts';
import { HeAacEncoder } from './he-aac-encoder.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type SampleTarget, sendSilence } from './sample-target.ts';
import type { AudioTrack } from './track-format.ts';
import type { PacketReceiver } from './video-encoder.ts';

/** Samples of a packet, where the codec has no size of its own. */
const PCM_FRAME_SIZE = 1024;

/** One encoding of sound, shared by every output with the same settings: takes samples of its own format, end to end. */
export class AudioEncoder implements SampleTarget, AudioTrack {
  /** What it encodes with, or for HE-AAC what stands for the whole of it. */
  readonly context: CodecContext;
  readonly #replicated: HeAacEncoder | undefined;
  /** RFC 6381. */
  readonly codecName: string;
  readonly settings: AudioCodecSettings;
  /** Filters, each followed by a comma, that all sound goes through before it is in the encoder's format. */
  correction = '';
  readonly #format: string;
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
    const isReplicated = settings.kind === 'aac' && settings.isReplicated === true;
    this.#replicated = isReplicated ? new HeAacEncoder(ffmpeg, settings, target) : undefined;
    this.context = this.#replicated?.format ?? openAudioEncoder(ffmpeg, settings, target);
    const format = ffmpeg.avGetSampleFmtName(this.context.sampleFormat) ?? 'fltp';
    const layout = layoutName(settings.channels);
    this.codecName = audioCodecName(settings);
    this.#format = `${codecFilters(settings)}aformat=sample_fmts=${format}:sample_rates=${settings.sampleRate}:channel_layouts=${layout}`;
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

  get frameSize(): number {
    return this.context.frameSize;
  }

  get sampleRate(): number {
    return this.settings.sampleRate;
  }

  get channels(): number {
    return this.settings.channels;
  }

  /** The filters that bring sound of the encoder's rate and channels into its format. */
  get formatFilter(): string {
    return `aformat=channel_layouts=${layoutName(this.channels)},${this.correction}${this.#format}`;
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
    const to = Math.round(seconds * this.settings.sampleRate);
    const { sampleFormat: format, channelLayout: layout } = this.context;
    const form = { format, layout, sampleRate: this.settings.sampleRate };
    sendSilence(this.#ffmpeg, form, { from: this.#nextSample, to }, (frame) => this.encode(frame));
  }

  finish(): void {
    this.#source.buffersrcAddFrameSync(null);
    this.#drain();
    if (this.#replicated === undefined) this.#send(null);
    else this.#replicated.finish(this.#emit);
    this.#graph.free();
    if (this.#replicated === undefined) this.context.freeContext();
    this.#frame.free();
    this.#packet.free();
  }

  #drain(): void {
    while (this.#sink.buffersinkGetFrameSync(this.#frame) >= 0) {
      if (this.#replicated === undefined) this.#send(this.#frame);
      else this.#replicated.encode(this.#frame, this.#emit);
      this.#frame.unref();
    }
  }

  readonly #emit = (packet: Packet): void => {
    for (const receive of this.#receivers) receive(packet);
  };

  #send(frame: Frame | null): void {
    const ffmpeg = this.#ffmpeg;
    check(ffmpeg, this.context.sendFrameSync(frame), ERROR_CODES.unknown, 'The audio encoder failed');
    for (;;) {
      const result = this.context.receivePacketSync(this.#packet);
      if (result === ffmpeg.AVERROR_EAGAIN || result === ffmpeg.AVERROR_EOF) return;
      check(ffmpeg, result, ERROR_CODES.unknown, 'The audio encoder failed');
      this.#emit(this.#packet);
      this.#packet.unref();
    }
  }
}
