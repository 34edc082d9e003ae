import type { FilterContext, FilterGraph, Frame } from 'node-av/lib';
import type { Remix } from '../audio-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { mixFilters } from './channel-mix.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { SampleTarget } from './sample-target.ts';

/** What FFmpeg's resampler takes. */
const MAX_CHANNELS = 64;
const MAX_RATE = 768_000;
/** No sound is stored so coarsely; a file that says so would be hours long. */
const MIN_RATE = 1000;

/** One audio stream's way to one target: resampled, remixed, its gaps filled with silence. */
export class AudioGraph {
  readonly #ffmpeg: FFmpeg;
  readonly #target: SampleTarget;
  readonly #graph: FilterGraph;
  readonly #source: FilterContext;
  readonly #sink: FilterContext;
  readonly #out: Frame;
  readonly #shape: string;

  /**
   * @param first gives the sample format; a frame of another needs a new graph
   * @param startSeconds the input's own time from which samples are wanted
   * @throws TranscodeError 1030 for sound of a form that nothing can take, 1040 when it cannot be brought into the
   *   target's form
   */
  constructor(
    ffmpeg: FFmpeg,
    target: SampleTarget,
    first: Frame,
    facts: {
      readonly timeBase: { readonly num: number; readonly den: number };
      readonly startSeconds: number;
      readonly remix?: Remix;
    },
  ) {
    this.#ffmpeg = ffmpeg;
    this.#target = target;
    refuseImpossible(first);
    this.#shape = shapeOf(ffmpeg, first);
    this.#out = new ffmpeg.Frame();
    this.#out.alloc();
    const rate = target.sampleRate;
    const text =
      `abuffer@in=time_base=${facts.timeBase.num}/${facts.timeBase.den}:sample_rate=${first.sampleRate}` +
      `:sample_fmt=${ffmpeg.avGetSampleFmtName(first.format as number as never) ?? ''}:channel_layout=${layoutOf(ffmpeg, first)},` +
      `aresample=${rate}:async=1000:first_pts=${Math.round(facts.startSeconds * rate)},` +
      mixFilters(facts.remix, first.channelLayout.nbChannels, target.channels) +
      `${target.formatFilter},abuffersink@out`;
    const what = 'Error initializing the audio filters';
    this.#graph = new ffmpeg.FilterGraph();
    this.#graph.alloc();
    check(ffmpeg, this.#graph.parsePtr(text), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, this.#graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    this.#source = present(this.#graph.getFilter('abuffer@in'), what);
    this.#sink = present(this.#graph.getFilter('abuffersink@out'), what);
  }

  isFor(frame: Frame): boolean {
    return shapeOf(this.#ffmpeg, frame) === this.#shape;
  }

  push(frame: Frame): void {
    // The frame goes to several targets: without the flag the graph would take it over.
    const flags = this.#ffmpeg.AV_BUFFERSRC_FLAG_KEEP_REF;
    check(
      this.#ffmpeg,
      this.#source.buffersrcAddFrameSync(frame, flags),
      ERROR_CODES.unknown,
      'The audio filters failed',
    );
    this.#drain();
  }

  finish(): void {
    this.#source.buffersrcAddFrameSync(null);
    this.#drain();
    this.#out.free();
    this.#graph.free();
  }

  #drain(): void {
    while (this.#sink.buffersinkGetFrameSync(this.#out) >= 0) {
      this.#target.encode(this.#out);
      this.#out.unref();
    }
  }
}

function refuseImpossible(frame: Frame): void {
  const { nbChannels } = frame.channelLayout;
  const isRatePossible = frame.sampleRate >= MIN_RATE && frame.sampleRate <= MAX_RATE;
  if (nbChannels >= 1 && nbChannels <= MAX_CHANNELS && isRatePossible) return;
  const what = `Unsupported audio: ${nbChannels} channels at ${frame.sampleRate} Hz`;
  throw new TranscodeError(ERROR_CODES.unsupportedInput, what);
}

function shapeOf(ffmpeg: FFmpeg, frame: Frame): string {
  return `${frame.sampleRate}/${frame.format}/${layoutOf(ffmpeg, frame)}`;
}

/** Files often leave the order of channels open; then the usual one for their number is meant. */
function layoutOf(ffmpeg: FFmpeg, frame: Frame): string {
  const layout = frame.channelLayout;
  const isOpen = layout.order === ffmpeg.AV_CHANNEL_ORDER_UNSPEC;
  const known = isOpen ? ffmpeg.avChannelLayoutDefault(layout.nbChannels) : layout;
  return ffmpeg.avChannelLayoutDescribe(known) ?? 'stereo';
}
