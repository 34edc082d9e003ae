import type { CodecContext, Frame, Packet } from 'node-av/lib';
import type { Still, StillCodec, StillJob } from '../stills/still-job.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';
import { PictureEncoder } from './picture-encoder.ts';

/** Larger pictures are not decoded: a decoder may hold some thirty of them. */
const MAX_PIXELS = 4096 * 4096;
/** Timestamps inside are whole microseconds. */
const TICKS_OF_ONE_MS = 1000;

/**
 * Decodes a stretch of video and encodes the pictures that are shown at the wanted times: at each the last one that has
 * begun, or the first of all where none has. Where the decoder gives up, or marks a picture as damaged, the times from
 * there on have none.
 *
 * @throws TranscodeError where there is no decoder for it
 */
export function decodeStills(ffmpeg: FFmpeg, job: StillJob): Still[] {
  const decoder = openDecoder(ffmpeg, job.codec, job.codecPrivate);
  const run = new StillsRun(ffmpeg, job, decoder);
  try {
    return run.stills();
  } finally {
    run.close();
  }
}

class StillsRun {
  readonly #ffmpeg: FFmpeg;
  readonly #job: StillJob;
  readonly #decoder: CodecContext;
  readonly #packet: Packet;
  readonly #frame: Frame;
  readonly #encoder: PictureEncoder;
  /** The picture that is shown until the next one begins. */
  readonly #shown: Frame;
  #isAnyShown = false;
  #isRefused = false;
  /** From here on the media is damaged. */
  #damagedFrom = Number.POSITIVE_INFINITY;
  readonly #stills: Still[] = [];
  #bytes = 0;
  readonly #begin = performance.now();

  constructor(ffmpeg: FFmpeg, job: StillJob, decoder: CodecContext) {
    this.#ffmpeg = ffmpeg;
    this.#job = job;
    this.#decoder = decoder;
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    this.#shown = new ffmpeg.Frame();
    this.#shown.alloc();
    this.#encoder = new PictureEncoder(ffmpeg, job.picture);
  }

  stills(): Still[] {
    for (const frame of this.#job.frames) {
      if (this.#isDone) break;
      const pts = ticks(frame.timeMs);
      // Once one was refused, those behind it are not what they refer to, though they may be shown before it.
      if (this.#isRefused || !this.#decode(frame.payload, pts)) this.#damagedFrom = Math.min(this.#damagedFrom, pts);
    }
    this.#decoder.sendPacketSync(null);
    this.#drain();
    this.#showUntil(Number.POSITIVE_INFINITY);
    return this.#stills;
  }

  close(): void {
    this.#encoder.close();
    this.#decoder.freeContext();
    this.#packet.free();
    this.#frame.free();
    this.#shown.free();
  }

  /** @returns false where the decoder does not take it */
  #decode(payload: Uint8Array, pts: number): boolean {
    this.#packet.data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#packet.pts = BigInt(pts);
    this.#packet.dts = BigInt(pts);
    const sent = this.#decoder.sendPacketSync(this.#packet);
    this.#packet.unref();
    this.#isRefused = sent < 0;
    if (sent >= 0) this.#drain();
    return sent >= 0;
  }

  #drain(): void {
    while (this.#decoder.receiveFrameSync(this.#frame) >= 0) {
      const begin = Number(this.#frame.pts);
      this.#showUntil(begin);
      if (this.#frame.decodeErrorFlags !== 0 || (this.#frame.flags & this.#ffmpeg.AV_FRAME_FLAG_CORRUPT) !== 0) {
        this.#damagedFrom = Math.min(this.#damagedFrom, begin);
      }
      this.#shown.unref();
      this.#shown.ref(this.#frame);
      this.#isAnyShown = true;
      this.#encoder.forget();
      this.#frame.unref();
    }
  }

  /** Settles the times that lie before the beginning of the next picture. */
  #showUntil(next: number): void {
    const { wanted } = this.#job;
    const isEnd = next === Number.POSITIVE_INFINITY;
    // Times before the first picture get that one, once it is there.
    if (!this.#isAnyShown && !isEnd) return;
    while (!this.#isDone) {
      const time = ticks(wanted[this.#stills.length] ?? 0);
      if (time >= next) return;
      const isDamaged = !this.#isAnyShown || time >= this.#damagedFrom;
      const still = isDamaged ? undefined : this.#encoder.encode(this.#shown);
      this.#bytes += still?.length ?? 0;
      this.#stills.push(still);
    }
  }

  get #isDone(): boolean {
    const { wanted, maximumBytes, maximumMs } = this.#job;
    const { length } = this.#stills;
    if (length >= wanted.length || this.#bytes >= maximumBytes) return true;
    return length > 0 && performance.now() - this.#begin >= maximumMs;
  }
}

function ticks(milliseconds: number): number {
  return Math.round(milliseconds * TICKS_OF_ONE_MS);
}

function openDecoder(ffmpeg: FFmpeg, name: StillCodec, codecPrivate: Uint8Array | undefined): CodecContext {
  const id = name === 'h264' ? ffmpeg.AV_CODEC_ID_H264 : ffmpeg.AV_CODEC_ID_HEVC;
  const codec = present(ffmpeg.Codec.findDecoder(id), `This FFmpeg has no decoder for ${name}.`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  if (codecPrivate !== undefined) context.extraData = Buffer.from(codecPrivate);
  context.pktTimebase = new ffmpeg.Rational(1, 1000 * TICKS_OF_ONE_MS);
  // Few threads: each holds a picture more.
  const options = { threads: 2, max_pixels: MAX_PIXELS };
  openCodec(ffmpeg, context, codec, options, ERROR_CODES.unsupportedInput, `The decoder for ${name} did not start`);
  return context;
}
