import { ReorderBuffer } from '../rtp/reorder-buffer.ts';
import type { PacketSink } from './leg.ts';

/** Packets that may wait behind a gap: 15 s of 10 Mb/s. */
const CAPACITY = 16_384;
/** Packets of which it is known which source gave them. */
const HISTORY = 32_768;
/** A source that gave so many later packets will not give an earlier one any more. */
const REORDERED_PACKETS = 32;

const DELIVERED = 0x80;
/** Shifts of the marks of a source: gave it, and passed it by while nobody had given it. */
const OWED_SHIFT = 3;

export interface MergeOptions {
  /** Milliseconds that a packet which is missing may still come, of either source. */
  readonly windowMs: number;
  readonly sink: PacketSink;
}

export interface MergeSource {
  /** Packets that this source did not give, and another did. */
  readonly recovered: number;
}

/**
 * Makes one stream of identical RTP streams by their sequence numbers (SMPTE ST 2022-7): each packet is delivered once,
 * in order, whichever source gave it. Nothing is delayed but behind a gap, for at most the window. When all sources begin
 * anew at other numbers, they are followed.
 *
 * Memory is fixed but for the payloads that wait, which are at most 16,384.
 */
export class MergeBuffer {
  readonly #buffer: ReorderBuffer;
  readonly #marks = new Uint8Array(HISTORY);
  readonly #sources = [newSource(), newSource(), newSource()];
  #markedTo = 0;
  #restarts = 0;
  #packets = 0;

  constructor({ windowMs, sink }: MergeOptions) {
    this.#buffer = new ReorderBuffer(
      {
        capacity: CAPACITY,
        windowMs,
        release: 'in-order',
        maxJump: CAPACITY,
        maxLateness: CAPACITY,
        // One source that sends other numbers than the other must not drag the stream away.
        needsPause: true,
        // The source that lags repeats what the other gave for this long, after the other stopped.
        lateRestartMs: windowMs + 500,
      },
      (payload, sequence) => {
        this.#packets++;
        sink.packet(payload, sequence);
      },
    );
  }

  /** Packets that were delivered. */
  get packets(): number {
    return this.#packets;
  }

  /** Packets that no source gave in time. */
  get lost(): number {
    return this.#buffer.lost;
  }

  /** Packets that were of no use: mostly those that the other source had given. */
  get duplicates(): number {
    return this.#buffer.dropped;
  }

  get sources(): readonly MergeSource[] {
    return this.#sources;
  }

  /** When `tick` has something to do; infinity while no gap is open. */
  get deadline(): number {
    return this.#buffer.deadline;
  }

  /** @param source 0, 1 or 2 */
  packet(source: number, payload: Buffer, sequence: number, now: number): void {
    const result = this.#buffer.add(payload, sequence, now);
    if (result === 'stray') return;
    if (this.#buffer.restarts !== this.#restarts) this.#forget();
    const { position, end } = this.#buffer;
    this.#clearUpTo(end);
    if (position < end - HISTORY) return;
    this.#mark(source, position, result !== 'late');
    this.#settle(source, position);
  }

  tick(now: number): void {
    this.#buffer.tick(now);
  }

  #mark(source: number, position: number, isTaken: boolean): void {
    const slot = position & (HISTORY - 1);
    const marks = this.#marks[slot] ?? 0;
    this.#marks[slot] = marks | (1 << source) | (isTaken ? DELIVERED : 0);
    if (!isTaken) return;
    for (const [index, other] of this.#sources.entries()) {
      if ((marks & (1 << (index + OWED_SHIFT))) !== 0 && index !== source) other.recovered++;
    }
  }

  /** Decides for packets that the source will not give any more whether another one stood in. */
  #settle(source: number, position: number): void {
    const state = this.#sources[source];
    if (state === undefined) return;
    if (state.newest < 0) state.settled = position;
    state.newest = Math.max(state.newest, position);
    state.settled = Math.max(state.settled, this.#markedTo - HISTORY);
    for (; state.settled <= state.newest - REORDERED_PACKETS; state.settled++) {
      const slot = state.settled & (HISTORY - 1);
      const marks = this.#marks[slot] ?? 0;
      if ((marks & (1 << source)) !== 0) continue;
      if ((marks & DELIVERED) !== 0) state.recovered++;
      else this.#marks[slot] = marks | (1 << (source + OWED_SHIFT));
    }
  }

  #clearUpTo(end: number): void {
    if (end - this.#markedTo >= HISTORY) this.#markedTo = end - HISTORY;
    for (; this.#markedTo < end; this.#markedTo++) this.#marks[this.#markedTo & (HISTORY - 1)] = 0;
  }

  #forget(): void {
    this.#restarts = this.#buffer.restarts;
    this.#marks.fill(0);
    for (const source of this.#sources) source.newest = -1;
  }
}

interface SourceState extends MergeSource {
  recovered: number;
  /** Positions; -1 before the first packet. */
  newest: number;
  /** The first one that is not decided. */
  settled: number;
}

function newSource(): SourceState {
  return { recovered: 0, newest: -1, settled: 0 };
}
