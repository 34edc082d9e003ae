import type { CodecContext, FilterContext, Frame, Packet, Stream } from 'node-av/lib';
import { uriOf } from '../media-location.ts';
import type { MotionOverlay } from '../picture-settings.ts';
import type { MediaLocation } from '../transcode-input.ts';
import type { Rational } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { AuxiliaryPort, AuxiliarySource } from './auxiliary.ts';
import { check } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { framerateOf, MediaInput, timestampOf } from './media-input.ts';
import { SeriesPictures } from './series-pictures.ts';

/** Times inside are whole ticks of so many a second. */
export const MOTION_TICKS = 90_000;

/** Pictures that come one after the other. */
export interface MotionPictures {
  readonly rate: Rational;
  /** Puts the next picture into a frame; returns its seconds from the first one's, or nothing at the end. */
  next(frame: Frame): number | undefined;
  close(): void;
}

/**
 * A film that is laid on another one, picture by picture: it is decoded while the other goes on, one picture ahead, so
 * that its length needs no memory.
 */
export class MotionFilm {
  readonly #ffmpeg: FFmpeg;
  readonly #port: AuxiliaryPort;
  readonly #overlay: MotionOverlay;
  readonly #frame: Frame;
  #pictures: MotionPictures;
  #hasFrame = false;
  /** Seconds of the rounds before this one. */
  #roundSeconds = 0;
  #seconds = 0;
  #isOver = false;
  #last: Frame | undefined;
  /** How long one picture is shown. */
  #pictureSeconds = 0;

  constructor(ffmpeg: FFmpeg, port: AuxiliaryPort, overlay: MotionOverlay) {
    this.#ffmpeg = ffmpeg;
    this.#port = port;
    this.#overlay = overlay;
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    this.#pictures = this.#open();
    if (this.#decode()) return;
    throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uriOf(overlay.file), 'It has no pictures'));
  }

  /** The first picture, for its size and form. */
  get first(): Frame {
    return this.#frame;
  }

  /**
   * Gives a graph's source the pictures up to the one behind a moment.
   *
   * @param begin the graph's time of the first picture, in seconds
   */
  feed(target: FilterContext, begin: number, until: number): void {
    while (!this.#isOver && begin + this.#seconds <= until + 1) {
      if (!this.#hasFrame && !this.#advance()) {
        this.#end(target, begin);
        return;
      }
      this.#frame.pts = BigInt(Math.round((begin + this.#seconds) * MOTION_TICKS));
      this.#last?.free();
      // The filter takes the frame's contents over.
      this.#last = this.#frame.clone() ?? undefined;
      check(this.#ffmpeg, target.buffersrcAddFrameSync(this.#frame), ERROR_CODES.unknown, 'The video filters failed');
      this.#frame.unref();
      this.#hasFrame = false;
    }
  }

  /** A picture is shown until the next one comes: the last one comes again where it ends. */
  #end(target: FilterContext, begin: number): void {
    this.#isOver = true;
    if (this.#last !== undefined) {
      this.#last.pts = BigInt(Math.round((begin + this.#seconds + this.#pictureSeconds) * MOTION_TICKS) - 1);
      check(this.#ffmpeg, target.buffersrcAddFrameSync(this.#last), ERROR_CODES.unknown, 'The video filters failed');
    }
    target.buffersrcAddFrameSync(null);
  }

  close(target: FilterContext): void {
    if (!this.#isOver) target.buffersrcAddFrameSync(null);
    this.#isOver = true;
    this.#pictures.close();
    this.#frame.free();
    this.#last?.free();
  }

  #open(): MotionPictures {
    const { file, imageRate } = this.#overlay;
    return imageRate === undefined
      ? new FilmPictures(this.#ffmpeg, this.#port, file)
      : new SeriesPictures(this.#ffmpeg, this.#port, file, imageRate);
  }

  /** The next picture, of another round where that is wanted. */
  #advance(): boolean {
    if (this.#decode()) return true;
    const { rate } = this.#pictures;
    this.#pictureSeconds = rate.den / rate.num;
    this.#pictures.close();
    if (!this.#overlay.isRepeated) return false;
    this.#roundSeconds = this.#seconds + this.#pictureSeconds;
    this.#pictures = this.#open();
    return this.#decode();
  }

  #decode(): boolean {
    const seconds = this.#pictures.next(this.#frame);
    if (seconds === undefined) return false;
    this.#seconds = this.#roundSeconds + seconds;
    this.#hasFrame = true;
    return true;
  }
}

/** Those of a film. */
class FilmPictures implements MotionPictures {
  readonly #media: MediaInput;
  readonly #source: AuxiliarySource;
  readonly #video: Stream;
  readonly #decoder: CodecContext;
  readonly #packet: Packet;
  #isDrained = false;
  #isClosed = false;

  constructor(ffmpeg: FFmpeg, port: AuxiliaryPort, file: MediaLocation) {
    this.#source = port.openAuxiliary(file, Number.MAX_SAFE_INTEGER);
    this.#media = MediaInput.open(ffmpeg, this.#source, uriOf(file));
    const video = this.#media.findVideo();
    if (video === undefined) {
      throw new TranscodeError(ERROR_CODES.noVideo, unableToOpen(uriOf(file), 'No video stream found'));
    }
    this.#video = video;
    this.#decoder = this.#media.openDecoder(video);
    this.#media.keepOnly([video]);
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
  }

  get rate(): Rational {
    return framerateOf(this.#video);
  }

  next(frame: Frame): number | undefined {
    for (;;) {
      if (this.#decoder.receiveFrameSync(frame) >= 0) {
        const { num, den } = this.#video.timeBase;
        const time = (Number(timestampOf(frame) ?? 0n) * num) / den - this.#media.startSeconds;
        return Math.max(0, time);
      }
      if (this.#isDrained) return undefined;
      if (this.#media.readPacket(this.#packet)) {
        this.#decoder.sendPacketSync(this.#packet);
        this.#packet.unref();
      } else {
        this.#decoder.sendPacketSync(null);
        this.#isDrained = true;
      }
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#decoder.freeContext();
    this.#media.close();
    this.#source.close();
    this.#packet.free();
  }
}
