import type {
  AVChromaLocation,
  AVColorPrimaries,
  AVColorRange,
  AVColorSpace,
  AVColorTransferCharacteristic,
  FFVideoEncoder,
} from 'node-av/constants';
import type { CodecContext, Frame, Packet, Stream } from 'node-av/lib';
import type { HdrMetadata } from '../color-settings.ts';
import { type Color, FULL_RANGE } from './color.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { CaptionBurner } from './caption-burner.ts';
import type { CaptionEmbedder } from './caption-embedder.ts';
import { check, present } from './check.ts';
import {
  encoderName,
  encoderOptions,
  hasFields,
  isGopClosed,
  type PixelFormat,
  pixelFormatOf,
} from './encoder-choice.ts';
import { type HardwareEncoder, hardwareEncoders, worksHere } from './hardware-encoders.ts';
import { jpegLambda } from './jpeg-quality.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';
import type { Picture } from './picture-size.ts';
import type { RateGuide } from './rate-guide.ts';
import { gopFrames } from './rate-options.ts';
import { stamperFor, type TimecodeStamper } from './timecode-stamper.ts';

export type PacketReceiver = (packet: Packet) => void;

export interface VideoEncoderFacts {
  readonly settings: VideoSettings;
  readonly picture: Picture;
  readonly framerate: Rational;
  /** Forces a key frame at every multiple of this many seconds. */
  readonly forcedKeySeconds?: number;
  /** True where the container keeps the parameter sets (MP4), false where they stand in the stream (MPEG-TS). */
  readonly hasGlobalHeader: boolean;
  /** The first input's. */
  readonly source: Stream;
  /** What is drawn on the pictures, and what goes with them, last of all. */
  readonly burners?: readonly CaptionBurner[];
  readonly embedder?: CaptionEmbedder;
  /** Of the first picture. */
  readonly timecode: string;
  readonly color: Color;
  /** Of HDR10. */
  readonly hdr?: HdrMetadata;
  /** Leads the rate of a second pass. */
  readonly guide?: RateGuide;
  /** Whether graphics hardware may encode what it can. */
  readonly mayUseHardware?: boolean;
  /** Counted from 1, for messages. */
  readonly target: number;
}

/** One rendition: takes frames of a constant rate, numbered from 0 over all inputs. */
export class VideoEncoder {
  readonly context: CodecContext;
  readonly picture: Picture;
  readonly framerate: Rational;
  readonly settings: VideoSettings;
  readonly timecode: string;
  /** What its frames are to have. */
  readonly color: Color;
  readonly #ffmpeg: FFmpeg;
  readonly #packet: Packet;
  readonly #forcedKeySeconds: number | undefined;
  readonly #guide: RateGuide | undefined;
  /** Of open GOPs: a closed one begins after so many frames. */
  readonly #closedFrames: number | undefined;
  readonly #receive: PacketReceiver;
  readonly #burners: readonly CaptionBurner[];
  readonly #embedder: CaptionEmbedder | undefined;
  readonly #stamper: TimecodeStamper | undefined;
  #hardware: HardwareEncoder | undefined;
  #nextFrame = 0n;
  #lastKeySegment = -1;
  #last: Frame | undefined;

  /** @throws TranscodeError 1040 when the encoder does not take the settings */
  constructor(ffmpeg: FFmpeg, facts: VideoEncoderFacts, receive: PacketReceiver) {
    this.#ffmpeg = ffmpeg;
    this.#receive = receive;
    this.#forcedKeySeconds = facts.forcedKeySeconds;
    this.#guide = facts.guide;
    this.#burners = facts.burners ?? [];
    this.#embedder = facts.embedder;
    this.settings = facts.settings;
    this.picture = facts.picture;
    this.framerate = facts.framerate;
    this.timecode = facts.timecode;
    this.color = facts.color;
    this.#closedFrames = closedFrames(facts);
    this.#stamper = stamperFor(facts);
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.context = this.#openHardware(facts) ?? this.#open(facts);
    this.#stamper?.learn(this.context.extraData);
  }

  /** The format of the frames that it takes. */
  get pixelFormat(): PixelFormat | 'nv12' {
    const { codec } = this.settings;
    if (codec.kind === 'passthrough') throw new RangeError('What is copied has no encoder.');
    return this.#hardware?.pixelFormat ?? pixelFormatOf(codec);
  }

  /** JPEG uses all values of a sample, most films keep room below and above. */
  get colorRange(): 'pc' | 'tv' {
    return this.settings.codec.kind === 'jpeg' || this.color.range === FULL_RANGE ? 'pc' : 'tv';
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
    const shown = this.#captioned(frame, number);
    shown.pts = number;
    if (this.settings.codec.kind === 'jpeg') shown.quality = jpegLambda(this.settings.codec.quality);
    shown.pictType = this.#isKeyForced(number) ? this.#ffmpeg.AV_PICTURE_TYPE_I : this.#ffmpeg.AV_PICTURE_TYPE_NONE;
    this.#nextFrame = number + 1n;
    this.#send(shown);
  }

  /** With the output's captions instead of those that came with the input. */
  #captioned(frame: Frame, number: bigint): Frame {
    const ms = (Number(number) * 1000 * this.framerate.den) / this.framerate.num;
    const shown = this.#burners.reduce((drawn, burner) => burner.draw(drawn, ms), frame);
    shown.removeSideData(this.#ffmpeg.AV_FRAME_DATA_A53_CC);
    this.#embedder?.attach(shown, Number(number));
    return shown;
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
    for (const burner of this.#burners) burner.close();
    this.#embedder?.close();
    this.#send(null);
    this.context.freeContext();
    this.#packet.free();
  }

  #isKeyForced(number: bigint): boolean {
    if (this.#closedFrames !== undefined && Number(number) % this.#closedFrames === 0) return true;
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
      this.#follow(this.#packet.size);
      this.#stamper?.stamp(this.#packet);
      this.#receive(this.#packet);
      this.#packet.unref();
    }
  }

  #chromaLocation({ settings: { picture }, source }: VideoEncoderFacts): AVChromaLocation {
    if (picture?.chromaPosition === undefined) return source.codecpar.chromaLocation;
    return picture.chromaPosition === 'center' ? this.#ffmpeg.AVCHROMA_LOC_CENTER : this.#ffmpeg.AVCHROMA_LOC_TOPLEFT;
  }

  /** x264 takes another rate factor in the middle of a film; the others keep the one that they began with. */
  #follow(bytes: number): void {
    if (this.settings.codec.kind !== 'h264') return;
    const factor = this.#guide?.take(bytes * 8);
    if (factor === undefined) return;
    const { AV_OPT_TYPE_STRING: type, AV_OPT_SEARCH_CHILDREN: where } = this.#ffmpeg;
    this.context.setOption('crf', String(factor), type, where);
  }

  /** The first encoder of the hardware that works and takes the settings; `undefined` where none does. */
  #openHardware(facts: VideoEncoderFacts): CodecContext | undefined {
    if (facts.mayUseHardware !== true || facts.guide !== undefined) return undefined;
    for (const encoder of hardwareEncoders(facts.settings, facts.framerate, facts.forcedKeySeconds)) {
      if (!worksHere(this.#ffmpeg, encoder)) continue;
      this.#hardware = encoder;
      try {
        return this.#open(facts);
      } catch (error) {
        if (!(error instanceof TranscodeError)) throw error;
        this.#hardware = undefined;
      }
    }
    return undefined;
  }

  #open(facts: VideoEncoderFacts): CodecContext {
    const ffmpeg = this.#ffmpeg;
    const { settings, picture, framerate } = facts;
    const { codec: made } = settings;
    if (made.kind === 'passthrough') throw new RangeError('What is copied has no encoder.');
    if (made.kind === 'h264' && hasFields(settings) && picture.height % 4 !== 0) {
      const text = `Interlaced H.264 needs a height that is a multiple of four, and video target [${facts.target}] has ${picture.height} lines`;
      throw new TranscodeError(ERROR_CODES.settingsDoNotFit, text);
    }
    const name = this.#hardware?.name ?? encoderName(made);
    const codec = present(
      ffmpeg.Codec.findEncoderByName(name as FFVideoEncoder),
      `This FFmpeg has no ${name} encoder.`,
    );
    const context = new ffmpeg.CodecContext();
    context.allocContext3(codec);
    context.width = picture.width;
    context.height = picture.height;
    context.pixelFormat = ffmpeg.avGetPixFmtFromName(this.pixelFormat);
    context.timeBase = new ffmpeg.Rational(framerate.den, framerate.num);
    context.framerate = new ffmpeg.Rational(framerate.num, framerate.den);
    context.sampleAspectRatio = new ffmpeg.Rational(picture.pixelAspect.num, picture.pixelAspect.den);
    if (facts.hasGlobalHeader) context.setFlags(ffmpeg.AV_CODEC_FLAG_GLOBAL_HEADER);
    if (made.kind === 'jpeg') context.setFlags(ffmpeg.AV_CODEC_FLAG_QSCALE);
    else if (isGopClosed(made)) context.setFlags(ffmpeg.AV_CODEC_FLAG_CLOSED_GOP);
    if (hasFields(settings)) context.setFlags(ffmpeg.AV_CODEC_FLAG_INTERLACED_DCT);
    if (made.kind === 'jpeg') context.colorRange = ffmpeg.AVCOL_RANGE_JPEG;
    else if (settings.isColorTagged) {
      const { primaries, transfer, matrix, range } = facts.color;
      context.colorRange = range as AVColorRange;
      context.colorPrimaries = primaries as AVColorPrimaries;
      context.colorTrc = transfer as AVColorTransferCharacteristic;
      context.colorSpace = matrix as AVColorSpace;
      context.chromaLocation = this.#chromaLocation(facts);
    }
    const { interlaced } = settings;
    const options =
      this.#hardware?.options ??
      encoderOptions(made, {
        framerate,
        picture,
        forcedKeySeconds: facts.forcedKeySeconds,
        interlaced,
        hdr: facts.hdr,
        timecode: settings.picture?.isTimecodeInserted === true ? facts.timecode : undefined,
      });
    const what = `Error initializing encoder for video target [${facts.target}]`;
    openCodec(ffmpeg, context, codec, options, ERROR_CODES.settingsDoNotFit, what);
    return context;
  }
}

function closedFrames({ settings: { codec }, framerate }: VideoEncoderFacts): number | undefined {
  if ((codec.kind !== 'h264' && codec.kind !== 'h265') || codec.closedGopEvery === undefined) return undefined;
  return codec.closedGopEvery * gopFrames(codec, framerate);
}
