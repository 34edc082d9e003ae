import { sequenceDifference } from '../rtp/sequence-number.ts';

const PACKETS_PER_MS = 20;
const LARGEST_CAPACITY = 32_768;
/** Milliseconds beyond the latency for which a packet may still be asked for. */
const GRACE_MS = 100;
/** Milliseconds within which a packet is not sent again twice, where the round trip is not known. */
const SHORTEST_REPEAT_MS = 10;
/** Packets that may be sent again at once; later as many as were sent for the first time. */
const LARGEST_BURST = 2000;

/**
 * What was sent lately, for those that ask for it again (VSF TR-06-1), and how much of it they get: never more than was
 * sent for the first time, and a packet once a round trip, so that requests for everything cannot flood the path.
 */
export class ResendHistory {
  /** Of the packet that the last call of `find` found. */
  payload: Buffer = Buffer.alloc(0);
  timestamp = 0;

  readonly #keepMs: number;
  readonly #mask: number;
  readonly #payloads: (Buffer | undefined)[];
  readonly #timestamps: Uint32Array;
  readonly #sentAt: Float64Array;
  readonly #resentAt: Float64Array;
  /** Positions: sequence numbers without their wrapping. */
  #oldest = 0;
  #end = -1;
  #budget = LARGEST_BURST;

  /** @param latencyMs how long the receiver waits for a packet */
  constructor(latencyMs: number) {
    this.#keepMs = latencyMs + GRACE_MS;
    const wanted = 2 ** Math.ceil(Math.log2(Math.max(512, this.#keepMs * PACKETS_PER_MS)));
    const capacity = Math.min(LARGEST_CAPACITY, wanted);
    this.#mask = capacity - 1;
    this.#payloads = Array.from({ length: capacity }, () => undefined);
    this.#timestamps = new Uint32Array(capacity);
    this.#sentAt = new Float64Array(capacity);
    this.#resentAt = new Float64Array(capacity);
  }

  /** Notes a packet whose sequence number follows the one before. */
  add(payload: Buffer, sequence: number, timestamp: number, now: number): void {
    if (this.#end < 0) {
      this.#end = sequence;
      this.#oldest = sequence;
    }
    if (this.#end - this.#oldest > this.#mask) this.#oldest++;
    const slot = this.#end++ & this.#mask;
    this.#payloads[slot] = payload;
    this.#timestamps[slot] = timestamp;
    this.#sentAt[slot] = now;
    this.#resentAt[slot] = Number.NEGATIVE_INFINITY;
    if (this.#budget < LARGEST_BURST) this.#budget++;
    this.forget(now);
  }

  /** Lets go of what is too old to be asked for. */
  forget(now: number): void {
    while (this.#oldest < this.#end && now - (this.#sentAt[this.#oldest & this.#mask] ?? 0) > this.#keepMs) {
      this.#payloads[this.#oldest++ & this.#mask] = undefined;
    }
  }

  /**
   * Finds a packet that is to be sent again now.
   *
   * @returns whether it is in `payload` and `timestamp`; not if it is unknown, was sent again just now, or too much was
   */
  find(sequence: number, roundTripMs: number | undefined, now: number): boolean {
    if (this.#budget <= 0 || this.#end < 0) return false;
    const newest = this.#end - 1;
    const position = newest + sequenceDifference(sequence, newest);
    if (position < this.#oldest || position > newest) return false;
    const slot = position & this.#mask;
    const payload = this.#payloads[slot];
    const repeatMs = Math.max(SHORTEST_REPEAT_MS, (roundTripMs ?? 0) * 0.8);
    if (payload === undefined || now - (this.#resentAt[slot] ?? 0) < repeatMs) return false;
    this.#resentAt[slot] = now;
    this.#budget--;
    this.payload = payload;
    this.timestamp = this.#timestamps[slot] ?? 0;
    return true;
  }
}
