import { RTP_HEADER_BYTES } from './rtp-packet.ts';

/** Bytes of a FEC packet before what it protects: an RTP header and the FEC header (SMPTE ST 2022-1). Frozen. */
export const FEC_HEADER_BYTES = RTP_HEADER_BYTES + 16;

/** From the media's port to those of the FEC of columns and of rows. Frozen. */
export const COLUMN_PORT_OFFSET = 2;
export const ROW_PORT_OFFSET = 4;

/** As ST 2022-1 limits a matrix of `columns` (L) by `rows` (D) packets. */
export const LARGEST_SIDE = 20;
export const LARGEST_MATRIX = 100;

/** A dynamic type, which senders commonly use. */
const FEC_PAYLOAD_TYPE = 96;

/** What a FEC packet says. One view reads one packet after the other. */
export class FecPacketView {
  /** The first sequence number that it protects (the lower 16 bits). */
  base = 0;
  /** From one packet that it protects to the next: 1 of rows, the matrix's columns of columns. */
  offset = 0;
  /** How many it protects. */
  count = 0;

  /**
   * @returns whether it is a FEC packet that can be used: XOR, and within the limits of a matrix; where it is not, the
   *   view's fields mean nothing
   */
  read(packet: Buffer): boolean {
    // The flags of the RTP header are the XOR of the media's: there are no extension and no padding here.
    if (packet.length <= FEC_HEADER_BYTES || (packet[0] ?? 0) >> 6 !== 2) return false;
    const kind = packet[24] ?? 0;
    if (((kind >> 3) & 7) !== 0) return false;
    this.base = packet.readUInt16BE(12);
    this.offset = packet[25] ?? 0;
    this.count = packet[26] ?? 0;
    const isInside = this.offset >= 1 && this.offset <= LARGEST_SIDE && this.count >= 1 && this.count <= LARGEST_SIDE;
    return isInside && this.offset * this.count <= LARGEST_MATRIX;
  }
}

/** The XOR of packets. */
export class FecAccumulator {
  /** How many packets are in it. */
  count = 0;
  /** The longest packet's bytes after its RTP header. */
  length = 0;
  readonly #flags = new Uint8Array(2);
  #lengths = 0;
  #timestamps = 0;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  /** @param capacity bytes after the RTP header that a packet may have; a multiple of four */
  constructor(capacity: number) {
    this.#words = new Int32Array(capacity / 4);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  clear(): void {
    this.count = 0;
    this.length = 0;
    this.#flags.fill(0);
    this.#lengths = 0;
    this.#timestamps = 0;
    this.#words.fill(0);
  }

  /**
   * @param packet of the media, with its header
   * @param words its bytes after the header, filled up with zeros
   */
  add(packet: Buffer, words: Int32Array): void {
    const length = packet.length - RTP_HEADER_BYTES;
    this.count++;
    this.#flags[0] = (this.#flags[0] ?? 0) ^ (packet[0] ?? 0);
    this.#flags[1] = (this.#flags[1] ?? 0) ^ (packet[1] ?? 0);
    this.#lengths ^= length;
    this.#timestamps ^= packet.readUInt32BE(4);
    if (length > this.length) this.length = length;
    const own = this.#words;
    for (let index = 0, end = (length + 3) >> 2; index < end; index++) {
      own[index] = (own[index] ?? 0) ^ (words[index] ?? 0);
    }
  }

  /**
   * @param base the first sequence number that is in it
   * @param offset from it to the next
   * @param isRow whether it is of a row
   * @returns the FEC packet, its own sequence number and time being those of the FEC's stream
   */
  packet(base: number, offset: number, isRow: boolean, sequence: number, timestamp: number): Buffer {
    const packet = Buffer.alloc(FEC_HEADER_BYTES + this.length);
    packet[0] = 0x80 | ((this.#flags[0] ?? 0) & 0x3f);
    packet[1] = ((this.#flags[1] ?? 0) & 0x80) | FEC_PAYLOAD_TYPE;
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE(timestamp >>> 0, 4);
    // The sender (SSRC) is 0, as ST 2022-1 has it.
    packet.writeUInt16BE(base & 0xffff, 12);
    packet.writeUInt16BE(this.#lengths & 0xffff, 14);
    // The extended header of ST 2022-1 follows.
    packet[16] = 0x80 | ((this.#flags[1] ?? 0) & 0x7f);
    packet.writeUInt32BE(this.#timestamps >>> 0, 20);
    packet[24] = isRow ? 0x40 : 0;
    packet[25] = offset;
    packet[26] = this.count;
    packet.set(this.#bytes.subarray(0, this.length), FEC_HEADER_BYTES);
    return packet;
  }
}

/**
 * Makes the one packet that is missing of those that a FEC packet protects.
 *
 * @param others all but the missing one
 * @returns `undefined` when what comes out cannot be a packet
 */
export function recoverPacket(fec: Buffer, others: readonly Buffer[], sequence: number): Buffer | undefined {
  const room = fec.length - FEC_HEADER_BYTES;
  let flags = fec[0] ?? 0;
  let marker = (fec[1] ?? 0) & 0x80;
  let type = (fec[16] ?? 0) & 0x7f;
  let length = fec.readUInt16BE(14);
  let timestamp = fec.readUInt32BE(20);
  const body = Buffer.from(fec.subarray(FEC_HEADER_BYTES));
  for (const other of others) {
    flags ^= other[0] ?? 0;
    marker ^= (other[1] ?? 0) & 0x80;
    type ^= (other[1] ?? 0) & 0x7f;
    length ^= other.length - RTP_HEADER_BYTES;
    timestamp ^= other.readUInt32BE(4);
    for (let index = 0, end = Math.min(room, other.length - RTP_HEADER_BYTES); index < end; index++) {
      body[index] = (body[index] ?? 0) ^ (other[index + RTP_HEADER_BYTES] ?? 0);
    }
  }
  if (length > room) return undefined;
  const header = Buffer.alloc(RTP_HEADER_BYTES);
  header[0] = 0x80 | (flags & 0x3f);
  header[1] = marker | type;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  return Buffer.concat([header, body.subarray(0, length)]);
}
