import type { Frame, Stream } from 'node-av/lib';
import type { Remix } from '../audio-settings.ts';
import { AudioGraph } from './audio-graph.ts';
import { AudioMerger } from './audio-merger.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { SampleTarget } from './sample-target.ts';

interface RouteFacts {
  readonly target: SampleTarget;
  /** At least one. */
  readonly streams: readonly Stream[];
  readonly remix?: Remix;
}

/** The filters between the streams of one source of sound and its target. */
export class RouteMix {
  readonly target: SampleTarget;
  readonly #ffmpeg: FFmpeg;
  readonly #baseSeconds: number;
  readonly #merger: AudioMerger | undefined;
  readonly #remix: Remix | undefined;
  readonly #graphs: (AudioGraph | undefined)[] = [];

  /** @param baseSeconds where the input begins on the outputs' time line */
  constructor(ffmpeg: FFmpeg, { target, streams, remix }: RouteFacts, baseSeconds: number) {
    this.#ffmpeg = ffmpeg;
    this.target = target;
    this.#baseSeconds = baseSeconds;
    const channels = streams.map(({ codecpar }) => Math.max(1, codecpar.channels));
    this.#merger = streams.length < 2 ? undefined : new AudioMerger(ffmpeg, target, channels, remix);
    this.#remix = this.#merger === undefined ? remix : undefined;
  }

  /** Takes a frame of the stream at a place; its time counts from the input's beginning. */
  push(place: number, frame: Frame, timeBase: Stream['timeBase']): void {
    let graph = this.#graphs[place];
    if (graph?.isFor(frame) === false) {
      graph.finish();
      graph = undefined;
    }
    if (graph === undefined) {
      const target = this.#merger?.inputs[place] ?? this.target;
      graph = new AudioGraph(this.#ffmpeg, target, frame, {
        timeBase,
        startSeconds: Math.max(0, target.seconds - this.#baseSeconds),
        ...(this.#remix !== undefined && { remix: this.#remix }),
      });
      this.#graphs[place] = graph;
    }
    graph.push(frame);
  }

  finish(): void {
    for (const graph of this.#graphs) graph?.finish();
    this.#merger?.finish();
  }
}
