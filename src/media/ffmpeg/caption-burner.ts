import type { FilterContext, FilterGraph, Frame } from 'node-av/lib';
import type { BurnInDestination } from '../caption-settings.ts';
import type { CaptionTrack } from '../captions/caption-track.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { captionFilters } from './caption-filters.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

interface Drawing {
  readonly key: string;
  readonly graph: FilterGraph;
  readonly source: FilterContext;
  readonly sink: FilterContext;
}

/** Draws one track's captions on the pictures of an output, directly before its encoder. */
export class CaptionBurner {
  readonly #ffmpeg: FFmpeg;
  readonly #track: CaptionTrack;
  readonly #settings: BurnInDestination;
  readonly #drawn: Frame;
  #drawing: Drawing | undefined;

  constructor(ffmpeg: FFmpeg, track: CaptionTrack, settings: BurnInDestination) {
    this.#ffmpeg = ffmpeg;
    this.#track = track;
    this.#settings = settings;
    this.#drawn = new ffmpeg.Frame();
    this.#drawn.alloc();
  }

  /**
   * The picture with the captions of its time; the picture itself where there are none. What is returned is good until
   * the next call.
   *
   * @throws TranscodeError 1040 when captions cannot be drawn
   */
  draw(frame: Frame, ms: number): Frame {
    const cues = this.#track.at(ms);
    if (cues.length === 0) return frame;
    const key = JSON.stringify([
      frame.width,
      frame.height,
      frame.format,
      cues.map(({ lines, place }) => [lines, place]),
    ]);
    if (this.#drawing?.key !== key) {
      this.#drawing?.graph.free();
      this.#drawing = this.#open(key, frame, captionFilters(cues, this.#settings, frame));
    }
    const { source, sink } = this.#drawing;
    const what = 'The captions could not be drawn';
    const copy = present(frame.clone(), what);
    check(this.#ffmpeg, source.buffersrcAddFrameSync(copy), ERROR_CODES.unknown, what);
    copy.free();
    this.#drawn.unref();
    check(this.#ffmpeg, sink.buffersinkGetFrameSync(this.#drawn), ERROR_CODES.unknown, what);
    return this.#drawn;
  }

  close(): void {
    this.#drawing?.graph.free();
    this.#drawing = undefined;
    this.#drawn.free();
  }

  #open(key: string, frame: Frame, filters: readonly string[]): Drawing {
    const ffmpeg = this.#ffmpeg;
    const what = 'Error initializing the filters that draw captions';
    const graph = new ffmpeg.FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    const source =
      `buffer@in=video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/1000:pixel_aspect=1/1` +
      `:colorspace=${frame.colorSpace}:range=${frame.colorRange}`;
    const text = [source, ...filters, 'buffersink@out'].join(',');
    check(ffmpeg, graph.parsePtr(text), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    return {
      key,
      graph,
      source: present(graph.getFilter('buffer@in'), what),
      sink: present(graph.getFilter('buffersink@out'), what),
    };
  }
}
