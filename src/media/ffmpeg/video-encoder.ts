import type { CodecContext, Frame, Packet, Stream } from 'node-av/lib';
import type { EncodedVideoSettings, Rational, VideoSettings } from '../video-settings.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { av1Options } from './av1-options.ts';
import { check, present } from './check.ts';
import { h264Options } from './h264-options.ts';
import { h265Options } from './h265-options.ts';
import { JPEG_OPTIONS, jpegLambda } from './jpeg-quality.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';
import type { Picture } from './picture-size.ts';

export type PacketReceiver = (packet: Packet) => void;

export interface VideoEncoderFacts {
  readonly settings: VideoSettings;
  readonly picture: Picture;
  readonly framerate: Rational;
  /** Forces a key frame at every multiple of this many seconds. */
  readonly forcedKeySeconds?: number;
  /** True where the container keeps the parameter sets (MP4), false where they stand in the stream (MPEG-TS). */
  readonly hasGlobalHeader: boolean;
  /** The stream whose colour description is carried over. */
  readonly source: Stream;
  /** Counted from 1, for messages. */
  readonly target: number;
}

/** One rendition: takes frames of a constant rate, numbered from 0 over all inputs. */
export class VideoEncoder {
  readonly context: CodecContext;
  readonly picture: Picture;
  readonly framerate: Rational;
  readonly settings: VideoSettings;
  readonly #ffmpeg: FFmpeg;
  readonly #packet: Packet;
  readonly #forcedKeySeconds: number | undefined;
  readonly #receive: PacketReceiver;
  #nextFrame = 0n;
  #lastKeySegment = -1;
  #last: Frame | undefined;

  /** @throws TranscodeError 1040 when the encoder does not take the settings */
  constructor(ffmpeg: FFmpeg, facts: VideoEncoderFacts, receive: PacketReceiver) {
    this.#ffmpeg = ffmpeg;
    this.#receive = receive;
    this.#forcedKeySeconds = facts.forcedKeySeconds;
    this.settings = facts.settings;
    this.picture = facts.picture;
    this.framerate = facts.framerate;
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.context = this.#open(facts);
  }

  /** The format of the frames that it takes. */
  get pixelFormat(): 'yuv420p' | 'yuv420p10le' {
    const { codec } = this.settings;
    const isDeep = codec.kind === 'av1' ? codec.bitDepth === 10 : codec.kind === 'h265' && codec.profile === 'main10';
    return isDeep ? 'yuv420p10le' : 'yuv420p';
  }

  /** JPEG uses all values of a sample, films keep room below and above. */
  get colorRange(): 'pc' | 'tv' {
    return this.settings.codec.kind === 'jpeg' ? 'pc' : 'tv';
  }

  /** The number of the first frame that is one too many. */
  get #limit(): number {
    const { codec } = this.settings;
    return codec.kind === 'jpeg' ? (codec.maxPictures ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  }

  /** Seconds of video so far. */
  get seconds(): number {
    return (Number(this.#nextFrame) * this.framerate.den) / this.framerate.num;
  }

  /** The number of the frame that is shown at a time. */
  frameAt(seconds: number): bigint {
    return BigInt(Math.round((seconds * this.framerate.num) / this.framerate.den));
  }

  /**
   * Encodes the frame with the given number; one that is already past is dropped. The frame is the caller's again
   * afterwards.
   */
  encode(frame: Frame, number: bigint): void {
    if (number < this.#nextFrame || number >= this.#limit) return;
    frame.pts = number;
    if (this.settings.codec.kind === 'jpeg') frame.quality = jpegLambda(this.settings.codec.quality);
    frame.pictType = this.#isKeyForced(number) ? this.#ffmpeg.AV_PICTURE_TYPE_I : this.#ffmpeg.AV_PICTURE_TYPE_NONE;
    this.#nextFrame = number + 1n;
    this.#send(frame);
  }

  /** Keeps the frame to fill a gap at the join to the next input. */
  remember(frame: Frame): void {
    this.#last?.free();
    this.#last = frame.clone() ?? undefined;
  }

  /** Repeats the last frame up to a frame's number. */
  fillTo(number: bigint): void {
    while (this.#last !== undefined && this.#nextFrame < number) this.encode(this.#last, this.#nextFrame);
  }

  finish(): void {
    this.#last?.free();
    this.#send(null);
    this.context.freeContext();
    this.#packet.free();
  }

  #isKeyForced(number: bigint): boolean {
    if (this.#forcedKeySeconds === undefined) return false;
    const seconds = (Number(number) * this.framerate.den) / this.framerate.num;
    const segment = Math.floor(seconds / this.#forcedKeySeconds + 1e-6);
    const isForced = segment > this.#lastKeySegment;
    this.#lastKeySegment = segment;
    return isForced;
  }

  #send(frame: Frame | null): void {
    const ffmpeg = this.#ffmpeg;
    check(ffmpeg, this.context.sendFrameSync(frame), ERROR_CODES.unknown, 'The video encoder failed');
    for (;;) {
      const result = this.context.receivePacketSync(this.#packet);
      if (result === ffmpeg.AVERROR_EAGAIN || result === ffmpeg.AVERROR_EOF) return;
      check(ffmpeg, result, ERROR_CODES.unknown, 'The video encoder failed');
      if (this.#packet.duration === 0n) this.#packet.duration = 1n;
      this.#receive(this.#packet);
      this.#packet.unref();
    }
  }

  #open(facts: VideoEncoderFacts): CodecContext {
    const ffmpeg = this.#ffmpeg;
    const { settings, picture, framerate } = facts;
    const encoders = {
      h264: ffmpeg.FF_ENCODER_LIBX264,
      h265: ffmpeg.FF_ENCODER_LIBX265,
      av1: ffmpeg.FF_ENCODER_LIBSVTAV1,
      jpeg: ffmpeg.FF_ENCODER_MJPEG,
    } as const;
    const { codec: made } = settings;
    if (made.kind === 'passthrough') throw new RangeError('What is copied has no encoder.');
    const name = encoders[made.kind];
    const codec = present(ffmpeg.Codec.findEncoderByName(name), `This FFmpeg has no ${name} encoder.`);
    const context = new ffmpeg.CodecContext();
    context.allocContext3(codec);
    context.width = picture.width;
    context.height = picture.height;
    context.pixelFormat = this.pixelFormat === 'yuv420p' ? ffmpeg.AV_PIX_FMT_YUV420P : ffmpeg.AV_PIX_FMT_YUV420P10LE;
    context.timeBase = new ffmpeg.Rational(framerate.den, framerate.num);
    context.framerate = new ffmpeg.Rational(framerate.num, framerate.den);
    context.sampleAspectRatio = new ffmpeg.Rational(picture.pixelAspect.num, picture.pixelAspect.den);
    if (facts.hasGlobalHeader) context.setFlags(ffmpeg.AV_CODEC_FLAG_GLOBAL_HEADER);
    if (made.kind === 'jpeg') context.setFlags(ffmpeg.AV_CODEC_FLAG_QSCALE);
    else if (made.kind === 'av1' || !made.isGopOpen) context.setFlags(ffmpeg.AV_CODEC_FLAG_CLOSED_GOP);
    if (made.kind === 'jpeg') context.colorRange = ffmpeg.AVCOL_RANGE_JPEG;
    else if (settings.isColorTagged) {
      const source = facts.source.codecpar;
      context.colorRange = ffmpeg.AVCOL_RANGE_MPEG;
      context.colorPrimaries = source.colorPrimaries;
      context.colorTrc = source.colorTrc;
      context.colorSpace = source.colorSpace === ffmpeg.AVCOL_SPC_RGB ? ffmpeg.AVCOL_SPC_BT709 : source.colorSpace;
      context.chromaLocation = source.chromaLocation;
    }
    const options = optionsOf(made, framerate, facts.forcedKeySeconds);
    const what = `Error initializing encoder for video target [${facts.target}]`;
    openCodec(ffmpeg, context, codec, options, ERROR_CODES.settingsDoNotFit, what);
    return context;
  }
}

function optionsOf(settings: EncodedVideoSettings, framerate: Rational, forcedKeySeconds: number | undefined) {
  switch (settings.kind) {
    case 'h264':
      return h264Options(settings, framerate, forcedKeySeconds);
    case 'h265':
      return h265Options(settings, framerate, forcedKeySeconds);
    case 'av1':
      return av1Options(settings, framerate);
    case 'jpeg':
      return { threads: 1, ...JPEG_OPTIONS };
  }
}
