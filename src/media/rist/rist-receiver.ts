import { ReorderBuffer, type ReorderOptions, type ReorderResult } from '../rtp/reorder-buffer.ts';

/** Packets a millisecond that the buffer has room for: some 200 Mb/s. Numbers of 16 bits end it at 32768. */
const PACKETS_PER_MS = 20;
const LARGEST_CAPACITY = 32_768;

/** Missing packets that are asked for at a time. */
const MOST_MISSING = 4096;
/** Milliseconds that a packet which was only overtaken has for coming without being asked for. */
const REORDER_MS = 10;
/** The round trip before it is known, and the shortest time between two requests for a packet; milliseconds. */
const USUAL_ROUND_TRIP_MS = 50;
const SHORTEST_REPEAT_MS = 20;
/** Of round trips: how long after a request the next one for the same packet follows. */
const REPEAT_ROUND_TRIPS = 1.25;

export interface RistReceiverOptions {
  /** Milliseconds that each packet is held, and a missing one is waited for. */
  readonly latencyMs: number;
  /** Whether packets wait for their turn; otherwise they are delivered when they come. */
  readonly isOrdered: boolean;
}

/**
 * The receiving half of RIST's simple profile (VSF TR-06-1) without its sockets: packets are held for a time in which the
 * missing ones are asked for, again and again, and leave in order.
 *
 * A packet's time begins when it came, or when a later one came: what is missing has as long as what is not.
 */
export class RistReceiver {
  /** Packets that were asked for, and those that came then. */
  asked = 0;
  recovered = 0;

  readonly #buffer: ReorderBuffer;
  readonly #latencyMs: number;
  // The missing packets, the oldest first.
  readonly #missing = new Float64Array(MOST_MISSING);
  readonly #askAt = new Float64Array(MOST_MISSING);
  readonly #giveUpAt = new Float64Array(MOST_MISSING);
  readonly #wasAsked = new Uint8Array(MOST_MISSING);
  #missingCount = 0;
  #restarts = 0;

  constructor({ latencyMs, isOrdered }: RistReceiverOptions, deliver: (payload: Buffer, sequence: number) => void) {
    this.#latencyMs = latencyMs;
    const wanted = 2 ** Math.ceil(Math.log2(Math.max(512, latencyMs * PACKETS_PER_MS)));
    const options: ReorderOptions = {
      capacity: Math.min(LARGEST_CAPACITY, wanted),
      windowMs: latencyMs,
      release: isOrdered ? 'after-window' : 'on-arrival',
      maxJump: 3000,
      maxLateness: 1000,
      needsPause: false,
      lateRestartMs: latencyMs + 500,
    };
    this.#buffer = new ReorderBuffer(options, deliver);
  }

  get lost(): number {
    return this.#buffer.lost;
  }

  get dropped(): number {
    return this.#buffer.dropped;
  }

  /** As reports carry it: the number of wraps, and the newest sequence number. */
  get newest(): number {
    return this.#buffer.end - 1;
  }

  /** Whether packets are missing that may yet be asked for. */
  get hasMissing(): boolean {
    return this.#missingCount > 0;
  }

  /** When `tick` has something to do. */
  get deadline(): number {
    return this.#buffer.deadline;
  }

  /** @param isRepeat whether the sender marked it as sent again */
  packet(payload: Buffer, sequence: number, isRepeat: boolean, now: number): ReorderResult {
    const { end } = this.#buffer;
    const result = this.#buffer.add(payload, sequence, now, isRepeat);
    if (this.#buffer.restarts !== this.#restarts) {
      this.#restarts = this.#buffer.restarts;
      this.#missingCount = 0;
    } else if (result === 'next') this.#noteMissing(end, this.#buffer.position, now);
    if (result === 'filled' && isRepeat) this.recovered++;
    return result;
  }

  /** Takes the next packet for the beginning of another stream. */
  restart(): void {
    this.#buffer.restart();
    this.#missingCount = 0;
    this.#restarts = this.#buffer.restarts;
  }

  tick(now: number): void {
    this.#buffer.tick(now);
  }

  /**
   * The packets to ask for now.
   *
   * @param ranges gets pairs: a sequence number, and how many more after it
   * @param most pairs that fit; the rest is asked for the next time
   * @returns the number of pairs
   */
  requests(now: number, roundTripMs: number | undefined, ranges: Uint16Array, most: number): number {
    const roundTrip = roundTripMs ?? USUAL_ROUND_TRIP_MS;
    const repeatMs = Math.max(SHORTEST_REPEAT_MS, roundTrip * REPEAT_ROUND_TRIPS);
    let count = 0;
    let kept = 0;
    let previous = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < this.#missingCount; index++) {
      const position = this.#missing[index] ?? 0;
      const giveUpAt = this.#giveUpAt[index] ?? 0;
      if (giveUpAt <= now || !this.#buffer.isMissing(position)) continue;
      let askAt = this.#askAt[index] ?? 0;
      let wasAsked = this.#wasAsked[index] ?? 0;
      const continues = position === previous + 1;
      if (askAt <= now && (continues || count < most)) {
        if (continues) ranges[count * 2 - 1] = (ranges[count * 2 - 1] ?? 0) + 1;
        else {
          ranges[count * 2] = position & 0xffff;
          ranges[count * 2 + 1] = 0;
          count++;
        }
        previous = position;
        askAt = now + repeatMs;
        this.asked += wasAsked === 0 ? 1 : 0;
        wasAsked = 1;
      }
      this.#missing[kept] = position;
      this.#askAt[kept] = askAt;
      this.#giveUpAt[kept] = giveUpAt;
      this.#wasAsked[kept] = wasAsked;
      kept++;
    }
    this.#missingCount = kept;
    return count;
  }

  /** @param from up to `to`, without it: what was skipped */
  #noteMissing(from: number, to: number, now: number): void {
    // Nothing was skipped before the first packet.
    for (
      let position = Math.max(from, this.#buffer.next);
      position < to && this.#missingCount < MOST_MISSING;
      position++
    ) {
      const index = this.#missingCount++;
      this.#missing[index] = position;
      this.#askAt[index] = now + Math.min(REORDER_MS, this.#latencyMs / 4);
      this.#giveUpAt[index] = now + this.#latencyMs;
      this.#wasAsked[index] = 0;
    }
  }
}
