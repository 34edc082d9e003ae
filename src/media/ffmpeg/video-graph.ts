import type { AVPixelFormat } from 'node-av/constants';
import type { FilterContext, FilterGraph, Frame } from 'node-av/lib';
import { ERROR_CODES } from '../transcode-error.ts';
import type { ColorLut } from '../color-lut.ts';
import type { InputPicture } from '../picture-settings.ts';
import type { Rational } from '../video-settings.ts';
import { check, present } from './check.ts';
import { type FilmTimes, laterTimecode, timesFrom } from './film-times.ts';
import { type Color, inputColor, inputColorSteps, LIMITED_RANGE } from './color.ts';
import { areasOf, type Turn, turned, turnSteps } from './geometry.ts';
import { type Step, writeChain } from './graph-text.ts';
import { formatFor, ImageSources, imageSteps, motionSteps } from './image-overlay.ts';
import { alphaSteps } from './alpha.ts';
import type { MotionFilm } from './motion-film.ts';
import { cleaningSteps } from './noise.ts';
import type { ImageStore } from './image-store.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { Picture } from './picture-size.ts';
import { outputSteps } from './video-chain.ts';
import type { VideoEncoder } from './video-encoder.ts';

/** What is known of an input's pictures beside themselves. */
export interface PictureFacts {
  readonly settings: InputPicture;
  readonly images: ImageStore;
  readonly luts?: readonly ColorLut[] | undefined;
  /** Degrees by which they are turned. */
  readonly turn: Turn;
  readonly inputTimes: FilmTimes;
  /** Seconds of the input before the part that is wanted. */
  readonly skippedSeconds: number;
  /** The timecode of an output's first picture. */
  outputTimecode(rate: Rational): string;
}

interface GraphFacts {
  readonly timeBase: Rational;
  readonly framerate: Rational;
  readonly pixelAspect: Rational;
  readonly baseSeconds: number;
  readonly startSeconds: number;
  /** What is shown before this time is black. */
  readonly blackSeconds: number;
  readonly isLastKept: boolean;
  readonly pictures: PictureFacts;
}

interface InputSteps {
  readonly steps: readonly Step[];
  readonly color: Color;
}

/** H.273's numbers of matrices. */
const [RGB, BT709] = [0, 1];

/** One input's way from decoded pictures to every rendition: a single graph that splits after the decoder. */
export class VideoGraph {
  readonly #ffmpeg: FFmpeg;
  readonly #encoders: readonly VideoEncoder[];
  readonly #graph: FilterGraph;
  readonly #source: FilterContext;
  readonly #sinks: readonly FilterContext[];
  readonly #out: Frame;
  readonly #bases: readonly bigint[];
  readonly #isLastKept: boolean;
  readonly #shape: string;
  /** Whether a filter has to be told which pictures are interlaced. */
  readonly #areMarksFollowed: boolean;
  readonly #secondsOfTick: number;
  /** A film that is laid on all pictures, the graph's time at which it begins, and where its pictures go. */
  #motion: { readonly film: MotionFilm; readonly begin: number } | undefined;
  readonly #motionTarget: FilterContext | undefined;

  /**
   * @param first gives the size and format; a frame of another needs a new graph
   * @param baseSeconds where this input begins on the output's time line
   * @param startSeconds the input's own time from which frames are wanted
   * @throws TranscodeError 1040 when the pictures cannot be brought into the outputs' form
   */
  constructor(ffmpeg: FFmpeg, encoders: readonly VideoEncoder[], first: Frame, facts: GraphFacts) {
    this.#ffmpeg = ffmpeg;
    this.#encoders = encoders;
    this.#isLastKept = facts.isLastKept;
    this.#areMarksFollowed = encoders.some(({ settings }) => settings.deinterlace?.method === 'blend');
    this.#shape = this.#shapeOf(first);
    this.#bases = encoders.map((encoder) => encoder.frameAt(facts.baseSeconds));
    this.#out = new ffmpeg.Frame();
    this.#out.alloc();
    const { settings, turn } = facts.pictures;
    const coded: Picture = { width: first.width, height: first.height, pixelAspect: facts.pixelAspect };
    const picture = turned(coded, turn);
    const source =
      `buffer@in=video_size=${first.width}x${first.height}:pix_fmt=${first.format}` +
      `:time_base=${facts.timeBase.num}/${facts.timeBase.den}` +
      `:pixel_aspect=${facts.pixelAspect.num}/${facts.pixelAspect.den}` +
      `:frame_rate=${facts.framerate.num}/${facts.framerate.den}` +
      `:colorspace=${first.colorSpace}:range=${first.colorRange}`;
    const color = inputColor(first, settings.color);
    const images = new ImageSources(ffmpeg, facts.pictures.images);
    const { steps: inputSteps, color: laid } = this.#inputSteps(first, picture, color, facts, images);
    const pads = encoders.map((_, index) => `[s${index}]`).join('');
    const outputs = encoders.map((encoder, index) => {
      const { framerate } = encoder;
      const timecode = facts.pictures.outputTimecode(framerate);
      const times = timesFrom(timecode, framerate);
      const firstFrame = Number(encoder.frameAt(facts.baseSeconds + facts.startSeconds));
      const steps = outputSteps(encoder, picture, {
        ...facts,
        color: laid,
        images,
        luts: facts.pictures.luts ?? [],
        isInterlaced: this.#isInterlaced(first),
        isSegmented: settings.isSegmented === true,
        areas: (output) => areasOf(settings, output),
        timecode: laterTimecode(timecode, firstFrame, framerate, encoder.settings.picture?.isTimecodeDropped === true),
        secondsOf: ({ start }) => (start === undefined ? 0 : times.secondsOf(start)) - facts.baseSeconds,
      });
      return writeChain(`[s${index}]`, steps, `buffersink@v${index}`);
    });
    const input = writeChain(source, inputSteps, `split=${encoders.length}${pads}`);
    const what = 'Error initializing the video filters';
    this.#graph = new ffmpeg.FilterGraph();
    this.#graph.alloc();
    this.#graph.nbThreads = 0;
    const text = [input, ...outputs].join(';');
    check(ffmpeg, this.#graph.parsePtr(text), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, this.#graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    for (const { name, frame } of images.all) {
      const buffer = present(this.#graph.getFilter(name), what);
      check(ffmpeg, buffer.buffersrcAddFrameSync(images.copyOf(frame)), ERROR_CODES.settingsDoNotFit, what);
      buffer.buffersrcAddFrameSync(null);
    }
    this.#secondsOfTick = facts.timeBase.num / facts.timeBase.den;
    if (this.#motion !== undefined) this.#motionTarget = present(this.#graph.getFilter('buffer@motion'), what);
    this.#source = present(this.#graph.getFilter('buffer@in'), what);
    this.#sinks = encoders.map((_, index) => present(this.#graph.getFilter(`buffersink@v${index}`), what));
  }

  /** What all outputs see, and the colours that it has then. */
  #inputSteps(
    first: Frame,
    size: Picture,
    color: Color,
    { framerate, pictures }: GraphFacts,
    sources: ImageSources,
  ): InputSteps {
    const pixelFormat = this.#ffmpeg.avGetPixFmtName(first.format as AVPixelFormat) ?? '';
    const { settings, turn, inputTimes, skippedSeconds } = pictures;
    const { images = [], motion } = settings;
    const steps: Step[] = [
      ...inputColorSteps(first, color),
      ...alphaSteps(settings, pixelFormat),
      ...cleaningSteps(settings.cleaning),
      ...turnSteps(turn),
    ];
    const shown = settings.isAlphaShown === true ? { ...color, matrix: BT709, range: LIMITED_RANGE } : color;
    if (images.length === 0 && motion === undefined) return { steps, color: shown };
    const { film } = formatFor(pixelFormat);
    const isRgb = shown.matrix === RGB;
    const laid = isRgb ? { ...shown, matrix: BT709, range: LIMITED_RANGE } : shown;
    const facts = {
      pixelFormat: film,
      color: laid,
      height: size.height,
      framerate,
      secondsOf: ({ start }: { readonly start?: string }) =>
        (start === undefined ? 0 : inputTimes.secondsOf(start)) - skippedSeconds,
    };
    const form = isRgb ? `scale=out_color_matrix=bt709:out_range=tv,format=${film}` : `format=${film}`;
    steps.push(form, ...imageSteps(images, facts, sources));
    if (motion !== undefined) {
      const laidFilm = pictures.images.openFilm(motion);
      this.#motion = { film: laidFilm, begin: facts.secondsOf(motion) };
      steps.push(...motionSteps(laidFilm.first, motion.place, facts, size.width));
    }
    return { steps, color: laid };
  }

  isFor(frame: Frame): boolean {
    return this.#shapeOf(frame) === this.#shape;
  }

  /** Passes a frame on, whose `pts` is the input's own time; the encoders get what comes of it. */
  push(frame: Frame): void {
    const [motion, target] = [this.#motion, this.#motionTarget];
    if (motion !== undefined && target !== undefined) {
      motion.film.feed(target, motion.begin, Number(frame.pts) * this.#secondsOfTick);
    }
    check(this.#ffmpeg, this.#source.buffersrcAddFrameSync(frame), ERROR_CODES.unknown, 'The video filters failed');
    this.#drain();
  }

  finish(): void {
    if (this.#motionTarget !== undefined) this.#motion?.film.close(this.#motionTarget);
    this.#source.buffersrcAddFrameSync(null);
    this.#drain();
    this.#out.free();
    this.#graph.free();
  }

  #drain(): void {
    this.#encoders.forEach((encoder, index) => {
      const sink = this.#sinks[index];
      const base = this.#bases[index] ?? 0n;
      if (sink === undefined) return;
      while (sink.buffersinkGetFrameSync(this.#out) >= 0) {
        if (this.#isLastKept) encoder.remember(this.#out);
        encoder.encode(this.#out, base + this.#out.pts);
        this.#out.unref();
      }
    });
  }

  #shapeOf(frame: Frame): string {
    const shape = `${frame.width}x${frame.height}/${frame.format}`;
    return this.#areMarksFollowed ? `${shape}/${String(this.#isInterlaced(frame))}` : shape;
  }

  #isInterlaced(frame: Frame): boolean {
    return (frame.flags & this.#ffmpeg.AV_FRAME_FLAG_INTERLACED) !== 0;
  }
}
