import { BLOCK_HEAD_BYTES, type BlockHead, readBlockHead } from './block-head.ts';
import { readUnsigned } from './element-cursor.ts';
import { type ElementHead, UNKNOWN_SIZE } from './element-head.ts';
import { ELEMENT, isAboveCluster } from './element-ids.ts';
import type { FragmentBuilder } from './fragment-builder.ts';
import { invalid } from './matroska-error.ts';

/** The bytes at hand do not hold all that must be read at once. */
export const NEEDS_MORE = -1;
const LONGEST_NUMBER = 8;

/** Where a Cluster lies, in bytes from the stream's beginning. */
export interface ClusterPlace {
  /** The first byte behind it that it cannot take: its own end, or the Segment's. */
  readonly end: number;
  /** True when its size is unknown: then an element that cannot lie in it ends it. */
  readonly isOpen: boolean;
}

interface Group {
  readonly end: number;
  hasBlock: boolean;
  duration: number | undefined;
  refersToOthers: boolean;
}

/** Takes a Cluster's elements one after the other, and reads no more of them than their heads. */
export class ClusterParser {
  readonly #fragment: FragmentBuilder;
  readonly #place: ClusterPlace;
  readonly #onTimecode: (timecode: number) => void;
  #isClosed = false;
  #group: Group | undefined;
  #contentBytes = 0;
  readonly #block: BlockHead = {
    track: 0,
    relativeTimecode: 0,
    isKeyframe: false,
    lacing: 0,
    frames: 0,
    length: 0,
  };

  /** @param onTimecode told once, in units of the timecode scale */
  constructor(fragment: FragmentBuilder, place: ClusterPlace, onTimecode: (timecode: number) => void) {
    this.#fragment = fragment;
    this.#place = place;
    this.#onTimecode = onTimecode;
  }

  /** True when all of it came. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True when it may be taken for whole if the stream ends here, between two elements. */
  get mayEndHere(): boolean {
    return this.#isClosed || (this.#place.isOpen && this.#group === undefined);
  }

  /** Bytes of the last element's content that `take` left. They belong to the fragment. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** Ends a Cluster of unknown size if the next element cannot lie in it. */
  closeBefore(id: number): void {
    if (this.mayEndHere && isAboveCluster(id)) this.#isClosed = true;
  }

  /**
   * Takes an element's head, and of its content what must be known.
   *
   * @param at where it begins in `bytes`
   * @param position where it begins in the stream
   * @returns where in `bytes` to go on, or NEEDS_MORE
   * @throws MatroskaError
   */
  take(head: ElementHead, bytes: Buffer, at: number, position: number): number {
    const { id, size } = head;
    if (size === UNKNOWN_SIZE) throw invalid('An element in a Cluster has no size.');
    const dataStart = at + head.length;
    const total = head.length + size;
    if (position + total > (this.#group?.end ?? this.#place.end)) {
      throw invalid('An element is longer than the element that it lies in.');
    }
    this.#fragment.checkRoom(total);
    const next =
      this.#group === undefined
        ? this.#takeChild(id, size, bytes, dataStart)
        : this.#takeInGroup(id, size, bytes, dataStart);
    if (next === NEEDS_MORE) return NEEDS_MORE;
    if (id === ELEMENT.blockGroup) this.#group = newGroup(position + total);
    this.#contentBytes = id === ELEMENT.blockGroup ? 0 : size - (next - dataStart);
    this.#fragment.pieces.append(bytes, at, next);
    return next;
  }

  /** Ends what ends at this position of the stream. */
  settle(position: number): void {
    if (this.#group?.end === position) {
      this.#finishGroup(this.#group);
      this.#group = undefined;
    }
    if (this.#place.end === position) this.#isClosed = true;
  }

  #takeChild(id: number, size: number, bytes: Buffer, dataStart: number): number {
    switch (id) {
      case ELEMENT.simpleBlock:
      case ELEMENT.blockGroup:
        if (this.#fragment.timecode === undefined) throw invalid('A Cluster has a block before its timecode.');
        return id === ELEMENT.blockGroup ? dataStart : this.#takeSimpleBlock(bytes, dataStart, size);
      case ELEMENT.timecode: {
        const end = dataStart + numberLength(size);
        if (end > bytes.length) return NEEDS_MORE;
        this.#onTimecode(readUnsigned(bytes, dataStart, end));
        return end;
      }
      default:
        if (isAboveCluster(id)) throw invalid('An element lies in a Cluster that cannot.');
        return dataStart;
    }
  }

  #takeSimpleBlock(bytes: Buffer, dataStart: number, size: number): number {
    const next = this.#readBlock(bytes, dataStart, size);
    if (next === NEEDS_MORE) return next;
    const { track, relativeTimecode, frames, isKeyframe } = this.#block;
    this.#fragment.addBlock({ track, relativeTimecode, frames, isKeyframe, duration: undefined });
    return next;
  }

  #takeInGroup(id: number, size: number, bytes: Buffer, dataStart: number): number {
    const group = this.#group;
    if (group === undefined) return dataStart;
    switch (id) {
      case ELEMENT.block: {
        if (group.hasBlock) throw invalid('A BlockGroup has more than one block.');
        const next = this.#readBlock(bytes, dataStart, size);
        group.hasBlock = next !== NEEDS_MORE;
        return next;
      }
      case ELEMENT.blockDuration: {
        const end = dataStart + numberLength(size);
        if (end > bytes.length) return NEEDS_MORE;
        group.duration = readUnsigned(bytes, dataStart, end);
        return end;
      }
      case ELEMENT.referenceBlock:
        group.refersToOthers = true;
        return dataStart;
      default:
        if (isAboveCluster(id)) throw invalid('An element lies in a BlockGroup that cannot.');
        return dataStart;
    }
  }

  #readBlock(bytes: Buffer, dataStart: number, size: number): number {
    const needed = dataStart + Math.min(size, BLOCK_HEAD_BYTES);
    if (needed > bytes.length) return NEEDS_MORE;
    readBlockHead(bytes, dataStart, dataStart + size, this.#block);
    return needed;
  }

  #finishGroup({ hasBlock, duration, refersToOthers }: Group): void {
    if (!hasBlock) throw invalid('A BlockGroup has no block.');
    const { track, relativeTimecode, frames } = this.#block;
    this.#fragment.addBlock({ track, relativeTimecode, frames, isKeyframe: !refersToOthers, duration });
  }
}

function newGroup(end: number): Group {
  return { end, hasBlock: false, duration: undefined, refersToOthers: false };
}

function numberLength(size: number): number {
  if (size > LONGEST_NUMBER) throw invalid('A number has a length that is not allowed.');
  return size;
}
