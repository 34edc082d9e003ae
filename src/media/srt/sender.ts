import { readLossRanges } from './loss-ranges.ts';
import type { Outlet } from './outlet.ts';
import { CONTROL, infoOf, type KeyBits, LONGEST_PAYLOAD } from './packet.ts';
import type { RoundTrip } from './round-trip.ts';
import { SendRing } from './send-ring.ts';
import { sequenceDistance, sequencePlus } from './sequence.ts';

/** Milliseconds for which a packet is kept for those that ask again, at least; and beyond the latency. */
const SHORTEST_KEEP = 1000;
const KEEP_MARGIN = 20;
/** Milliseconds beyond the round trip after which an acknowledgement is missing: they come every 10 ms. */
const PROBE_MARGIN = 20;
/** Packets that may be resent without any being sent anew; each new one earns one more. */
const MOST_CREDIT = 1024;
/** Packets that may be on their way before the peer's first acknowledgement says how many it takes. */
const SMALLEST_WINDOW = 32;

export interface SenderSettings {
  readonly initialSequence: number;
  readonly outlet: Outlet;
  readonly roundTrip: RoundTrip;
  /** The receiver's, in milliseconds. */
  readonly latencyMs: number;
  /** Packets that the peer lets be on their way. */
  readonly flightWindow: number;
  /** Encrypts in place, and says with which key; `undefined` while no key may be used. */
  readonly encrypt: (sequence: number, payload: Buffer, isNew: boolean) => KeyBits | undefined;
  /** Whether packets may be encrypted now. */
  readonly canEncrypt: () => boolean;
}

/**
 * The sending side of a connection: sends at once what the peer has room for, keeps it until it is acknowledged or too
 * late, and sends again what is asked for. A peer that never answers costs a ring, and nothing else. It has no clock of
 * its own: `now` is in milliseconds.
 */
export class SrtSender {
  readonly #settings: SenderSettings;
  readonly #ring = new SendRing();
  readonly #keepMs: number;
  #window: number;
  #credit = MOST_CREDIT;
  readonly counters = { bytes: 0, packets: 0, dropped: 0, retransmitted: 0 };

  constructor(settings: SenderSettings) {
    this.#settings = settings;
    this.#keepMs = Math.max(settings.latencyMs, SHORTEST_KEEP) + KEEP_MARGIN;
    this.#window = Math.max(settings.flightWindow, SMALLEST_WINDOW);
  }

  /** Packets that are kept, and those of them that were never sent. */
  get kept(): number {
    return this.#ring.head - this.#ring.tail;
  }

  get unsent(): number {
    return this.#ring.head - this.#ring.sent;
  }

  push(payload: Buffer, now: number): void {
    const isSendable = payload.length > 0 && payload.length <= LONGEST_PAYLOAD;
    if (!isSendable || !this.#ring.push(payload, now)) {
      this.counters.dropped++;
      return;
    }
    this.flush(now);
  }

  /** Sends what waits, as far as the peer has room. */
  flush(now: number): void {
    const ring = this.#ring;
    while (ring.sent < ring.head && ring.sent - ring.tail < this.#window && this.#settings.canEncrypt()) {
      const position = ring.sent++;
      const payload = ring.payloadAt(position);
      this.counters.packets++;
      this.counters.bytes += payload.length;
      if (this.#credit < MOST_CREDIT) this.#credit++;
      this.#transmit(position, false, now);
    }
  }

  /** The peer has all packets before the one that it names. */
  acknowledgement(packet: Buffer, body: Buffer, now: number): void {
    if (body.length < 4) return;
    const { outlet, roundTrip } = this.#settings;
    const number = infoOf(packet);
    const isLight = body.length < 16;
    const position = this.#positionOf(body.readUInt32BE(0) & 0x7fff_ffff);
    const ring = this.#ring;
    if (position > ring.sent) return;
    if (!isLight) {
      outlet.signal(CONTROL.acknowledged, number, now);
      roundTrip.set(body.readUInt32BE(4) / 1000, body.readUInt32BE(8) / 1000);
      if (position >= ring.tail) this.#window = Math.max(body.readUInt32BE(12), SMALLEST_WINDOW);
    }
    if (position > ring.tail) ring.release(position);
    this.flush(now);
  }

  /** The peer misses packets. */
  losses(body: Buffer, now: number): void {
    const ring = this.#ring;
    // The report is ascending, so that it costs a ring's length at most, whatever it says.
    let from = 0;
    let firstGone = ring.tail;
    readLossRanges(body, (firstLost, lastLost) => {
      const [first, last] = [this.#positionOf(firstLost), this.#positionOf(lastLost)];
      if (first < from || last < first || last >= ring.sent) return;
      from = last + 1;
      firstGone = Math.min(firstGone, first);
      for (let position = Math.max(first, ring.tail); position <= last && this.#credit > 0; position++) {
        this.#resend(position, now);
      }
    });
    if (firstGone < ring.tail) this.#giveUp(firstGone, ring.tail - 1, now);
  }

  /** To be called every few milliseconds. */
  tick(now: number): void {
    const ring = this.#ring;
    const oldest = now - this.#keepMs;
    const firstKept = ring.tail;
    let position = firstKept;
    while (position < ring.head && ring.originAt(position) < oldest) position++;
    if (position > firstKept) {
      this.counters.dropped += position - firstKept;
      const wereSent = ring.sent > firstKept;
      ring.release(position);
      // The peer waits for what it knows to be missing; it need not.
      if (wereSent) this.#giveUp(firstKept, position - 1, now);
    }
    this.flush(now);
    this.#probe(now);
  }

  /** Sends the newest packet again when nothing follows that could tell the peer of its loss. */
  #probe(now: number): void {
    const newest = this.#ring.sent - 1;
    if (newest < this.#ring.tail || this.#credit <= 0) return;
    const patience = this.#settings.roundTrip.patience + PROBE_MARGIN;
    if (now - this.#ring.sentAt(newest) > patience) this.#resend(newest, now);
  }

  #positionOf(sequence: number): number {
    const { sent } = this.#ring;
    return sent + sequenceDistance(this.#sequenceAt(sent), sequence);
  }

  #sequenceAt(position: number): number {
    return sequencePlus(this.#settings.initialSequence, position);
  }

  #resend(position: number, now: number): void {
    const since = now - this.#ring.sentAt(position);
    // What was sent just now cannot be known to be lost.
    if (since < this.#settings.roundTrip.mean / 2) return;
    this.#credit--;
    this.counters.retransmitted++;
    this.#transmit(position, true, now);
  }

  #giveUp(first: number, last: number, now: number): void {
    const { outlet } = this.#settings;
    outlet.body.writeUInt32BE(this.#sequenceAt(first), 0);
    outlet.body.writeUInt32BE(this.#sequenceAt(last), 4);
    outlet.control({ type: CONTROL.drop, info: messageOf(first) }, 8, now);
  }

  #transmit(position: number, isResent: boolean, now: number): void {
    const { outlet, encrypt } = this.#settings;
    const ring = this.#ring;
    const payload = ring.payloadAt(position);
    const sequence = this.#sequenceAt(position);
    const copy = outlet.body.subarray(0, payload.length);
    payload.copy(copy);
    const keyBits = encrypt(sequence, copy, !isResent);
    if (keyBits === undefined) return;
    ring.markSent(position, now);
    outlet.data(sequence, messageOf(position), keyBits, isResent, ring.originAt(position), payload.length, now);
  }
}

/** Each packet is a message: they are counted from 1, in 26 bits. */
function messageOf(position: number): number {
  return (position % 0x03ff_ffff) + 1;
}
