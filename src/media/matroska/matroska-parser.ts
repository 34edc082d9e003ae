import { ClusterParser, NEEDS_MORE } from './cluster-parser.ts';
import { BLOCK_HEAD_BYTES } from './block-head.ts';
import { ElementCursor } from './element-cursor.ts';
import { type ElementHead, readHead, UNKNOWN_SIZE } from './element-head.ts';
import { ELEMENT } from './element-ids.ts';
import { FragmentBuilder, TagGatherer } from './fragment-builder.ts';
import { invalid, MatroskaError } from './matroska-error.ts';
import { DEFAULT_MATROSKA_LIMITS, type MatroskaEvent, type MatroskaLimits } from './matroska-events.ts';
import { OPEN_SEGMENT } from './matroska-writer.ts';
import { PieceList } from './piece-list.ts';
import { type MatroskaHeader, readEbmlHeader, readHeader } from './read-header.ts';
import { checkTagNames, END_OF_FRAGMENT_TAG, parseTags } from './tags.ts';

/** Id, size, and what is read of a content at once with them: never more. */
const LONGEST_HEAD = 8 + 8 + BLOCK_HEAD_BYTES;
const NOTHING: Buffer = Buffer.alloc(0);

/** What may come next outside the Segment. */
type Outside = 'ebml' | 'segment' | 'nothing';

/** The fragment at hand. */
interface Current {
  readonly fragment: FragmentBuilder;
  readonly parser: ClusterParser;
}

/**
 * Splits a producer's Matroska stream into its header and its fragments, as the bytes come. It holds the header or one
 * fragment at most, bounded by the limits, and copies no payload.
 *
 * A refusal is the last event (`error`), after the fragments that came before it; from then on nothing is taken.
 * Tags that follow a Cluster belong to that Cluster's fragment, until the end-of-fragment tag.
 */
export class MatroskaParser {
  readonly limits: MatroskaLimits;
  #events: MatroskaEvent[] = [];
  #isOver = false;

  /** Bytes of the stream that were taken. */
  #position = 0;
  #outside: Outside = 'ebml';
  /** Where the Segment ends; undefined outside it. */
  #segmentEnd: number | undefined;
  #maxIdLength = 4;
  #maxSizeLength = 8;
  readonly #head: ElementHead = { id: 0, size: 0, length: 0 };

  /** The beginning of an element's head that the last chunk cut off. */
  #carry = NOTHING;
  /** Bytes of the content at hand that are still to come, and where they go: undefined lets them fall. */
  #remaining = 0;
  #sink: PieceList | undefined;
  /** What to do with the element in the sink when it is whole. */
  #onWhole: ((element: Buffer) => void) | undefined;

  #headerPieces = new PieceList();
  #header: MatroskaHeader | undefined;
  #current: Current | undefined;
  #tags = new TagGatherer();
  #previousTimecode: number | undefined;

  constructor(limits: Partial<MatroskaLimits> = {}) {
    this.limits = { ...DEFAULT_MATROSKA_LIMITS, ...limits };
  }

  /** Takes the next bytes. The parser keeps views of the chunk: it must not change afterwards. */
  push(chunk: Buffer): MatroskaEvent[] {
    return this.#run(() => this.#take(chunk));
  }

  /**
   * True when the fragment at hand has all of its Cluster (its size was known, or another element followed), so that
   * only tags can still be added to it, and no such element has begun.
   */
  get hasWholeCluster(): boolean {
    const isBetweenElements = this.#remaining === 0 && this.#carry.length === 0;
    return !this.#isOver && isBetweenElements && this.#current?.parser.isClosed === true;
  }

  /**
   * Gives out the fragment at hand without waiting for the next Cluster, if `hasWholeCluster`: for producers that pause
   * between fragments and write no end-of-fragment tag. Tags that come later belong to the next fragment.
   */
  closeFragment(): MatroskaEvent[] {
    return this.hasWholeCluster ? this.#run(() => this.#finishFragment()) : [];
  }

  /**
   * The body has ended in good order. A Cluster of unknown size is whole when the body ends between two of its
   * elements; a body that ends within an element is refused (INVALID_MKV_DATA) after the fragments that were whole.
   */
  end(): MatroskaEvent[] {
    const events = this.#run(() => {
      const isCutOff = this.#remaining > 0 || this.#carry.length > 0;
      const cluster = this.#current?.parser;
      const isWhole = cluster?.isClosed === true || (cluster?.mayEndHere === true && !isCutOff);
      if (isWhole) this.#finishFragment();
      if (isCutOff || this.#current !== undefined) throw invalid('The stream ends in the middle of an element.');
    });
    this.#isOver = true;
    return events;
  }

  /** The connection broke: gives out the fragment at hand only if its Cluster is surely whole. */
  abort(): MatroskaEvent[] {
    const events = this.#run(() => {
      if (this.#current?.parser.isClosed === true) this.#finishFragment();
    });
    this.#isOver = true;
    this.#release();
    return events;
  }

  #run(work: () => void): MatroskaEvent[] {
    if (this.#isOver) return [];
    const events: MatroskaEvent[] = [];
    this.#events = events;
    try {
      work();
    } catch (cause) {
      if (!(cause instanceof MatroskaError)) throw cause;
      this.#isOver = true;
      const error = new MatroskaError(cause.fault, cause.message, this.#current?.fragment.timecodeMs);
      events.push({ type: 'error', error });
      this.#release();
    }
    return events;
  }

  /** Lets go of what was gathered. */
  #release(): void {
    this.#current = undefined;
    this.#carry = NOTHING;
    this.#sink = undefined;
    this.#onWhole = undefined;
    this.#tags = new TagGatherer();
    this.#headerPieces = new PieceList();
  }

  #take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#remaining > 0) at = this.#takeContent(chunk, at);
      else if (this.#carry.length > 0) at = this.#takeCarried(chunk);
      else {
        const next = this.#takeElement(chunk, at);
        if (next === NEEDS_MORE) {
          this.#carry = Buffer.from(chunk.subarray(at));
          return;
        }
        at = next;
      }
    }
  }

  #takeContent(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    this.#sink?.append(chunk, at, end);
    this.#remaining -= end - at;
    this.#position += end - at;
    if (this.#remaining === 0) this.#finishContent();
    return end;
  }

  /** The head that the last chunk cut off goes on at the front of this one. */
  #takeCarried(chunk: Buffer): number {
    const carried = this.#carry.length;
    const window = Buffer.concat([this.#carry, chunk.subarray(0, LONGEST_HEAD)]);
    const next = this.#takeElement(window, 0);
    if (next === NEEDS_MORE) {
      this.#carry = window;
      return chunk.length;
    }
    this.#carry = NOTHING;
    return next - carried;
  }

  /** Takes an element's head, and of its content what must be known. Returns where to go on, or NEEDS_MORE. */
  #takeElement(bytes: Buffer, at: number): number {
    const head = this.#head;
    if (!readHead(bytes, at, bytes.length, head, this.#maxIdLength, this.#maxSizeLength)) return NEEDS_MORE;
    const cluster = this.#current?.parser;
    cluster?.closeBefore(head.id);
    if (cluster?.isClosed === false) return this.#takeInCluster(cluster, bytes, at);
    if (this.#segmentEnd === undefined) this.#takeOutside(bytes, at);
    else this.#takeInSegment(bytes, at, this.#segmentEnd);
    this.#position += head.length;
    if (this.#remaining === 0) this.#finishContent();
    return at + head.length;
  }

  #takeInCluster(cluster: ClusterParser, bytes: Buffer, at: number): number {
    const next = cluster.take(this.#head, bytes, at, this.#position);
    if (next === NEEDS_MORE) return NEEDS_MORE;
    this.#position += next - at;
    this.#remaining = cluster.contentBytes;
    this.#sink = this.#current?.fragment.pieces;
    if (this.#remaining === 0) this.#finishContent();
    return next;
  }

  #finishContent(): void {
    const sink = this.#sink;
    const onWhole = this.#onWhole;
    this.#sink = undefined;
    this.#onWhole = undefined;
    if (sink !== undefined) onWhole?.(sink.join());
    this.#current?.parser.settle(this.#position);
    if (this.#position === this.#segmentEnd) this.#segmentEnd = undefined;
  }

  #takeOutside(bytes: Buffer, at: number): void {
    const { id, size } = this.#head;
    if (id === ELEMENT.ebml && this.#outside === 'ebml') {
      this.#outside = 'segment';
      this.#gather(bytes, at, (element) => this.#takeEbmlHeader(element));
    } else if (id === ELEMENT.segment && this.#outside === 'segment') {
      this.#outside = 'nothing';
      this.#headerPieces.append(OPEN_SEGMENT, 0, OPEN_SEGMENT.length);
      const start = this.#position + this.#head.length;
      this.#segmentEnd = size === UNKNOWN_SIZE ? Number.POSITIVE_INFINITY : start + size;
    } else if (id === ELEMENT.void && this.#outside !== 'ebml') this.#skip();
    else this.#refuse(OUTSIDE_PROBLEMS[this.#outside]);
  }

  #takeEbmlHeader(element: Buffer): void {
    const cursor = new ElementCursor(element);
    cursor.next();
    const lengths = readEbmlHeader(cursor.children());
    this.#maxIdLength = lengths.id;
    this.#maxSizeLength = lengths.size;
    this.#headerPieces.append(element, 0, element.length);
  }

  #takeInSegment(bytes: Buffer, at: number, segmentEnd: number): void {
    const { id, size, length } = this.#head;
    const end = size === UNKNOWN_SIZE ? segmentEnd : this.#position + length + size;
    if (end > segmentEnd) throw invalid('An element is longer than the Segment.');
    switch (id) {
      case ELEMENT.cluster:
        this.#beginCluster(bytes, at, end);
        return;
      case ELEMENT.attachments:
      case ELEMENT.cues:
        this.#skip();
        return;
      case ELEMENT.ebml:
      case ELEMENT.segment:
        this.#refuse('A stream has one EBML header and one Segment.');
    }
    if (this.#header === undefined) this.#keepInHeader(bytes, at);
    else if (id === ELEMENT.tags) {
      this.#tags.checkRoom(length + size);
      this.#gather(bytes, at, (element) => this.#takeTags(element));
    } else if (SKIPPED_BETWEEN_CLUSTERS.has(id)) this.#skip();
    else this.#refuse('An element stands after the first Cluster that may not.');
  }

  /** Refuses an element that may not stand here. The fragment before it is whole: it stands. */
  #refuse(message: string): never {
    if (this.#current !== undefined) this.#finishFragment();
    throw invalid(message);
  }

  #skip(): void {
    this.#sink = undefined;
    this.#remaining = this.#knownSize();
  }

  /** Gathers the element at hand, to be handed over whole. Its length was bounded, or the header's bound holds. */
  #gather(bytes: Buffer, at: number, onWhole: (element: Buffer) => void): void {
    this.#remaining = this.#knownSize();
    this.#checkHeaderRoom(this.#remaining);
    this.#sink = new PieceList();
    this.#sink.append(bytes, at, at + this.#head.length);
    this.#onWhole = onWhole;
  }

  #keepInHeader(bytes: Buffer, at: number): void {
    this.#remaining = this.#knownSize();
    this.#checkHeaderRoom(this.#head.length + this.#remaining);
    this.#sink = this.#headerPieces;
    this.#sink.append(bytes, at, at + this.#head.length);
  }

  #knownSize(): number {
    if (this.#head.size === UNKNOWN_SIZE) throw invalid('An element has no size.');
    return this.#head.size;
  }

  #checkHeaderRoom(bytes: number): void {
    if (this.#headerPieces.bytes + bytes <= this.limits.headerBytes) return;
    throw invalid(`What stands before the first Cluster may have ${this.limits.headerBytes} bytes.`);
  }

  #beginCluster(bytes: Buffer, at: number, end: number): void {
    this.#header ??= this.#finishHeader();
    if (this.#current !== undefined) this.#finishFragment();
    const { tracks, timecodeScale } = this.#header;
    const fragment = new FragmentBuilder(tracks, timecodeScale, this.limits);
    const place = { end, isOpen: this.#head.size === UNKNOWN_SIZE };
    const parser = new ClusterParser(fragment, place, (timecode) => {
      fragment.setTimecode(timecode, this.#previousTimecode);
      this.#previousTimecode = timecode;
      this.#events.push({ type: 'cluster-start', timecodeMs: fragment.timecodeMs ?? 0 });
    });
    this.#current = { fragment, parser };
    if (!place.isOpen) fragment.checkRoom(this.#head.length + this.#head.size);
    fragment.pieces.append(bytes, at, at + this.#head.length);
  }

  #finishHeader(): MatroskaHeader {
    const header = readHeader(this.#headerPieces.join(), checkTagNames);
    this.#headerPieces = new PieceList();
    if (header.tracks.length > this.limits.tracks) {
      const text = `A stream may have ${this.limits.tracks} tracks.`;
      throw new MatroskaError('MORE_THAN_ALLOWED_TRACKS_FOUND', text);
    }
    this.#events.push({ type: 'header', ...header });
    return header;
  }

  #takeTags(element: Buffer): void {
    const cursor = new ElementCursor(element);
    cursor.next();
    const tags = parseTags(cursor.children());
    const hasEnd = tags.general.some(({ name }) => name === END_OF_FRAGMENT_TAG);
    // The fragment that it ends was already given out by closeFragment: nothing is left to end.
    if (hasEnd && this.#current === undefined && tags.general.length === 1) return;
    this.#tags.add(element, tags, this.limits);
    if (hasEnd && this.#current !== undefined) this.#finishFragment();
  }

  #finishFragment(): void {
    const event = this.#current?.fragment.finish(this.#tags);
    this.#current = undefined;
    this.#tags = new TagGatherer();
    if (event !== undefined) this.#events.push(event);
  }
}

const OUTSIDE_PROBLEMS: Readonly<Record<Outside, string>> = {
  ebml: 'The stream does not begin with an EBML header.',
  segment: 'No Segment follows the EBML header.',
  nothing: 'A stream has one EBML header and one Segment, and nothing after it.',
};

/** They have no meaning for fragments, or one that no longer holds. */
const SKIPPED_BETWEEN_CLUSTERS: ReadonlySet<number> = new Set([
  ELEMENT.void,
  ELEMENT.crc32,
  ELEMENT.seekHead,
  ELEMENT.chapters,
]);
