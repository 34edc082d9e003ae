import { type BlockHead, readBlockHead } from './block-head.ts';
import { ElementCursor } from './element-cursor.ts';
import { ELEMENT } from './element-ids.ts';
import { invalid, MatroskaError } from './matroska-error.ts';
import { laceSizes } from './lacing.ts';
import type { Track } from './tracks.ts';

/** One frame of a Cluster. */
export interface Frame {
  /** The track's number. */
  readonly track: number;
  /** When it is shown, in milliseconds since the stream's zero (the Cluster's timecode included); may have a fraction. */
  readonly timecodeMs: number;
  /** Where the block or the track says it. */
  readonly durationMs?: number;
  readonly isKeyframe: boolean;
  /** A view of the Cluster's bytes, or a copy where the track's frames lack their first bytes (header stripping). */
  readonly payload: Buffer;
}

const NANOSECONDS = 1_000_000;

/**
 * The frames of one whole Cluster, in the order of the stream (decoding order), laces taken apart.
 *
 * @param cluster the Cluster element, its id and size included
 * @param timecodeScale nanoseconds of one unit of the timecodes
 * @throws MatroskaError INVALID_MKV_DATA, TRACK_NUMBER_MISMATCH
 */
export function readFrames(cluster: Buffer, tracks: readonly Track[], timecodeScale: number): Frame[] {
  const outer = new ElementCursor(cluster);
  if (!outer.next(true) || outer.id !== ELEMENT.cluster) throw invalid('This is not a Cluster.');
  return new FrameReader(tracks, timecodeScale / NANOSECONDS).read(outer.children());
}

class FrameReader {
  readonly #tracks: ReadonlyMap<number, Track>;
  /** Milliseconds of one unit. */
  readonly #unit: number;
  readonly #frames: Frame[] = [];
  #timecode: number | undefined;
  readonly #head: BlockHead = { track: 0, relativeTimecode: 0, isKeyframe: false, lacing: 0, frames: 0, length: 0 };

  constructor(tracks: readonly Track[], unit: number) {
    this.#tracks = new Map(tracks.map((track) => [track.number, track]));
    this.#unit = unit;
  }

  read(elements: ElementCursor): Frame[] {
    while (elements.next()) {
      if (elements.id === ELEMENT.timecode) this.#timecode = elements.unsigned();
      else if (elements.id === ELEMENT.simpleBlock) {
        readBlockHead(elements.bytes, elements.dataStart, elements.dataEnd, this.#head);
        this.#addBlock(elements.bytes, elements.dataStart, elements.dataEnd, this.#head.isKeyframe, undefined);
      } else if (elements.id === ELEMENT.blockGroup) this.#addGroup(elements.children());
    }
    return this.#frames;
  }

  #addGroup(group: ElementCursor): void {
    let start: number | undefined;
    let end = 0;
    let duration: number | undefined;
    let isKeyframe = true;
    while (group.next()) {
      if (group.id === ELEMENT.block) {
        start = group.dataStart;
        end = group.dataEnd;
      } else if (group.id === ELEMENT.blockDuration) duration = group.unsigned() * this.#unit;
      else if (group.id === ELEMENT.referenceBlock) isKeyframe = false;
    }
    if (start === undefined) throw invalid('A BlockGroup has no block.');
    this.#addBlock(group.bytes, start, end, isKeyframe, duration);
  }

  #addBlock(bytes: Buffer, start: number, end: number, isKeyframe: boolean, blockDurationMs: number | undefined): void {
    const head = this.#head;
    readBlockHead(bytes, start, end, head);
    const track = this.#tracks.get(head.track);
    if (track === undefined) throw new MatroskaError('TRACK_NUMBER_MISMATCH', 'A block belongs to no listed track.');
    if (this.#timecode === undefined) throw invalid('A Cluster has a block before its timecode.');
    const timecodeMs = (this.#timecode + head.relativeTimecode) * this.#unit;
    const durationMs = frameDuration(track, blockDurationMs, head.frames);
    let at = start + head.length;
    const sizes = laceSizes(bytes, at, end, head);
    at = end - sizes.reduce((sum, size) => sum + size, 0);
    for (const [index, size] of sizes.entries()) {
      this.#frames.push({
        track: head.track,
        // Without a duration the frames of a lace cannot be told apart in time.
        timecodeMs: timecodeMs + index * (durationMs ?? 0),
        ...(durationMs === undefined ? {} : { durationMs }),
        isKeyframe,
        payload: restore(track, bytes.subarray(at, at + size)),
      });
      at += size;
    }
  }
}

function frameDuration(track: Track, blockDurationMs: number | undefined, frames: number): number | undefined {
  if (blockDurationMs !== undefined) return blockDurationMs / frames;
  return track.defaultDurationNs === undefined ? undefined : track.defaultDurationNs / NANOSECONDS;
}

function restore({ contentEncoding }: Track, payload: Buffer): Buffer {
  return contentEncoding?.kind === 'header-stripping' ? Buffer.concat([contentEncoding.header, payload]) : payload;
}
