import type { FilterContext, FilterGraph, Frame } from 'node-av/lib';
import type { Remix } from '../audio-settings.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { layoutName, mixFilters } from './channel-mix.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type SampleForm, type SampleTarget, sendSilence } from './sample-target.ts';

/** Puts the channels of several tracks side by side, in step, and sends them on as one sound. */
export class AudioMerger {
  /** One for each track, in order; each takes that track's sound. */
  readonly inputs: readonly SampleTarget[];
  readonly #ffmpeg: FFmpeg;
  readonly #target: SampleTarget;
  readonly #graph: FilterGraph;
  readonly #sources: readonly FilterContext[];
  readonly #sink: FilterContext;
  readonly #out: Frame;

  /**
   * @param channels of each track; at least two tracks
   * @throws TranscodeError 1040 when the channels cannot be brought into the target's form
   */
  constructor(ffmpeg: FFmpeg, target: SampleTarget, channels: readonly number[], remix: Remix | undefined) {
    this.#ffmpeg = ffmpeg;
    this.#target = target;
    this.#out = new ffmpeg.Frame();
    this.#out.alloc();
    const { sampleRate: rate } = target;
    const total = channels.reduce((sum, count) => sum + count, 0);
    const what = 'Error initializing the audio mixer';
    // Tracks without places for their channels are not put into another order by `amerge`.
    const sources = channels.map(
      (count, index) =>
        `abuffer@in${index}=time_base=1/${rate}:sample_rate=${rate}:sample_fmt=fltp:channel_layout=${count} channels[m${index}];`,
    );
    const merged = `${channels.map((_, index) => `[m${index}]`).join('')}amerge=inputs=${channels.length},`;
    // `amerge` leaves the channels without places; a matrix of ones gives them the usual ones.
    const ones = Array.from({ length: total }, (_, output) =>
      Array.from({ length: output + 1 }, (_unused, input) => (input === output ? 1 : 0)),
    );
    const mixed = mixFilters(remix ?? { gains: ones }, total, target.channels);
    this.#graph = new ffmpeg.FilterGraph();
    this.#graph.alloc();
    const text = `${sources.join('')}${merged}${mixed}${target.formatFilter},abuffersink@out`;
    check(ffmpeg, this.#graph.parsePtr(text), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, this.#graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    this.#sources = channels.map((_, index) => present(this.#graph.getFilter(`abuffer@in${index}`), what));
    this.#sink = present(this.#graph.getFilter('abuffersink@out'), what);
    this.inputs = this.#sources.map(
      (source, index) => new MergerInput(ffmpeg, target, channels[index] ?? 1, (frame) => this.#push(source, frame)),
    );
  }

  /** Makes the tracks equally long and sends on what is left. */
  finish(): void {
    const end = Math.max(...this.inputs.map(({ seconds }) => seconds));
    for (const input of this.inputs) input.fillTo(end);
    for (const source of this.#sources) source.buffersrcAddFrameSync(null);
    this.#drain();
    this.#out.free();
    this.#graph.free();
  }

  #push(source: FilterContext, frame: Frame): void {
    const added = source.buffersrcAddFrameSync(frame);
    check(this.#ffmpeg, added, ERROR_CODES.unknown, 'The audio mixer failed');
    this.#drain();
  }

  #drain(): void {
    while (this.#sink.buffersinkGetFrameSync(this.#out) >= 0) {
      this.#target.encode(this.#out);
      this.#out.unref();
    }
  }
}

class MergerInput implements SampleTarget {
  readonly sampleRate: number;
  readonly channels: number;
  readonly formatFilter: string;
  readonly #ffmpeg: FFmpeg;
  readonly #push: (frame: Frame) => void;
  readonly #first: number;
  #count = 0;

  constructor(ffmpeg: FFmpeg, target: SampleTarget, channels: number, push: (frame: Frame) => void) {
    this.#ffmpeg = ffmpeg;
    this.sampleRate = target.sampleRate;
    this.channels = channels;
    this.#push = push;
    this.#first = Math.round(target.seconds * target.sampleRate);
    const form = `sample_fmts=fltp:sample_rates=${this.sampleRate}:channel_layouts=${layoutName(channels)}`;
    this.formatFilter = `aformat=${form}`;
  }

  get seconds(): number {
    return (this.#first + this.#count) / this.sampleRate;
  }

  encode(frame: Frame): void {
    frame.pts = BigInt(this.#count);
    frame.channelLayout = this.#form.layout;
    this.#count += frame.nbSamples;
    this.#push(frame);
  }

  fillTo(seconds: number): void {
    const to = Math.round(seconds * this.sampleRate) - this.#first;
    sendSilence(this.#ffmpeg, this.#form, { from: this.#count, to }, (frame) => this.encode(frame));
  }

  get #form(): SampleForm {
    const { sampleRate, channels } = this;
    const layout = { order: this.#ffmpeg.AV_CHANNEL_ORDER_UNSPEC, nbChannels: channels, mask: 0n };
    return { sampleRate, format: this.#ffmpeg.AV_SAMPLE_FMT_FLTP, layout };
  }
}
