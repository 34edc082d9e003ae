import { randomBytes } from 'node:crypto';
import { DATAGRAMS_IN_FLIGHT } from './dialed-ports.ts';
import { RTP_HEADER_BYTES, TICKS_PER_MS, TRANSPORT_STREAM_TYPE, writeRtpHeader } from './rtp-packet.ts';

const USUAL_PAYLOAD_BYTES = 7 * 188;

/** Makes the packets of one RTP stream of a transport stream: a random sender, and a random first sequence number. */
export class RtpWriter {
  readonly ssrc: number;
  /** Of the packet that was made last. */
  sequence: number;
  timestamp = 0;
  readonly #firstTimestamp: number;
  readonly #slots: readonly Buffer[];
  #slot = 0;

  /** @param hasEvenSsrc for RIST, which marks what is sent again in the lowest bit */
  constructor(hasEvenSsrc = false) {
    const random = randomBytes(10);
    this.ssrc = (random.readUInt32BE(0) & (hasEvenSsrc ? ~1 : ~0)) >>> 0;
    this.#firstTimestamp = random.readUInt32BE(4);
    this.sequence = random.readUInt16BE(8);
    this.#slots = Array.from({ length: DATAGRAMS_IN_FLIGHT }, () =>
      Buffer.alloc(RTP_HEADER_BYTES + USUAL_PAYLOAD_BYTES),
    );
  }

  /** The stream's clock, at a time. */
  ticksAt(now: number): number {
    return (this.#firstTimestamp + Math.round(now * TICKS_PER_MS)) >>> 0;
  }

  /** @returns a packet that is written anew after `DATAGRAMS_IN_FLIGHT` others */
  next(payload: Buffer, now: number): Buffer {
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = this.ticksAt(now);
    return this.write(payload, this.sequence, this.timestamp, this.ssrc);
  }

  /** Makes a packet that may have been sent before. */
  write(payload: Buffer, sequence: number, timestamp: number, ssrc: number): Buffer {
    const packet = this.#takeSlot(payload.length);
    writeRtpHeader(packet, TRANSPORT_STREAM_TYPE, sequence, timestamp, ssrc);
    packet.set(payload, RTP_HEADER_BYTES);
    return packet;
  }

  #takeSlot(payloadBytes: number): Buffer {
    const slot = this.#slots[this.#slot];
    if (slot === undefined || payloadBytes > USUAL_PAYLOAD_BYTES) return Buffer.alloc(RTP_HEADER_BYTES + payloadBytes);
    this.#slot = (this.#slot + 1) % this.#slots.length;
    return payloadBytes === USUAL_PAYLOAD_BYTES ? slot : slot.subarray(0, RTP_HEADER_BYTES + payloadBytes);
  }
}
