import type { Frame } from 'node-av/lib';
import type { CaptionTrack } from '../captions/caption-track.ts';
import { encodeCea608 } from '../captions/cea608-encoder.ts';
import type { ClosedDataReader } from '../captions/closed-data.ts';
import type { Rational } from '../video-settings.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

interface Embedded {
  readonly track: CaptionTrack;
  /** 1 to 4. */
  readonly channel: number;
  /** True takes the data over as they were found in the input. */
  readonly isCopied: boolean;
}

interface Writing extends Embedded {
  readonly pairs: Map<number, readonly [number, number]>;
  /** Parts of inputs whose captions are in `pairs`. */
  parts: number;
  /** Of those whose data are taken over. */
  readonly closed?: ClosedDataReader;
}

/** A picture may carry so many triplets (CEA-708, `cc_count`). */
const MOST_TRIPLETS = 31;
const FIELD = [0xfc, 0xfd] as const;
const NOTHING = [0x80, 0x80] as const;
const TICK = 0.5;

/** Puts closed captions (CEA-608 in ATSC A/53 user data) on pictures, from which the encoder takes them. */
export class CaptionEmbedder {
  readonly #ffmpeg: FFmpeg;
  readonly #writings: readonly Writing[];
  /** Line 21 comes 30 times a second: at a higher rate, not with every picture. */
  readonly #framesPerPair: number;
  readonly #rate: Rational;

  constructor(ffmpeg: FFmpeg, captions: readonly Embedded[], framerate: Rational) {
    this.#ffmpeg = ffmpeg;
    this.#rate = framerate;
    this.#framesPerPair = Math.max(1, Math.round(framerate.num / framerate.den / 30));
    this.#writings = captions.map((one) => ({
      ...one,
      pairs: new Map(),
      parts: 0,
      ...(one.isCopied && { closed: one.track.closed.openReader() }),
    }));
  }

  /** @param number of the picture among the output's */
  attach(frame: Frame, number: number): void {
    const type = this.#ffmpeg.AV_FRAME_DATA_A53_CC;
    const ms = (number * 1000 * this.#rate.den) / this.#rate.num;
    const closed = this.#writings.find((writing) => writing.closed !== undefined)?.closed;
    const bytes = closed === undefined ? this.#encoded(number) : taken(closed, ms + TICK);
    if (bytes.length === 0) return;
    Buffer.from(bytes).copy(frame.newSideData(type, bytes.length));
  }

  close(): void {
    for (const { closed } of this.#writings) closed?.close();
  }

  #encoded(number: number): number[] {
    const slot = Math.floor(number / this.#framesPerPair);
    const isDue = number % this.#framesPerPair === 0;
    for (const writing of this.#writings) this.#extend(writing, slot);
    return FIELD.flatMap((mark, field) => {
      const writing = this.#writings.find(({ channel }) => (channel > 2 ? 1 : 0) === field);
      const pair = isDue ? writing?.pairs.get(slot) : undefined;
      if (isDue) writing?.pairs.delete(slot);
      return [mark, ...(pair ?? NOTHING)];
    });
  }

  /** Takes in the captions of a part of an input that has begun; what is left of the one before is over. */
  #extend(writing: Writing, slot: number): void {
    for (let part = writing.track.part(writing.parts); part !== undefined; part = writing.track.part(writing.parts)) {
      writing.parts += 1;
      for (const frame of writing.pairs.keys()) if (frame >= slot) writing.pairs.delete(frame);
      const slotOf = (ms: number): number =>
        Math.round((ms * this.#rate.num) / this.#rate.den / 1000 / this.#framesPerPair);
      for (const { frame, bytes } of encodeCea608(part, writing.channel, slotOf, slot)) writing.pairs.set(frame, bytes);
    }
  }
}

/** What the input's pictures carried until now. */
function taken(closed: ClosedDataReader, ms: number): number[] {
  return closed.take(MOST_TRIPLETS, ms).flatMap((data) => [(data >> 16) & 0xff, (data >> 8) & 0xff, data & 0xff]);
}
