import { writeLossRange, RANGE_BYTES } from './loss-ranges.ts';
import type { Outlet } from './outlet.ts';
import {
  CONTROL,
  HEADER_BYTES,
  infoOf,
  isResent,
  isWholeMessage,
  keyBitsOf,
  type KeyBits,
  LONGEST_PAYLOAD,
  sequenceOf,
  timestampOf,
} from './packet.ts';
import type { PeerClock } from './peer-clock.ts';
import { ReceiveRing } from './receive-ring.ts';
import type { RoundTrip } from './round-trip.ts';
import { sequenceDistance, sequencePlus } from './sequence.ts';

/** Milliseconds between acknowledgements, and packets after which one comes sooner. */
const ACK_INTERVAL = 10;
const ACK_PACKETS = 64;
const ACK_BYTES = 28;
/** Acknowledgements that wait for their answer; a power of two. */
const ACKS_KEPT = 256;
/** A lost packet is not asked for again sooner, in milliseconds. */
const SHORTEST_PATIENCE = 20;
/** Loss reports at a time. */
const MOST_REPORTS = 4;

export interface ReceiverSettings {
  readonly initialSequence: number;
  readonly clock: PeerClock;
  readonly outlet: Outlet;
  readonly roundTrip: RoundTrip;
  /** Decrypts in place; false of a packet that must not be taken. */
  readonly decrypt: (keyBits: KeyBits, sequence: number, payload: Buffer) => boolean;
  readonly deliver: (payload: Buffer) => void;
}

/** Packets; see the statistics of a source. */
export interface ReceiverCounters {
  arqRequests: number;
  arqRecovered: number;
  lost: number;
  dropped: number;
  overflow: number;
}

/**
 * The receiving side of a connection: puts packets in order, asks again for those that are missing, and gives each out
 * at its time or never. It has no clock of its own: `now` is in milliseconds.
 */
export class SrtReceiver {
  readonly #settings: ReceiverSettings;
  readonly #ring = new ReceiveRing();
  readonly counters: ReceiverCounters = { arqRequests: 0, arqRecovered: 0, lost: 0, dropped: 0, overflow: 0 };
  #ackNumber = 0;
  #lastAckAt = Number.NEGATIVE_INFINITY;
  /** Positions (counted from the first packet): what the last acknowledgement said, what the peer knows of. */
  #acked = 0;
  #confirmed = 0;
  #lightAcked = 0;
  readonly #ackSentAt = new Float64Array(ACKS_KEPT);
  readonly #ackPositions = new Float64Array(ACKS_KEPT);
  #rateSince: number | undefined;
  #ratePackets = 0;
  #rateBytes = 0;
  #packetRate = 0;
  #byteRate = 0;
  /** The peer jumped so far ahead that nothing of it can be kept: the connection is of no use any more. */
  hasLostTrack = false;

  constructor(settings: ReceiverSettings) {
    this.#settings = settings;
  }

  /** Whether packets wait for their time. */
  get isWaiting(): boolean {
    return this.#ring.firstHere >= 0;
  }

  data(packet: Buffer, now: number): void {
    const { counters } = this;
    const ring = this.#ring;
    const length = packet.length - HEADER_BYTES;
    if (length <= 0 || length > LONGEST_PAYLOAD || !isWholeMessage(packet)) {
      counters.dropped++;
      return;
    }
    const sequence = sequenceOf(packet);
    const position = this.#positionOf(sequence);
    if (position < ring.next || ring.isSettled(position)) {
      counters.dropped++;
      return;
    }
    if (!ring.makeRoom(position)) {
      counters.overflow++;
      this.hasLostTrack ||= ring.end === ring.next;
      return;
    }
    const payload = packet.subarray(HEADER_BYTES);
    if (!this.#settings.decrypt(keyBitsOf(packet), sequence, payload)) {
      counters.dropped++;
      return;
    }
    const resent = isResent(packet);
    if (resent && ring.wasAskedFor(position)) counters.arqRecovered++;
    ring.put(position, payload, this.#settings.clock.dueAt(timestampOf(packet), now, resent));
    this.#ratePackets++;
    this.#rateBytes += packet.length;
    this.release(now);
    if (ring.settled - this.#lightAcked >= ACK_PACKETS) this.#acknowledgeLightly(now);
  }

  /** The peer gives up packets: they are not waited for. */
  drop(body: Buffer): void {
    if (body.length < 8) return;
    const first = this.#positionOf(body.readUInt32BE(0) & 0x7fff_ffff);
    const last = this.#positionOf(body.readUInt32BE(4) & 0x7fff_ffff);
    if (first > last) return;
    this.#ring.giveUp(first, last);
  }

  /** The peer's answer to an acknowledgement. */
  acknowledged(packet: Buffer, now: number): void {
    const number = infoOf(packet);
    const at = number & (ACKS_KEPT - 1);
    const sentAt = this.#ackSentAt[at] as number;
    if ((this.#ackNumber - number) >>> 0 >= ACKS_KEPT || sentAt === 0) return;
    this.#ackSentAt[at] = 0;
    const { roundTrip, clock } = this.#settings;
    roundTrip.add(now - sentAt);
    clock.addSample(timestampOf(packet), now, roundTrip.mean);
    this.#confirmed = Math.max(this.#confirmed, this.#ackPositions[at] as number);
  }

  /** Gives out what is due. */
  release(now: number): void {
    const { counters } = this;
    const ring = this.#ring;
    while (ring.firstHere >= 0 && ring.dueAt(ring.firstHere) <= now) {
      this.#settings.deliver(ring.takeFirst(counters));
    }
    ring.skipGivenUp(counters);
  }

  /** To be called every few milliseconds. */
  tick(now: number): void {
    this.release(now);
    if (this.#ring.missing > 0) this.#reportLosses(now);
    if (now - this.#lastAckAt >= ACK_INTERVAL) this.#acknowledge(now);
  }

  #positionOf(sequence: number): number {
    const { initialSequence } = this.#settings;
    const { end } = this.#ring;
    return end + sequenceDistance(sequencePlus(initialSequence, end), sequence);
  }

  #sequenceAt(position: number): number {
    return sequencePlus(this.#settings.initialSequence, position);
  }

  #reportLosses(now: number): void {
    const { outlet, roundTrip } = this.#settings;
    const ring = this.#ring;
    const before = now - Math.max(SHORTEST_PATIENCE, roundTrip.patience);
    let from = ring.settled;
    for (let report = 0; report < MOST_REPORTS; report++) {
      const body = outlet.body;
      let bytes = 0;
      while (bytes + RANGE_BYTES <= LONGEST_PAYLOAD) {
        const first = ring.firstToAskFor(from, before);
        if (first < 0) break;
        const last = ring.lastToAskFor(first, before);
        this.counters.arqRequests += ring.markAsked(first, last, now);
        bytes = writeLossRange(body, bytes, this.#sequenceAt(first), this.#sequenceAt(last));
        from = last + 1;
      }
      if (bytes === 0) return;
      outlet.control({ type: CONTROL.loss }, bytes, now);
    }
  }

  #acknowledge(now: number): void {
    const { outlet, roundTrip } = this.#settings;
    const { settled, room } = this.#ring;
    if (settled === this.#confirmed) return;
    if (settled === this.#acked && now - this.#lastAckAt < roundTrip.mean + 4 * roundTrip.variance) return;
    this.#measureRate(now);
    const number = (this.#ackNumber + 1) >>> 0;
    this.#ackNumber = number;
    this.#ackSentAt[number & (ACKS_KEPT - 1)] = now;
    this.#ackPositions[number & (ACKS_KEPT - 1)] = settled;
    this.#lastAckAt = now;
    this.#acked = settled;
    this.#lightAcked = settled;
    const { body } = outlet;
    body.writeUInt32BE(this.#sequenceAt(settled), 0);
    body.writeUInt32BE(Math.round(roundTrip.mean * 1000), 4);
    body.writeUInt32BE(Math.round(roundTrip.variance * 1000), 8);
    body.writeUInt32BE(room, 12);
    body.writeUInt32BE(this.#packetRate, 16);
    // The path's capacity is not probed; what it carries is a lower bound of it.
    body.writeUInt32BE(this.#packetRate, 20);
    body.writeUInt32BE(this.#byteRate, 24);
    outlet.control({ type: CONTROL.acknowledgement, info: number }, ACK_BYTES, now);
  }

  #acknowledgeLightly(now: number): void {
    const { outlet } = this.#settings;
    this.#lightAcked = this.#ring.settled;
    outlet.body.writeUInt32BE(this.#sequenceAt(this.#ring.settled), 0);
    outlet.control({ type: CONTROL.acknowledgement }, 4, now);
  }

  #measureRate(now: number): void {
    this.#rateSince ??= now;
    const seconds = (now - this.#rateSince) / 1000;
    if (seconds < 1) return;
    this.#packetRate = Math.round(this.#ratePackets / seconds);
    this.#byteRate = Math.round(this.#rateBytes / seconds) % 2 ** 32;
    this.#rateSince = now;
    this.#ratePackets = 0;
    this.#rateBytes = 0;
  }
}
