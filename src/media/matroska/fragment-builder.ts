import { MatroskaError, invalid } from './matroska-error.ts';
import type { FragmentEvent, MatroskaLimits } from './matroska-events.ts';
import { PieceList } from './piece-list.ts';
import {
  checkTagLengths,
  checkTagNames,
  END_OF_FRAGMENT_TAG,
  isControlTag,
  type ParsedTags,
  type SimpleTag,
} from './tags.ts';
import type { Track } from './tracks.ts';

/** More bytes of Tags than any allowed number of tags needs. */
const MAXIMUM_TAG_BYTES = 64 * 1024;
const NANOSECONDS = 1_000_000;

/** The producer's tags for a fragment, as they gather. */
export class TagGatherer {
  readonly pieces: PieceList = new PieceList();
  readonly simpleTags: SimpleTag[] = [];
  #counted = 0;

  /** @throws MatroskaError FRAGMENT_METADATA_LIMIT_REACHED */
  checkRoom(bytes: number): void {
    if (this.pieces.bytes + bytes <= MAXIMUM_TAG_BYTES) return;
    throw new MatroskaError('FRAGMENT_METADATA_LIMIT_REACHED', 'The tags of a fragment are too long.');
  }

  /** @throws MatroskaError FRAGMENT_METADATA_LIMIT_REACHED, INVALID_MKV_DATA */
  add(element: Buffer, tags: ParsedTags, limits: MatroskaLimits): void {
    checkTagNames(tags);
    checkTagLengths(tags.general, limits);
    this.pieces.append(element, 0, element.length);
    for (const tag of tags.general) {
      this.simpleTags.push(tag);
      if (!isControlTag(tag.name)) this.#counted += 1;
    }
    if (this.#counted <= limits.tagsPerFragment) return;
    const text = `A fragment may have ${limits.tagsPerFragment} tags.`;
    throw new MatroskaError('FRAGMENT_METADATA_LIMIT_REACHED', text);
  }
}

interface TrackTally {
  readonly track: Track;
  frames: number;
  startsWithKeyframe: boolean;
  /** Units of the timecode scale from the Cluster's timecode, of the earliest and the latest block. */
  earliest: number;
  latest: number;
  /** Frames in the latest block. */
  latestFrames: number;
  /** Units that the latest block lasts, where it says so. */
  latestDuration: number | undefined;
}

/** One block, as far as its head tells. */
export interface BlockFacts {
  readonly track: number;
  /** Units of the timecode scale from the Cluster's timecode. */
  readonly relativeTimecode: number;
  readonly frames: number;
  readonly isKeyframe: boolean;
  /** Units of the timecode scale. */
  readonly duration: number | undefined;
}

/** A fragment as it gathers: the bytes of its Cluster, and what its blocks tell. */
export class FragmentBuilder {
  readonly pieces: PieceList = new PieceList();
  readonly #limits: MatroskaLimits;
  readonly #timecodeScale: number;
  readonly #tallies: readonly TrackTally[];
  #timecode: number | undefined;

  constructor(tracks: readonly Track[], timecodeScale: number, limits: MatroskaLimits) {
    this.#limits = limits;
    this.#timecodeScale = timecodeScale;
    this.#tallies = tracks.map((track) => ({
      track,
      frames: 0,
      startsWithKeyframe: false,
      earliest: 0,
      latest: 0,
      latestFrames: 0,
      latestDuration: undefined,
    }));
  }

  /** In units of the timecode scale; undefined until the Cluster told. */
  get timecode(): number | undefined {
    return this.#timecode;
  }

  get timecodeMs(): number | undefined {
    return this.#timecode === undefined ? undefined : Math.round(this.#milliseconds(this.#timecode));
  }

  /** @throws MatroskaError INVALID_MKV_DATA for a second timecode, FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS */
  setTimecode(timecode: number, previous: number | undefined): void {
    if (this.#timecode !== undefined) throw invalid('A Cluster has more than one timecode.');
    this.#timecode = timecode;
    if (previous !== undefined && timecode <= previous) {
      const text = 'The timecode of a Cluster is not greater than that of the one before it.';
      throw new MatroskaError('FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS', text);
    }
  }

  /** @throws MatroskaError MAX_FRAGMENT_SIZE_REACHED when this many more bytes would be too many */
  checkRoom(bytes: number): void {
    if (this.pieces.bytes + bytes <= this.#limits.fragmentBytes) return;
    const text = `A fragment may have ${this.#limits.fragmentBytes} bytes.`;
    throw new MatroskaError('MAX_FRAGMENT_SIZE_REACHED', text);
  }

  /** @throws MatroskaError TRACK_NUMBER_MISMATCH, MAX_FRAGMENT_DURATION_REACHED */
  addBlock(block: BlockFacts): void {
    const tally = this.#tallyOf(block.track);
    const { relativeTimecode } = block;
    if (this.#milliseconds(relativeTimecode) > this.#limits.fragmentMs) {
      const text = `A fragment may last ${this.#limits.fragmentMs} ms.`;
      throw new MatroskaError('MAX_FRAGMENT_DURATION_REACHED', text);
    }
    if (tally.frames === 0) tally.startsWithKeyframe = block.isKeyframe;
    if (tally.frames === 0 || relativeTimecode < tally.earliest) tally.earliest = relativeTimecode;
    if (tally.frames === 0 || relativeTimecode >= tally.latest) {
      tally.latest = relativeTimecode;
      tally.latestFrames = block.frames;
      tally.latestDuration = block.duration;
    }
    tally.frames += block.frames;
  }

  #tallyOf(number: number): TrackTally {
    for (const tally of this.#tallies) if (tally.track.number === number) return tally;
    throw new MatroskaError('TRACK_NUMBER_MISMATCH', 'A block belongs to a track that Tracks does not list.');
  }

  /**
   * The whole fragment.
   *
   * @throws MatroskaError INVALID_MKV_DATA without a timecode, FRAMES_MISSING_FOR_TRACK
   */
  finish(tags: TagGatherer): FragmentEvent {
    const { timecodeMs } = this;
    if (timecodeMs === undefined) throw invalid('A Cluster has no timecode.');
    if (this.#tallies.some(({ frames }) => frames === 0)) {
      throw new MatroskaError('FRAMES_MISSING_FOR_TRACK', 'A fragment has no frame of one of its tracks.');
    }
    return {
      type: 'fragment',
      timecodeMs,
      cluster: this.pieces.pieces(),
      clusterBytes: this.pieces.bytes,
      tags: tags.pieces.pieces(),
      tagBytes: tags.pieces.bytes,
      simpleTags: tags.simpleTags,
      hasEndOfFragment: tags.simpleTags.some(({ name }) => name === END_OF_FRAGMENT_TAG),
      durationMs: Math.max(0, ...this.#tallies.map((tally) => Math.round(this.#endMs(tally)))),
      trackNumbers: this.#tallies.map(({ track }) => track.number),
      frames: this.#tallies.reduce((sum, { frames }) => sum + frames, 0),
      startsWithKeyframe: this.#tallies.every((tally) => tally.track.type !== 'video' || tally.startsWithKeyframe),
    };
  }

  /** Where a track's last frame ends, from the Cluster's timecode. */
  #endMs({ track, frames, earliest, latest, latestFrames, latestDuration }: TrackTally): number {
    const start = this.#milliseconds(latest);
    if (latestDuration !== undefined) return start + this.#milliseconds(latestDuration);
    if (track.defaultDurationNs !== undefined) return start + (track.defaultDurationNs * latestFrames) / NANOSECONDS;
    // Nobody says how long the last frame lasts: as long as the others did.
    const others = frames - latestFrames;
    return others === 0 ? start : start + (this.#milliseconds(latest - earliest) / others) * latestFrames;
  }

  #milliseconds(units: number): number {
    return (units * this.#timecodeScale) / NANOSECONDS;
  }
}
