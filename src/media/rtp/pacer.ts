import { Alarm } from './alarm.ts';

/** Packets a millisecond for which there is room: some 200 Mb/s. */
const PACKETS_PER_MS = 20;
/** Milliseconds between two looks at the queue. */
const STEP_MS = 4;

/**
 * Spreads bursts over a time: each packet adds a share of 1/`smoothingMs` a millisecond to the rate, from when it comes
 * until `smoothingMs` later. A steady stream is delayed by half that time, and no packet by more than all of it (and a
 * step). Memory is fixed; when there is no room, the oldest packet leaves at once.
 */
export class PaceQueue {
  readonly #smoothingMs: number;
  readonly #deliver: (payload: Buffer, now: number) => void;
  readonly #mask: number;
  readonly #payloads: (Buffer | undefined)[];
  readonly #times: Float64Array;
  /** Counted from the beginning: packets that left, that no longer add to the rate, and that came. */
  #left = 0;
  #spent = 0;
  #came = 0;
  /** Sum of the times at which those came that still add to the rate. */
  #sumOfTimes = 0;

  /** @param smoothingMs above 0 */
  constructor(smoothingMs: number, deliver: (payload: Buffer, now: number) => void) {
    this.#smoothingMs = smoothingMs;
    this.#deliver = deliver;
    const capacity = 2 ** Math.ceil(Math.log2(smoothingMs * PACKETS_PER_MS));
    this.#mask = capacity - 1;
    this.#payloads = Array.from({ length: capacity }, () => undefined);
    this.#times = new Float64Array(capacity);
  }

  get length(): number {
    return this.#came - this.#left;
  }

  add(payload: Buffer, now: number): void {
    if (this.#came - this.#spent > this.#mask) {
      this.#spend();
      this.#sendUpTo(this.#spent, now);
    }
    this.#payloads[this.#came & this.#mask] = payload;
    this.#times[this.#came & this.#mask] = now;
    this.#sumOfTimes += now;
    this.#came++;
    this.tick(now);
  }

  tick(now: number): void {
    while (this.#spent < this.#came && now - (this.#times[this.#spent & this.#mask] ?? 0) >= this.#smoothingMs) {
      this.#spend();
    }
    if (this.#spent === this.#came) this.#sumOfTimes = 0;
    const rising = this.#came - this.#spent;
    const shares = (rising * now - this.#sumOfTimes) / this.#smoothingMs;
    this.#sendUpTo(Math.min(this.#came, this.#spent + Math.floor(shares + 1e-6)), now);
  }

  #spend(): void {
    this.#sumOfTimes -= this.#times[this.#spent & this.#mask] ?? 0;
    this.#spent++;
  }

  #sendUpTo(count: number, now: number): void {
    while (this.#left < count) {
      const slot = this.#left++ & this.#mask;
      const payload = this.#payloads[slot];
      this.#payloads[slot] = undefined;
      if (payload !== undefined) this.#deliver(payload, now);
    }
  }
}

/** Hands an output's packets on: at once, or spread over a time. */
export class Pacer {
  readonly #deliver: (payload: Buffer, now: number) => void;
  readonly #queue: PaceQueue | undefined;
  readonly #alarm = new Alarm((now) => this.#tick(now));

  /** @param smoothingMs 0 hands on at once */
  constructor(smoothingMs: number, deliver: (payload: Buffer, now: number) => void) {
    this.#deliver = deliver;
    this.#queue = smoothingMs > 0 ? new PaceQueue(smoothingMs, deliver) : undefined;
  }

  add(payload: Buffer): void {
    const now = performance.now();
    if (this.#queue === undefined) {
      this.#deliver(payload, now);
      return;
    }
    this.#queue.add(payload, now);
    if (this.#queue.length > 0) this.#alarm.setFor(now + STEP_MS);
  }

  /** Forgets what waits. */
  stop(): void {
    this.#alarm.stop();
  }

  #tick(now: number): void {
    this.#queue?.tick(now);
    if (this.#queue !== undefined && this.#queue.length > 0) this.#alarm.setFor(now + STEP_MS);
  }
}
