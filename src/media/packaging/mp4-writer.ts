import { listBoxes, moovForFront } from './mp4-boxes.ts';
import { HeldHead } from './held-head.ts';
import { box, zeros } from './mp4/box.ts';
import { withCleanAperture } from './mp4-clean-aperture.ts';
import { withCompositionShift } from './mp4-composition-shift.ts';
import type { PartSink } from './object-writer.ts';
import { PartBuffer } from './object-writer.ts';

/** Room for tags that editors add. */
const FREE_BYTES = 2048;

/** What the index has beside what the muxer writes. */
interface IndexSettings {
  readonly compositionShift?: 0 | 1 | undefined;
  readonly hasFreeSpace?: boolean | undefined;
  readonly hasCleanAperture?: boolean | undefined;
}

/**
 * Stores an MP4 or MOV file that FFmpeg's muxer writes, without ever holding more than the head, one part and the
 * index. The muxer goes back once, to write the size of `mdat` into its header; so the first part stays here until the
 * end and is uploaded last. That also lets the index stand at the front for a file of any length: the parts behind
 * need no change, and the first part, whose size is free, becomes `ftyp`, `moov` with shifted offsets, and the first
 * media data.
 */
export class Mp4Writer {
  readonly #parts: HeldHead;
  readonly #moov: 'front' | 'end';
  readonly #settings: IndexSettings;
  /** The end of the media data and the index: as much as the muxer itself holds in memory. */
  #trailer: PartBuffer | undefined;
  #trailerStart = 0;
  #position = 0;
  #end = 0;

  constructor(
    sink: PartSink,
    target: Parameters<PartSink['open']>[0],
    moov: 'front' | 'end',
    index: IndexSettings = {},
  ) {
    this.#settings = index;
    this.#moov = moov;
    this.#parts = new HeldHead(sink, target);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#end;
  }

  /** Moves the place of the next write; returns it. */
  seek(position: number): number {
    this.#position = position;
    return position;
  }

  /** @throws RangeError for a write behind the head that is not an append: no muxer setting in use does that */
  write(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#position < this.#end) {
      const count = Math.min(rest.length, this.#end - this.#position);
      this.#patch(rest.subarray(0, count));
      this.#position += count;
      rest = rest.subarray(count);
    }
    if (rest.length === 0) return;
    if (this.#position !== this.#end) throw new RangeError('The file would have a hole.');
    this.#position += rest.length;
    this.#end += rest.length;
    if (this.#trailer !== undefined) {
      this.#trailer.append(rest);
      return;
    }
    this.#parts.append(rest);
  }

  /** Says that all packets were written and flushed: what follows is held until the end. */
  beginTrailer(): void {
    this.#trailer = new PartBuffer(Number.POSITIVE_INFINITY);
    this.#trailerStart = this.#end;
  }

  end(): void {
    const trailer = this.#trailer?.view() ?? new Uint8Array(0);
    const head = this.#parts.head.view();
    const mdat = listBoxes(head).find((box) => box.type === 'mdat');
    const ftyp = listBoxes(head).find((box) => box.type === 'ftyp');
    if (mdat === undefined || ftyp === undefined) throw new RangeError('The muxer wrote no media data box.');
    const split = mdat.end - this.#trailerStart;
    const index = listBoxes(trailer, Math.max(0, split));
    const moov = index.find((box) => box.type === 'moov');
    if (split < 0 || index.length !== 1 || moov === undefined) throw new RangeError('The muxer wrote no index.');
    const tail = trailer.subarray(0, split);
    const plain = trailer.subarray(moov.start, moov.end);
    const final = finalIndex(plain, this.#settings);
    const free = this.#settings.hasFreeSpace === true ? box('free', zeros(FREE_BYTES)) : Buffer.alloc(0);
    if (this.#moov === 'end') {
      this.#parts.append(tail);
      this.#parts.append(final);
      this.#parts.append(free);
      this.#parts.finish(this.#parts.head.take());
      return;
    }
    const front = moovForFront(final, free.length);
    const { isHeadOpen } = this.#parts;
    if (!isHeadOpen) this.#parts.append(tail);
    this.#parts.finish(
      concat([head.subarray(0, ftyp.end), front, free, head.subarray(ftyp.end), isHeadOpen ? tail : new Uint8Array(0)]),
    );
  }

  /** The muxer goes back to the head, for the size of the media data, and inside the index, for the sizes of boxes. */
  #patch(bytes: Uint8Array): void {
    const isInTrailer = this.#trailer !== undefined && this.#position >= this.#trailerStart;
    if (isInTrailer) this.#trailer?.patch(this.#position - this.#trailerStart, bytes);
    else this.#parts.head.patch(this.#position, bytes);
  }
}

/** The index as the muxer wrote it, with what it does not write. */
function finalIndex(plain: Uint8Array, { compositionShift, hasCleanAperture }: IndexSettings): Uint8Array {
  const shifted = compositionShift === undefined ? plain : withCompositionShift(plain, compositionShift);
  return hasCleanAperture === true ? withCleanAperture(Buffer.from(shifted)) : shifted;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
