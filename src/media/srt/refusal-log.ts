import type { LegEventListener } from '../live/leg.ts';

/** Milliseconds in which the same is told once, and things that are remembered for it. */
const QUIET_TIME = 10_000;
const MOST_REMEMBERED = 1024;

/** Tells of refused peers: often, but not of each datagram that a stubborn one sends. */
export class RefusalLog {
  readonly #onEvent: LegEventListener;
  readonly #toldAt = new Map<string, number>();
  /** Datagrams from addresses that are not allowed. */
  strangers = 0;

  constructor(onEvent: LegEventListener) {
    this.#onEvent = onEvent;
  }

  stranger(address: string, peer: string, now: number): void {
    this.strangers++;
    this.#tell(address, peer, 'the address is not allowed', now);
  }

  refused(address: string, peer: string, reason: string, now: number): void {
    this.#tell(`${address} ${reason}`, peer, reason, now);
  }

  #tell(key: string, peer: string, reason: string, now: number): void {
    const toldAt = this.#toldAt.get(key);
    if (toldAt !== undefined && now - toldAt < QUIET_TIME) return;
    // In the order of telling, so that the oldest goes first.
    this.#toldAt.delete(key);
    if (this.#toldAt.size >= MOST_REMEMBERED) {
      for (const oldest of this.#toldAt.keys()) {
        this.#toldAt.delete(oldest);
        break;
      }
    }
    this.#toldAt.set(key, now);
    this.#onEvent({ kind: 'refused', peer, reason });
  }
}
