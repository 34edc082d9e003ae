import type { CodecContext, FilterContext, Frame, Packet } from 'node-av/lib';
import { uriOf } from '../media-location.ts';
import type { MotionOverlay } from '../picture-settings.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { AuxiliaryPort, AuxiliarySource } from './auxiliary.ts';
import { check } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { framerateOf, MediaInput, timestampOf } from './media-input.ts';

/** Times inside are whole ticks of so many a second. */
export const MOTION_TICKS = 90_000;

/**
 * A film that is laid on another one, picture by picture: it is decoded while the other goes on, one picture ahead, so
 * that its length needs no memory.
 */
export class MotionFilm {
  readonly #ffmpeg: FFmpeg;
  readonly #port: AuxiliaryPort;
  readonly #overlay: MotionOverlay;
  readonly #packet: Packet;
  readonly #frame: Frame;
  #source: AuxiliarySource | undefined;
  #media: MediaInput | undefined;
  #decoder: CodecContext | undefined;
  #isDrained = false;
  #hasFrame = false;
  /** Seconds of the rounds before this one. */
  #roundSeconds = 0;
  #seconds = 0;
  #isOver = false;

  constructor(ffmpeg: FFmpeg, port: AuxiliaryPort, overlay: MotionOverlay) {
    this.#ffmpeg = ffmpeg;
    this.#port = port;
    this.#overlay = overlay;
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    this.#open();
    this.#hasFrame = this.#decode();
    if (this.#hasFrame) return;
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
        this.#isOver = true;
        target.buffersrcAddFrameSync(null);
        return;
      }
      this.#frame.pts = BigInt(Math.round((begin + this.#seconds) * MOTION_TICKS));
      check(this.#ffmpeg, target.buffersrcAddFrameSync(this.#frame), ERROR_CODES.unknown, 'The video filters failed');
      this.#frame.unref();
      this.#hasFrame = false;
    }
  }

  close(target: FilterContext): void {
    if (!this.#isOver) target.buffersrcAddFrameSync(null);
    this.#isOver = true;
    this.#end();
    this.#frame.free();
    this.#packet.free();
  }

  #open(): void {
    const { file } = this.#overlay;
    this.#source = this.#port.openAuxiliary(file, Number.MAX_SAFE_INTEGER);
    this.#media = MediaInput.open(this.#ffmpeg, this.#source, uriOf(file));
    const video = this.#media.findVideo();
    if (video === undefined) {
      throw new TranscodeError(ERROR_CODES.noVideo, unableToOpen(uriOf(file), 'No video stream found'));
    }
    this.#decoder = this.#media.openDecoder(video);
    this.#media.keepOnly([video]);
    this.#isDrained = false;
  }

  #end(): void {
    this.#decoder?.freeContext();
    this.#decoder = undefined;
    this.#media?.close();
    this.#media = undefined;
    this.#source?.close();
    this.#source = undefined;
  }

  /** The next picture, of another round where that is wanted. */
  #advance(): boolean {
    if (this.#decode()) return true;
    const rate = this.#rate;
    this.#end();
    if (!this.#overlay.isRepeated) return false;
    this.#roundSeconds = this.#seconds + rate.den / rate.num;
    this.#open();
    return this.#decode();
  }

  get #rate(): { readonly num: number; readonly den: number } {
    const video = this.#media?.findVideo();
    return video === undefined ? { num: 25, den: 1 } : framerateOf(video);
  }

  #decode(): boolean {
    const [decoder, media] = [this.#decoder, this.#media];
    const video = media?.findVideo();
    if (decoder === undefined || media === undefined || video === undefined) return false;
    for (;;) {
      if (decoder.receiveFrameSync(this.#frame) >= 0) {
        const { num, den } = video.timeBase;
        const time = (Number(timestampOf(this.#frame) ?? 0n) * num) / den - media.startSeconds;
        this.#seconds = this.#roundSeconds + Math.max(0, time);
        this.#hasFrame = true;
        return true;
      }
      if (this.#isDrained) return false;
      if (media.readPacket(this.#packet)) {
        decoder.sendPacketSync(this.#packet);
        this.#packet.unref();
      } else {
        decoder.sendPacketSync(null);
        this.#isDrained = true;
      }
    }
  }
}
