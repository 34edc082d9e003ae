/** Bytes of an RTP header without contributing sources and extension. */
export const RTP_HEADER_BYTES = 12;

/** MPEG-2 transport stream (RFC 3551). Frozen. */
export const TRANSPORT_STREAM_TYPE = 33;

/** Ticks a millisecond of the clock that transport streams are stamped with. */
export const TICKS_PER_MS = 90;

const VERSION_2 = 0x80;

/** What an RTP datagram says (RFC 3550). One view reads one datagram after the other, so that none is made for each. */
export class RtpPacketView {
  sequence = 0;
  /** Of the sender's clock; 32 bits, unsigned. */
  timestamp = 0;
  ssrc = 0;
  payloadType = 0;
  payloadStart = 0;
  payloadEnd = 0;

  /** @returns whether the datagram is a whole RTP packet; where it is not, the view's fields mean nothing */
  read(datagram: Buffer): boolean {
    const { length } = datagram;
    if (length < RTP_HEADER_BYTES) return false;
    const flags = datagram[0] ?? 0;
    if ((flags & 0xc0) !== VERSION_2) return false;
    let start = RTP_HEADER_BYTES + (flags & 0x0f) * 4;
    let end = length;
    if ((flags & 0x10) !== 0) {
      if (start + 4 > length) return false;
      start += 4 + datagram.readUInt16BE(start + 2) * 4;
    }
    if (start > length) return false;
    if ((flags & 0x20) !== 0) {
      const padding = datagram[length - 1] ?? 0;
      end -= padding;
      if (padding === 0 || end < start) return false;
    }
    this.payloadType = (datagram[1] ?? 0) & 0x7f;
    this.sequence = datagram.readUInt16BE(2);
    this.timestamp = datagram.readUInt32BE(4);
    this.ssrc = datagram.readUInt32BE(8);
    this.payloadStart = start;
    this.payloadEnd = end;
    return true;
  }

  /** A transport stream, or a dynamic type, which senders use for it too. */
  get isTransportStream(): boolean {
    return this.payloadType === TRANSPORT_STREAM_TYPE || this.payloadType >= 96;
  }

  /** RTCP that came to the port of the media: its packet types 200 to 207 look like these. */
  get isControl(): boolean {
    return this.payloadType >= 72 && this.payloadType <= 79;
  }
}

/** Writes a header without extension at the beginning of `packet`. */
export function writeRtpHeader(
  packet: Buffer,
  payloadType: number,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  packet[0] = VERSION_2;
  packet[1] = payloadType;
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp >>> 0, 4);
  packet.writeUInt32BE(ssrc >>> 0, 8);
}
