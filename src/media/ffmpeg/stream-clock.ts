import type { Frame, Stream } from 'node-av/lib';
import { framerateOf, timestampOf } from './media-input.ts';

/** Larger jumps are taken for a reset clock in containers that allow one, and for damage in the others. */
const JUMP_SECONDS = { discontinuous: 10, continuous: 3600 };

/** Brings a stream's timestamps to the input's own time line, which begins at 0 and does not jump. */
export class StreamClock {
  readonly frameSeconds: number;
  readonly #toSeconds: number;
  readonly #limit: number;
  #shift: bigint;
  #expected = 0n;
  #isFirstFree: boolean;
  readonly #step: bigint;

  /**
   * @param input the file that the stream is in
   * @param isBegunLater true where the first frame may be far from the beginning, and no jump
   */
  constructor(
    stream: Stream,
    input: { readonly startSeconds: number; readonly isClockDiscontinuous: boolean },
    isBegunLater: boolean,
  ) {
    const { startSeconds } = input;
    const jumpSeconds = input.isClockDiscontinuous ? JUMP_SECONDS.discontinuous : JUMP_SECONDS.continuous;
    this.#isFirstFree = isBegunLater;
    const { num, den } = stream.timeBase;
    this.#toSeconds = num / den;
    this.#shift = -BigInt(Math.round(startSeconds / this.#toSeconds));
    const rate = framerateOf(stream);
    const isAudio = stream.codecpar.sampleRate > 0;
    this.frameSeconds = isAudio ? 1024 / stream.codecpar.sampleRate : rate.den / rate.num;
    this.#step = BigInt(Math.max(1, Math.round(this.frameSeconds / this.#toSeconds)));
    this.#limit = Math.round(jumpSeconds / this.#toSeconds);
  }

  /** Sets the frame's `pts` and returns it in seconds. */
  place(frame: Frame): number {
    const stamp = timestampOf(frame);
    let time = stamp === undefined ? this.#expected : stamp + this.#shift;
    const jump = this.#isFirstFree ? 0 : Number(time - this.#expected);
    this.#isFirstFree = false;
    if (Math.abs(jump) > this.#limit) {
      this.#shift -= BigInt(jump);
      time = this.#expected;
    }
    frame.pts = time;
    const length = frame.duration > 0n && Number(frame.duration) < this.#limit ? frame.duration : this.#step;
    this.#expected = time + length;
    return Number(time) * this.#toSeconds;
  }
}
