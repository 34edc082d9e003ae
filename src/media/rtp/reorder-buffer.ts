import { sequenceDifference } from './sequence-number.ts';

export interface ReorderOptions {
  /** Packets from the oldest open gap to the newest, at most: a power of two up to 32768. */
  readonly capacity: number;
  /** Milliseconds that a missing packet is waited for, from when a later one came. */
  readonly windowMs: number;
  /**
   * When packets are delivered: `in-order`, behind gaps only after those are closed; `on-arrival`, at once, each once;
   * `after-window`, in order, and all of them `windowMs` after they came, or should have come.
   */
  readonly release: 'in-order' | 'on-arrival' | 'after-window';
  /** A sequence number that is further ahead is another stream's. */
  readonly maxJump: number;
  /** One that is further behind is another stream's; those that are nearer are late. */
  readonly maxLateness: number;
  /** Whether another stream is taken up only when the present one has paused. */
  readonly needsPause: boolean;
  /** Milliseconds without a packet of use after which packets that look late are taken for a stream that began anew. */
  readonly lateRestartMs: number;
}

/**
 * What became of a packet: `next` extended the sequence, `filled` closed a gap; the others were not taken: `late` comes
 * after its turn or again, `stray` is far from the sequence.
 */
export type ReorderResult = 'next' | 'filled' | 'late' | 'stray';

const EMPTY = 0;
const MISSING = 1;
const HELD = 2;
const DELIVERED = 3;

/** Milliseconds without a packet of use that tell that a stream paused. */
const PAUSE_MS = 100;
/** Late packets in a row, each after the other, of a stream that began anew. */
const RESTART_RUN = 5;

/**
 * Puts packets in the order of their 16-bit sequence numbers, and counts those that never came. Positions are the
 * sequence numbers without their wrapping: each names one packet for as long as the stream runs.
 *
 * Memory is fixed but for the payloads that wait. A stream that begins anew at another number is followed.
 */
export class ReorderBuffer {
  /** Packets that did not come in time. */
  lost = 0;
  /** Packets that came too late, twice, or of another stream. */
  dropped = 0;
  /** Streams that began anew. */
  restarts = 0;
  /** Milliseconds that a missing packet is waited for. */
  windowMs: number;
  /** Packets that may come after a missing one before it is given up. */
  reach: number;

  /** The position of the first packet that was neither delivered in turn nor given up. */
  next = 0;
  /** One after the newest position that came. */
  end = 0;
  /** The position of the packet that was added last, if it was not `stray`. */
  position = 0;

  readonly #options: ReorderOptions;
  readonly #deliver: (payload: Buffer, sequence: number) => void;
  readonly #mask: number;
  readonly #states: Uint8Array;
  readonly #payloads: (Buffer | undefined)[];
  /** When a position was first known: its packet or a later one came. */
  readonly #times: Float64Array;

  #isStarted = false;
  #usefulAt = Number.NEGATIVE_INFINITY;
  #stray: Buffer | undefined;
  #straySequence = -1;
  #strayRun = 0;

  /** @param deliver an empty payload is counted and not delivered */
  constructor(options: ReorderOptions, deliver: (payload: Buffer, sequence: number) => void) {
    this.#options = options;
    this.#deliver = deliver;
    this.windowMs = options.windowMs;
    this.reach = options.capacity;
    this.#mask = options.capacity - 1;
    this.#states = new Uint8Array(options.capacity);
    this.#payloads = Array.from({ length: options.capacity }, () => undefined);
    this.#times = new Float64Array(options.capacity);
  }

  /** When `tick` has something to do. */
  get deadline(): number {
    if (this.next === this.end) return Number.POSITIVE_INFINITY;
    return (this.#times[this.next & this.#mask] ?? 0) + this.windowMs;
  }

  isMissing(position: number): boolean {
    return position >= this.next && position < this.end && this.#states[position & this.#mask] === MISSING;
  }

  /** The position that a sequence number near the newest packet means. */
  positionOf(sequence: number): number {
    const newest = this.end - 1;
    return newest + sequenceDifference(sequence, newest);
  }

  /** @param isRepeat whether the packet was sent again: then it tells of no other stream */
  add(payload: Buffer, sequence: number, now: number, isRepeat = false): ReorderResult {
    if (!this.#isStarted) this.#start(sequence);
    const position = this.positionOf(sequence);
    const { maxJump, maxLateness } = this.#options;
    if (position >= this.end + maxJump || position < this.next - maxLateness) {
      return isRepeat ? this.#drop('stray') : this.#takeStray(payload, sequence, now);
    }
    this.position = position;
    if (position < this.next) return isRepeat ? this.#drop('late') : this.#takeLate(payload, sequence, now);
    const result = this.#take(payload, position, now);
    if (result === 'late') return this.#drop('late');
    this.#usefulAt = now;
    this.#strayRun = 0;
    this.#stray = undefined;
    return result;
  }

  /** Gives up what was waited for long enough, and delivers what waited behind it. */
  tick(now: number): void {
    const isDelayed = this.#options.release === 'after-window';
    while (this.next < this.end) {
      const slot = this.next & this.#mask;
      const waits = this.#states[slot] === MISSING || (isDelayed && this.#states[slot] === HELD);
      if (waits && this.end - this.next <= this.reach && (this.#times[slot] ?? 0) + this.windowMs > now) return;
      this.#release();
    }
  }

  /** Delivers all that waits, and gives up what is missing. */
  flush(): void {
    while (this.next < this.end) this.#release();
  }

  /** Takes the next packet, whatever its number, for the beginning of another stream. */
  restart(): void {
    if (!this.#isStarted) return;
    this.flush();
    this.#isStarted = false;
    this.#strayRun = 0;
    this.#stray = undefined;
    this.restarts++;
  }

  #start(sequence: number): void {
    // Positions only grow, so that those of the stream before are not taken for this one's.
    const ahead = (sequence - this.end) & 0xffff;
    this.next = this.end + ahead;
    this.end = this.next;
    this.#isStarted = true;
  }

  #take(payload: Buffer, position: number, now: number): ReorderResult {
    const { release, capacity } = this.#options;
    if (position === this.end && this.next === this.end && release !== 'after-window') {
      this.next = position + 1;
      this.end = this.next;
      this.#hand(payload, position);
      return 'next';
    }
    const isNew = position >= this.end;
    while (this.end <= position) {
      if (this.end - this.next >= capacity) this.#release();
      const slot = this.end & this.#mask;
      this.#states[slot] = MISSING;
      this.#times[slot] = now;
      this.end++;
    }
    const slot = position & this.#mask;
    if (this.#states[slot] !== MISSING) return 'late';
    if (release === 'on-arrival') {
      this.#states[slot] = DELIVERED;
      this.#hand(payload, position);
    } else {
      this.#states[slot] = HELD;
      this.#payloads[slot] = payload;
    }
    this.tick(now);
    return isNew ? 'next' : 'filled';
  }

  /** What is at `next` leaves: delivered or given up. */
  #release(): void {
    const slot = this.next & this.#mask;
    const state = this.#states[slot];
    const payload = this.#payloads[slot];
    const position = this.next;
    this.#states[slot] = EMPTY;
    this.#payloads[slot] = undefined;
    this.next++;
    if (state === MISSING) this.lost++;
    else if (state === HELD && payload !== undefined) this.#hand(payload, position);
  }

  #hand(payload: Buffer, position: number): void {
    if (payload.length > 0) this.#deliver(payload, position & 0xffff);
  }

  #takeStray(payload: Buffer, sequence: number, now: number): ReorderResult {
    this.#follow(payload, sequence);
    const hasPaused = now - this.#usefulAt >= PAUSE_MS;
    if (hasPaused || (!this.#options.needsPause && this.#strayRun >= 2)) {
      return this.#followRestart(payload, sequence, now);
    }
    return this.#drop('stray');
  }

  #takeLate(payload: Buffer, sequence: number, now: number): ReorderResult {
    this.#follow(payload, sequence);
    const hasPaused = now - this.#usefulAt >= this.#options.lateRestartMs;
    if (hasPaused && this.#strayRun >= RESTART_RUN) return this.#followRestart(payload, sequence, now);
    return this.#drop('late');
  }

  /** Keeps count of packets outside the sequence that follow one another. */
  #follow(payload: Buffer, sequence: number): void {
    if (sequence === this.#straySequence) return;
    if (sequence === ((this.#straySequence + 1) & 0xffff) && this.#strayRun > 0) this.#strayRun++;
    else this.#strayRun = 1;
    if (this.#strayRun === 1) this.#stray = payload;
    this.#straySequence = sequence;
  }

  #followRestart(payload: Buffer, sequence: number, now: number): ReorderResult {
    // The first of two that made the case is delivered as well.
    const first = this.#strayRun === 2 ? this.#stray : undefined;
    this.restart();
    if (first !== undefined) {
      this.dropped--;
      this.#start((sequence - 1) & 0xffff);
      this.#take(first, this.end, now);
    } else this.#start(sequence);
    this.position = this.end;
    this.#usefulAt = now;
    return this.#take(payload, this.end, now);
  }

  #drop(result: 'late' | 'stray'): ReorderResult {
    this.dropped++;
    return result;
  }
}
