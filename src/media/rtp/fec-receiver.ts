import { FecDecoder } from './fec-decoder.ts';
import { LARGEST_MATRIX, LARGEST_SIDE } from './fec-packet.ts';
import { receptionOptions, REORDER_WINDOW_MS } from './reception-options.ts';
import { ReorderBuffer, type ReorderResult } from './reorder-buffer.ts';
import { RtpPacketView } from './rtp-packet.ts';

/** Milliseconds that a packet is waited for which FEC may yet bring: two of the largest matrices at 1 Mb/s. */
const FEC_WINDOW_MS = 2200;
/** Milliseconds without FEC after which none is waited for. */
const FEC_SILENCE_MS = 3000;
/** Milliseconds between two looks at FEC that waits. */
const STEP_MS = 10;

/**
 * The receiving half of RTP with FEC (SMPTE ST 2022-1), without its sockets.
 *
 * Nothing is delayed but behind a gap, and there for as long as the gap's FEC may come: until two matrices of packets
 * came, or 2.2 s passed. Where no FEC comes for 3 s, gaps are closed after 20 ms as of plain RTP.
 */
export class FecReceiver {
  /** Packets that were delivered and had been made from FEC. */
  recovered = 0;
  readonly #isOrdered: boolean;
  readonly #buffer: ReorderBuffer;
  readonly #decoder: FecDecoder;
  readonly #view = new RtpPacketView();
  #fecAt = Number.NEGATIVE_INFINITY;
  #hasMedia = false;
  #restarts = 0;

  constructor(isOrdered: boolean, deliver: (payload: Buffer, sequence: number) => void) {
    this.#isOrdered = isOrdered;
    this.#buffer = new ReorderBuffer(receptionOptions(isOrdered), deliver);
    this.#decoder = new FecDecoder({
      positionOf: (sequence) => this.#buffer.positionOf(sequence),
      end: () => this.#buffer.end,
      onRecovered: (packet, position, now) => this.#takeRecovered(packet, position, now),
    });
  }

  get lost(): number {
    return this.#buffer.lost;
  }

  get dropped(): number {
    return this.#buffer.dropped + this.#decoder.malformed;
  }

  get fecPackets(): number {
    return this.#decoder.packets;
  }

  /** When `tick` has something to do. */
  deadline(now: number): number {
    return this.#decoder.isWaiting ? Math.min(this.#buffer.deadline, now + STEP_MS) : this.#buffer.deadline;
  }

  /** @param payload of `packet` */
  media(packet: Buffer, payload: Buffer, sequence: number, now: number): ReorderResult {
    if (!this.#hasMedia) {
      this.#hasMedia = true;
      this.#fecAt = now;
    }
    this.#setPatience(now);
    const { end } = this.#buffer;
    const result = this.#buffer.add(payload, sequence, now);
    const hasRestarted = this.#buffer.restarts !== this.#restarts;
    if (hasRestarted) this.#forget();
    if (result === 'stray') return result;
    const { position } = this.#buffer;
    this.#decoder.addMedia(packet, position, !hasRestarted && position > end, now);
    return result;
  }

  /** @param isRow whether it is of a row, as its port tells */
  fec(packet: Buffer, isRow: boolean, now: number): void {
    if (!this.#hasMedia) return;
    this.#fecAt = now;
    this.#decoder.addFec(packet, isRow, now);
  }

  /** Takes the next packet for the beginning of another stream. */
  restart(): void {
    this.#buffer.restart();
    this.#forget();
  }

  tick(now: number): void {
    this.#setPatience(now);
    if (this.#decoder.isWaiting) this.#decoder.tick(now);
    this.#buffer.tick(now);
  }

  #forget(): void {
    this.#restarts = this.#buffer.restarts;
    this.#decoder.clear();
  }

  #setPatience(now: number): void {
    const hasFec = now - this.#fecAt < FEC_SILENCE_MS;
    if (!this.#isOrdered) {
      this.#buffer.windowMs = FEC_WINDOW_MS;
      return;
    }
    this.#buffer.windowMs = hasFec ? FEC_WINDOW_MS : REORDER_WINDOW_MS;
    const isKnown = this.#decoder.columns > 0;
    this.#buffer.reach = isKnown ? this.#decoder.reach : 2 * LARGEST_MATRIX + LARGEST_SIDE;
  }

  #takeRecovered(packet: Buffer, position: number, now: number): void {
    // What was given up already helped to recover others, and comes too late itself.
    if (position < this.#buffer.next || !this.#view.read(packet)) return;
    const payload = packet.subarray(this.#view.payloadStart, this.#view.payloadEnd);
    const result = this.#buffer.add(payload, position & 0xffff, now, true);
    if (result === 'filled' || result === 'next') this.recovered++;
  }
}
