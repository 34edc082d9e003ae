import {
  CONTROL,
  HEADER_BYTES,
  type KeyBits,
  LONGEST_PACKET,
  timestampAt,
  writeControlHeader,
  writeDataHeader,
} from './packet.ts';

/**
 * Sends one datagram.
 *
 * @returns whether the buffer is the caller's again: false when the system took the datagram only to send it later
 */
export type Transmit = (packet: Buffer) => boolean;

/** Some peers read a word behind the header of control packets that have nothing to say. */
const PADDING_BYTES = 4;

/** Writes the packets of one connection, and knows when something was sent last. */
export class Outlet {
  readonly #transmit: Transmit;
  readonly #destination: number;
  readonly #startedAt: number;
  /** Milliseconds. */
  lastSentAt: number;
  #scratch = Buffer.alloc(LONGEST_PACKET);
  #body = this.#scratch.subarray(HEADER_BYTES);

  /**
   * @param destination the peer's socket id
   * @param startedAt when this connection's clock is 0
   */
  constructor(transmit: Transmit, destination: number, startedAt: number, now: number) {
    this.#transmit = transmit;
    this.#destination = destination;
    this.#startedAt = startedAt;
    this.lastSentAt = now;
  }

  get destination(): number {
    return this.#destination;
  }

  /** Where a body or a payload may be written that is then sent with {@link control} or {@link data}. */
  get body(): Buffer {
    return this.#body;
  }

  timestamp(time: number): number {
    return timestampAt(time, this.#startedAt);
  }

  /** Sends a control packet with the first `bytes` of {@link body}. */
  control(packet: { type: number; subtype?: number; info?: number }, bytes: number, now: number): void {
    const header = { ...packet, timestamp: this.timestamp(now), destination: this.#destination };
    writeControlHeader(this.#scratch, header);
    this.#send(HEADER_BYTES + bytes, now);
  }

  /** Sends a control packet that has no body. */
  signal(type: number, info: number, now: number): void {
    this.#scratch.fill(0, HEADER_BYTES, HEADER_BYTES + PADDING_BYTES);
    this.control({ type, info }, PADDING_BYTES, now);
  }

  /** Sends a data packet with the first `bytes` of {@link body}; `origin` is when the payload came. */
  data(
    sequence: number,
    message: number,
    keyBits: KeyBits,
    isResent: boolean,
    origin: number,
    bytes: number,
    now: number,
  ): void {
    const timestamp = this.timestamp(origin);
    writeDataHeader(this.#scratch, sequence, message, keyBits, isResent, timestamp, this.#destination);
    this.#send(HEADER_BYTES + bytes, now);
  }

  /** Sends a key message, or the answer to one. */
  keyMessage(subtype: number, message: Buffer, now: number): void {
    message.copy(this.#scratch, HEADER_BYTES);
    this.control({ type: CONTROL.extension, subtype }, message.length, now);
  }

  #send(bytes: number, now: number): void {
    this.lastSentAt = now;
    if (this.#transmit(this.#scratch.subarray(0, bytes))) return;
    this.#scratch = Buffer.alloc(LONGEST_PACKET);
    this.#body = this.#scratch.subarray(HEADER_BYTES);
  }
}
