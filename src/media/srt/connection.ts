import type { Outlet } from './outlet.ts';
import { bodyOf, CONTROL, controlTypeOf, HEADER_BYTES, isControl } from './packet.ts';

/** Milliseconds. */
const KEEP_ALIVE = 1000;
const LONGEST_SILENCE = 5000;
const FORSAKEN = 2500;
/** This process, or the machine, stood still: what the peer said meanwhile is yet to be read. */
const STANDSTILL = 500;

/** What a connection is for: receiving or sending. Connections carry data one way only. */
export interface ConnectionRole {
  data(packet: Buffer, now: number): void;
  /** Control packets that the connection itself does not know. */
  control(type: number, packet: Buffer, body: Buffer, now: number): void;
  /** To be called every few milliseconds. */
  tick(now: number): void;
  /** Why the connection is of no use any more, if it is not. */
  failure(now: number): string | undefined;
}

/** One connection after its handshake: alive until one side ends it, or nothing is heard any more. */
export class SrtConnection {
  /** `address:port`. */
  readonly peer: string;
  readonly #outlet: Outlet;
  readonly #role: ConnectionRole;
  readonly #onEnd: (reason: string) => void;
  #heardAt: number;
  #tickedAt: number;
  #hasEnded = false;

  /** @param onEnd is called once, when the connection ends by itself */
  constructor(peer: string, outlet: Outlet, role: ConnectionRole, onEnd: (reason: string) => void, now: number) {
    this.peer = peer;
    this.#outlet = outlet;
    this.#role = role;
    this.#onEnd = onEnd;
    this.#heardAt = now;
    this.#tickedAt = now;
  }

  /** @param packet whose destination and source address are this connection's */
  receive(packet: Buffer, now: number): void {
    if (this.#hasEnded || packet.length < HEADER_BYTES) return;
    this.#heardAt = now;
    if (!isControl(packet)) {
      this.#role.data(packet, now);
      return;
    }
    const type = controlTypeOf(packet);
    if (type === CONTROL.shutdown) this.#end('the peer ended the connection');
    else if (type !== CONTROL.keepAlive) this.#role.control(type, packet, bodyOf(packet), now);
  }

  tick(now: number): void {
    if (this.#hasEnded) return;
    const elapsed = now - this.#tickedAt;
    this.#tickedAt = now;
    if (elapsed > STANDSTILL) this.#heardAt += elapsed;
    this.#role.tick(now);
    if (now - this.#outlet.lastSentAt >= KEEP_ALIVE) this.#outlet.signal(CONTROL.keepAlive, 0, now);
    const isSilent = now - this.#heardAt >= LONGEST_SILENCE;
    const failure = isSilent ? 'nothing was heard of the peer for 5 s' : this.#role.failure(now);
    if (failure === undefined) return;
    this.#outlet.signal(CONTROL.shutdown, 0, now);
    this.#end(failure);
  }

  /** Whether the peer has said nothing for so long that another may take its place: one that lives says something a second. */
  isForsaken(now: number): boolean {
    return now - this.#heardAt >= FORSAKEN;
  }

  /** Makes room for another peer. */
  giveWay(now: number): void {
    if (this.#hasEnded) return;
    this.#outlet.signal(CONTROL.shutdown, 0, now);
    this.#end('nothing was heard of the peer, and another took its place');
  }

  /** Ends the connection from this side; the peer is told. */
  close(now: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#outlet.signal(CONTROL.shutdown, 0, now);
  }

  #end(reason: string): void {
    this.#hasEnded = true;
    this.#onEnd(reason);
  }
}
