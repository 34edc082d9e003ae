import { type CodedTrack, isVideo } from '../codecs/track-codec.ts';
import { mp4Frame, sizeOf, type FragmentPlace, type TimedFrame, timescaleOf, timeSamples } from '../track-samples.ts';
import { box, fullBox, u16, u32, u64 } from './box.ts';
import { MOVIE_TIMESCALE, type MovieTrack } from './movie.ts';

/** The sample tables of one track of a clip, as they grow. */
export class ClipTrack {
  readonly track: CodedTrack;
  readonly #sizes: number[] = [];
  readonly #durations: number[] = [];
  readonly #compositionOffsets: number[] = [];
  /** Numbers of the samples at which decoding can begin, from 1. */
  readonly #keyframes: number[] = [];
  readonly #chunks: { readonly offset: number; readonly samples: number }[] = [];
  #start = 0;
  #end: number | undefined;
  #firstShown = Number.POSITIVE_INFINITY;
  #shownUntil = 0;

  constructor(track: CodedTrack) {
    this.track = track;
  }

  get isEmpty(): boolean {
    return this.#sizes.length === 0;
  }

  /** When the first frame is shown, in seconds. */
  get firstShown(): number {
    return this.#firstShown / timescaleOf(this.track);
  }

  /**
   * Adds a fragment's frames as one chunk.
   *
   * @param offset of the chunk in the media data
   * @returns the bytes of the chunk
   * @throws PackagingError invalid-frame
   */
  add(frames: readonly TimedFrame[], place: FragmentPlace, offset: number): number {
    const times = timeSamples(this.track, frames, this.#end === undefined ? place : { ...place, expected: this.#end });
    const [first] = times;
    if (first === undefined) return 0;
    if (this.#end === undefined) this.#start = first.decodeTime;
    // What lies between two fragments lengthens the frame before.
    else this.#durations.push((this.#durations.pop() ?? 0) + first.decodeTime - this.#end);
    let bytes = 0;
    frames.forEach((frame, index) => {
      const { decodeTime = 0, duration = 0, compositionOffset = 0 } = times[index] ?? {};
      const { pieces, isEntry } = mp4Frame(this.track, frame);
      const size = sizeOf(pieces);
      bytes += size;
      this.#sizes.push(size);
      this.#durations.push(duration);
      this.#compositionOffsets.push(compositionOffset);
      if (isEntry) this.#keyframes.push(this.#sizes.length);
      this.#end = decodeTime + duration;
      this.#firstShown = Math.min(this.#firstShown, decodeTime + compositionOffset);
      this.#shownUntil = Math.max(this.#shownUntil, decodeTime + compositionOffset + duration);
    });
    this.#chunks.push({ offset, samples: frames.length });
    return bytes;
  }

  /**
   * The track for the clip's index.
   *
   * @param mediaStart where the media data begin in the file
   * @param clipStart when the clip's first frame is shown, in seconds
   */
  finish(mediaStart: number, clipStart: number): MovieTrack {
    const duration = (this.#end ?? 0) - this.#start;
    const hasOffsets = this.#compositionOffsets.some((offset) => offset !== 0);
    const areAllKeyframes = !isVideo(this.track) || this.#keyframes.length === this.#sizes.length;
    return {
      track: this.track,
      duration,
      edits: this.#edits(clipStart),
      tables: [
        runLengths('stts', this.#durations),
        ...(hasOffsets ? [runLengths('ctts', this.#compositionOffsets)] : []),
        ...(areAllKeyframes ? [] : [fullBox('stss', 0, 0, u32(this.#keyframes.length), numbers(this.#keyframes))]),
        this.#samplesOfChunks(),
        fullBox('stsz', 0, 0, u32(0, this.#sizes.length), numbers(this.#sizes)),
        fullBox('stco', 0, 0, u32(this.#chunks.length), numbers(this.#chunks.map(({ offset }) => offset + mediaStart))),
      ],
    };
  }

  /** How many samples each chunk has: an entry where that changes. */
  #samplesOfChunks(): Buffer {
    const entries: number[] = [];
    let before = -1;
    this.#chunks.forEach(({ samples }, index) => {
      if (samples !== before) entries.push(index + 1, samples, 1);
      before = samples;
    });
    return fullBox('stsc', 0, 0, u32(entries.length / 3), numbers(entries));
  }

  /** Decoding begins before the first frame is shown, and the tracks need not begin together (ISO 14496-12, 8.6.6). */
  #edits(clipStart: number): Buffer {
    const lead = this.#firstShown - this.#start;
    const wait = Math.round((this.firstShown - clipStart) * MOVIE_TIMESCALE);
    const shownFor = ((this.#shownUntil - this.#firstShown) / timescaleOf(this.track)) * MOVIE_TIMESCALE;
    const edit = (length: number, mediaTime: Buffer): Buffer => Buffer.concat([u64(length), mediaTime, u16(1, 0)]);
    const edits = [...(wait > 0 ? [edit(wait, NOTHING)] : []), edit(Math.ceil(shownFor), u64(lead))];
    return box('edts', fullBox('elst', 1, 0, u32(edits.length), ...edits));
  }
}

/** The media time of an edit that shows nothing: -1. */
const NOTHING = Buffer.alloc(8, 0xff);

function runLengths(type: string, values: readonly number[]): Buffer {
  const entries: number[] = [];
  for (const value of values) {
    if (entries.length > 0 && entries.at(-1) === value) entries[entries.length - 2] = (entries.at(-2) ?? 0) + 1;
    else entries.push(1, value);
  }
  return fullBox(type, 0, 0, u32(entries.length / 2), numbers(entries));
}

/** Many numbers of 32 bits. */
function numbers(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}
