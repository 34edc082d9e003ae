import type { CodecContext, FilterContext, FilterGraph, Frame, Packet } from 'node-av/lib';
import type { PictureSettings } from '../stills/still-job.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { check, present } from './check.ts';
import { JPEG_OPTIONS, jpegLambda } from './jpeg-quality.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';

/** zlib's: twice as fast as its usual 6, and a few percent larger. */
const PNG_LEVEL = 3;
/** Pixels of the largest picture that is made. */
const MAX_PIXELS = 4096 * 4096;

interface Pipeline {
  /** Size and format of the frames that it takes. */
  readonly shape: string;
  readonly graph: FilterGraph;
  readonly source: FilterContext;
  readonly sink: FilterContext;
  readonly encoder: CodecContext;
}

/** Scales pictures and encodes them as JPEG or PNG. */
export class PictureEncoder {
  readonly #ffmpeg: FFmpeg;
  readonly #settings: PictureSettings;
  readonly #packet: Packet;
  readonly #scaled: Frame;
  #pipeline: Pipeline | undefined;
  /** Of the picture at hand, which may be asked for more than once. */
  #encoded: Uint8Array | undefined;

  constructor(ffmpeg: FFmpeg, settings: PictureSettings) {
    this.#ffmpeg = ffmpeg;
    this.#settings = settings;
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.#scaled = new ffmpeg.Frame();
    this.#scaled.alloc();
  }

  /**
   * @returns the same bytes again until `forget`
   * @throws TranscodeError when the picture cannot be brought into that form
   */
  encode(frame: Frame): Uint8Array {
    this.#encoded ??= this.#encode(frame);
    return this.#encoded;
  }

  /** The next picture is another one. */
  forget(): void {
    this.#encoded = undefined;
  }

  close(): void {
    this.#closePipeline();
    this.#packet.free();
    this.#scaled.free();
  }

  #encode(frame: Frame): Uint8Array {
    const ffmpeg = this.#ffmpeg;
    const what = 'The picture could not be made';
    const { source, sink, encoder } = this.#pipelineFor(frame);
    const flags = ffmpeg.AV_BUFFERSRC_FLAG_KEEP_REF;
    check(ffmpeg, source.buffersrcAddFrameSync(frame, flags), ERROR_CODES.unknown, what);
    check(ffmpeg, sink.buffersinkGetFrameSync(this.#scaled), ERROR_CODES.unknown, what);
    this.#scaled.pictType = ffmpeg.AV_PICTURE_TYPE_NONE;
    this.#scaled.quality = jpegLambda(this.#settings.quality);
    check(ffmpeg, encoder.sendFrameSync(this.#scaled), ERROR_CODES.unknown, what);
    this.#scaled.unref();
    check(ffmpeg, encoder.receivePacketSync(this.#packet), ERROR_CODES.unknown, what);
    const bytes = Uint8Array.from(present(this.#packet.data, what));
    this.#packet.unref();
    return bytes;
  }

  #pipelineFor(frame: Frame): Pipeline {
    const shape = `${frame.width}x${frame.height}/${frame.format}/${frame.colorSpace}/${frame.colorRange}`;
    if (this.#pipeline?.shape !== shape) {
      this.#closePipeline();
      this.#pipeline = this.#open(frame, shape);
    }
    return this.#pipeline;
  }

  #closePipeline(): void {
    this.#pipeline?.graph.free();
    this.#pipeline?.encoder.freeContext();
    this.#pipeline = undefined;
  }

  #open(frame: Frame, shape: string): Pipeline {
    const ffmpeg = this.#ffmpeg;
    const { width, height } = pictureSize(frame, this.#settings);
    const isJpeg = this.#settings.format === 'JPEG';
    // JFIF knows one colour matrix and the full range only.
    const colour = isJpeg ? ':out_color_matrix=bt601:out_range=pc,format=yuv420p' : ',format=rgb24';
    const text =
      `buffer@in=video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/1000000:pixel_aspect=1/1` +
      `:colorspace=${frame.colorSpace}:range=${frame.colorRange},` +
      `scale=w=${width}:h=${height}:flags=bicubic+accurate_rnd+full_chroma_int${colour},buffersink@out`;
    const what = 'Error initializing the picture filters';
    const graph = new ffmpeg.FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    check(ffmpeg, graph.parsePtr(text), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    const source = present(graph.getFilter('buffer@in'), what);
    const sink = present(graph.getFilter('buffersink@out'), what);
    return { shape, graph, source, sink, encoder: openPictureEncoder(ffmpeg, isJpeg, width, height) };
  }
}

function pictureSize(
  frame: { readonly width: number; readonly height: number },
  settings: PictureSettings,
): { readonly width: number; readonly height: number } {
  const height = settings.height ?? frame.height;
  const width = settings.width ?? Math.max(1, Math.round((frame.width * height) / frame.height));
  if (width * height <= MAX_PIXELS) return { width, height };
  throw new TranscodeError(ERROR_CODES.settingsDoNotFit, 'The picture would be too large.');
}

/** @throws TranscodeError 1040 */
export function openPictureEncoder(ffmpeg: FFmpeg, isJpeg: boolean, width: number, height: number): CodecContext {
  const name = isJpeg ? ffmpeg.FF_ENCODER_MJPEG : ffmpeg.FF_ENCODER_PNG;
  const codec = present(ffmpeg.Codec.findEncoderByName(name), `This FFmpeg has no ${name} encoder.`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.timeBase = new ffmpeg.Rational(1, 1_000_000);
  context.pixelFormat = isJpeg ? ffmpeg.AV_PIX_FMT_YUV420P : ffmpeg.AV_PIX_FMT_RGB24;
  if (isJpeg) {
    context.colorRange = ffmpeg.AVCOL_RANGE_JPEG;
    context.setFlags(ffmpeg.AV_CODEC_FLAG_QSCALE);
  }
  const own: Record<string, string | number> = isJpeg ? JPEG_OPTIONS : { compression_level: PNG_LEVEL };
  const options = { threads: 1, ...own };
  openCodec(ffmpeg, context, codec, options, ERROR_CODES.settingsDoNotFit, `The ${name} encoder did not start`);
  return context;
}
