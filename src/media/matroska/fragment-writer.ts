import { ELEMENT } from './element-ids.ts';
import { writeElement, writeTags } from './matroska-writer.ts';
import type { Frame } from './read-frames.ts';
import { END_OF_FRAGMENT_TAG } from './tags.ts';

/** Where a stream may be cut into fragments. */
export interface CutRules {
  /** No fragment is shorter, unless the stream ends. */
  readonly minimumMs: number;
  /** From here on a fragment is cut between any two frames; until then only before keyframes. */
  readonly maximumMs: number;
  readonly maximumBytes: number;
}

/** Inside the limits of Kinesis Video Streams: 1 to 20 s, 50 MB. */
const DEFAULT_CUT_RULES: CutRules = { minimumMs: 1000, maximumMs: 15_000, maximumBytes: 40 * 1024 * 1024 };

/** Sound that stands before the first keyframe is kept if it is not older: containers put it there by a frame or two. */
const EARLY_MS = 200;
/** How far frames may lie behind a cut that waits for the other tracks. */
const PATIENCE_MS = 4500;
const PATIENCE_BYTES = 8 * 1024 * 1024;

/** A track has stopped while others go on: no fragment may lack it. */
export class MissingTrackError extends Error {
  /** The number of the track that stopped. */
  readonly track: number;

  constructor(track: number) {
    super(`Track ${track} has no frames any more.`);
    this.name = 'MissingTrackError';
    this.track = track;
  }
}

/** What goes onto the wire next. */
export interface WrittenPiece {
  readonly bytes: readonly Buffer[];
  /** Milliseconds since the first fragment's beginning, of the frame in it. */
  readonly timeMs: number;
  /** True when a fragment is whole with these bytes. */
  readonly endsFragment: boolean;
}

const CLUSTER_OF_UNKNOWN_SIZE = Buffer.from('1f43b67501ffffffffffffff', 'hex');
const KEYFRAME = 0x80;
const BLOCK_HEAD_BYTES = 4;

/**
 * Writes frames as a producer does: Clusters of unknown size, each with a keyframe of the leading track at its front
 * and an end-of-fragment tag behind it, and frames of every track in each. Times begin at zero.
 *
 * A cut is made only when each other track has gone on behind it: so the last fragment never lacks a track.
 */
export class FragmentWriter {
  readonly #lead: number;
  readonly #others: readonly number[];
  readonly #rules: CutRules;
  /** The stream's time at the first fragment's beginning. */
  #base: number | undefined;
  /** The other tracks' latest frames before the first keyframe. */
  #early: Frame[] = [];
  #start = 0;
  #bytes = 0;
  #seen = new Set<number>();
  /** Frames behind a possible cut. */
  #waiting: Frame[] = [];
  #waitingBytes = 0;
  #waitingFor = new Set<number>();

  /**
   * @param lead the number of the track whose keyframes begin fragments
   * @param others the numbers of the other tracks
   */
  constructor(lead: number, others: readonly number[], rules: CutRules = DEFAULT_CUT_RULES) {
    this.#lead = lead;
    this.#others = others;
    this.#rules = rules;
  }

  /**
   * Takes the next frame. Frames long before the leading track's first keyframe are let fall.
   *
   * @throws MissingTrackError when a track stopped so long ago that the fragment would become too long; the frame is
   * not taken, and `end` still makes a good end
   */
  add(frame: Frame): WrittenPiece[] {
    if (this.#base === undefined) return this.#addFirst(frame);
    this.#checkPatience(frame);
    if (this.#waiting.length === 0 && !this.#mayCutBefore(frame)) return [this.#piece(frame)];
    this.#wait(frame);
    return this.#waitingFor.size === 0 ? this.#cut() : [];
  }

  #addFirst(frame: Frame): WrittenPiece[] {
    if (frame.track !== this.#lead) {
      const isRecent = ({ timecodeMs }: Frame): boolean => timecodeMs >= frame.timecodeMs - EARLY_MS;
      this.#early = [...this.#early.filter(isRecent), frame];
      return [];
    }
    if (!frame.isKeyframe) return [];
    this.#base = Math.round(frame.timecodeMs);
    const early = this.#early.filter(({ timecodeMs }) => timecodeMs >= frame.timecodeMs - EARLY_MS);
    this.#early = [];
    const first = { bytes: [...this.#begin(frame), ...this.#block(frame)], timeMs: 0, endsFragment: false };
    return [first, ...early.map((one) => this.#piece(one))];
  }

  /** Ends the stream: what waited belongs to the last fragment. */
  end(): WrittenPiece[] {
    if (this.#base === undefined) return [];
    const pieces = this.#waiting.map((frame) => this.#piece(frame));
    this.#waiting = [];
    return [...pieces, this.#endFragment()];
  }

  #mayCutBefore(frame: Frame): boolean {
    if (frame.track !== this.#lead || this.#others.some((other) => !this.#seen.has(other))) return false;
    const elapsed = this.#timeOf(frame) - this.#start;
    if (elapsed < this.#rules.minimumMs) return false;
    return frame.isKeyframe || elapsed >= this.#rules.maximumMs || this.#bytes >= this.#rules.maximumBytes;
  }

  #wait(frame: Frame): void {
    if (this.#waiting.length === 0) this.#waitingFor = new Set(this.#others);
    this.#waiting.push(frame);
    this.#waitingBytes += frame.payload.length;
    this.#waitingFor.delete(frame.track);
  }

  #checkPatience(frame: Frame): void {
    const isTooLong = this.#timeOf(frame) - this.#start > this.#rules.maximumMs + PATIENCE_MS;
    const isTooLarge = this.#bytes + this.#waitingBytes > this.#rules.maximumBytes + PATIENCE_BYTES;
    if (!isTooLong && !isTooLarge) return;
    const missing = this.#others.find((other) => this.#waitingFor.has(other) || !this.#seen.has(other));
    throw new MissingTrackError(missing ?? this.#lead);
  }

  #cut(): WrittenPiece[] {
    const end = this.#endFragment();
    const [first, ...rest] = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (first === undefined) return [];
    const beginning = { bytes: [...this.#begin(first), ...this.#block(first)], timeMs: this.#timeOf(first) };
    return [end, { ...beginning, endsFragment: false }, ...rest.map((frame) => this.#piece(frame))];
  }

  #endFragment(): WrittenPiece {
    const tag = writeTags([{ name: END_OF_FRAGMENT_TAG, value: '' }]);
    return { bytes: [tag], timeMs: this.#start, endsFragment: true };
  }

  #timeOf(frame: Frame): number {
    return Math.round(frame.timecodeMs) - (this.#base ?? 0);
  }

  #begin(frame: Frame): Buffer[] {
    this.#start = this.#timeOf(frame);
    this.#bytes = 0;
    this.#seen = new Set();
    const timecode = Buffer.alloc(8);
    timecode.writeBigUInt64BE(BigInt(this.#start));
    return [CLUSTER_OF_UNKNOWN_SIZE, writeElement(ELEMENT.timecode, [timecode], 1)];
  }

  #piece(frame: Frame): WrittenPiece {
    return { bytes: this.#block(frame), timeMs: this.#timeOf(frame), endsFragment: false };
  }

  /** A SimpleBlock: its head and the payload as it is. */
  #block(frame: Frame): Buffer[] {
    this.#seen.add(frame.track);
    this.#bytes += frame.payload.length;
    const head = Buffer.alloc(1 + 4 + BLOCK_HEAD_BYTES);
    head[0] = ELEMENT.simpleBlock;
    head.writeUInt32BE(0x10000000 | (frame.payload.length + BLOCK_HEAD_BYTES), 1);
    head[5] = 0x80 | frame.track;
    head.writeInt16BE(this.#timeOf(frame) - this.#start, 6);
    head[8] = frame.isKeyframe ? KEYFRAME : 0;
    return [head, frame.payload];
  }
}
