/** RTCP as RIST uses it: RFC 3550, RFC 4585 and VSF TR-06-1. Frozen. */
const RTCP = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  application: 204,
  transportFeedback: 205,
} as const;

/** What the application packets named `RIST` carry, by their subtypes. Frozen. */
const RIST_SUBTYPE = { rangeNack: 0, echoRequest: 2, echoResponse: 3 } as const;

/** The format of transport feedback that is a NACK. */
const GENERIC_NACK = 1;

const RIST_NAME = 0x52495354;
const NTP_EPOCH_S = 2_208_988_800;

/** More are not read of one datagram, so that a hostile one is cheap. */
const MOST_PACKETS = 16;

/** What a receiver or a sender does with the parts of a compound RTCP datagram. */
export interface RtcpListener {
  /** @param middle the middle 32 bits of the sender's NTP time */
  senderReport?(ssrc: number, middle: number): void;
  receiverReport?(): void;
  /** `count` packets from `sequence` on are asked for. */
  nack?(sequence: number, count: number): void;
  echoRequest?(ssrc: number, high: number, low: number): void;
  /** @param delayUs microseconds that the other side took for the answer */
  echoResponse?(high: number, low: number, delayUs: number): void;
}

/**
 * Reads a compound datagram, and tells of its parts up to the first that is malformed.
 *
 * @returns whether it began with a well-formed report, as each does
 */
export function readRtcp(datagram: Buffer, listener: RtcpListener): boolean {
  let at = 0;
  for (let count = 0; count < MOST_PACKETS && at + 8 <= datagram.length; count++) {
    const flags = datagram[at] ?? 0;
    const type = datagram[at + 1] ?? 0;
    const end = at + 4 + datagram.readUInt16BE(at + 2) * 4;
    if (flags >> 6 !== 2 || end > datagram.length || end < at + 8) return count > 0;
    if (count === 0 && type !== RTCP.senderReport && type !== RTCP.receiverReport) return false;
    readPart(datagram, at, end, flags & 0x1f, type, listener);
    at = end;
  }
  return at > 0;
}

function readPart(datagram: Buffer, at: number, end: number, subtype: number, type: number, listener: RtcpListener) {
  const ssrc = datagram.readUInt32BE(at + 4);
  if (type === RTCP.senderReport && end - at >= 28) {
    const middle = (((datagram.readUInt32BE(at + 8) & 0xffff) << 16) | datagram.readUInt16BE(at + 12)) >>> 0;
    listener.senderReport?.(ssrc, middle);
  } else if (type === RTCP.receiverReport) listener.receiverReport?.();
  else if (type === RTCP.transportFeedback && subtype === GENERIC_NACK) readBitmasks(datagram, at + 12, end, listener);
  else if (type === RTCP.application && end - at >= 12 && datagram.readUInt32BE(at + 8) === RIST_NAME) {
    if (subtype === RIST_SUBTYPE.rangeNack) readRanges(datagram, at + 12, end, listener);
    else if (end - at >= 24) readEcho(datagram, at, subtype, ssrc, listener);
  }
}

function readRanges(datagram: Buffer, start: number, end: number, listener: RtcpListener): void {
  for (let at = start; at + 4 <= end; at += 4) {
    listener.nack?.(datagram.readUInt16BE(at), datagram.readUInt16BE(at + 2) + 1);
  }
}

function readBitmasks(datagram: Buffer, start: number, end: number, listener: RtcpListener): void {
  for (let at = start; at + 4 <= end; at += 4) {
    const first = datagram.readUInt16BE(at);
    listener.nack?.(first, 1);
    for (let mask = datagram.readUInt16BE(at + 2), offset = 1; mask !== 0; mask >>= 1, offset++) {
      if ((mask & 1) !== 0) listener.nack?.((first + offset) & 0xffff, 1);
    }
  }
}

function readEcho(datagram: Buffer, at: number, subtype: number, ssrc: number, listener: RtcpListener): void {
  const high = datagram.readUInt32BE(at + 12);
  const low = datagram.readUInt32BE(at + 16);
  if (subtype === RIST_SUBTYPE.echoRequest) listener.echoRequest?.(ssrc, high, low);
  if (subtype === RIST_SUBTYPE.echoResponse) listener.echoResponse?.(high, low, datagram.readUInt32BE(at + 20));
}

/** What a receiver tells of a stream (RFC 3550, section 6.4.2). */
export interface ReceptionReport {
  readonly ssrc: number;
  /** Parts of 256. */
  readonly fractionLost: number;
  readonly lost: number;
  /** 32 bits: how often the sequence numbers wrapped, and the newest. */
  readonly newest: number;
  readonly jitterTicks: number;
  /** The middle 32 bits of the NTP time of the last sender's report, and 1/65536 s since it came; 0 without one. */
  readonly lastReport: number;
  readonly sinceLastReport: number;
}

/** Writes compound RTCP datagrams into one buffer. */
export class RtcpWriter {
  readonly #buffer = Buffer.alloc(1400);
  readonly #name: Buffer;
  #at = 0;

  /** @param ssrc of the side that writes; it names itself by it */
  constructor(ssrc: number) {
    this.#name = Buffer.from(`coffer-${ssrc.toString(16).padStart(8, '0')}`);
  }

  /** Begins anew. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  /** A copy of what was written. */
  datagram(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#at));
  }

  /** How many ranges fit yet. */
  get roomForRanges(): number {
    return Math.floor((this.#buffer.length - this.#at - 12) / 4);
  }

  senderReport(ssrc: number, epochMs: number, rtpTime: number, packets: number, bytes: number): this {
    const at = this.#head(0, RTCP.senderReport, 28, ssrc);
    this.#buffer.writeUInt32BE((Math.floor(epochMs / 1000) + NTP_EPOCH_S) >>> 0, at + 8);
    this.#buffer.writeUInt32BE(Math.floor(((epochMs % 1000) / 1000) * 2 ** 32) >>> 0, at + 12);
    this.#buffer.writeUInt32BE(rtpTime >>> 0, at + 16);
    this.#buffer.writeUInt32BE(packets >>> 0, at + 20);
    this.#buffer.writeUInt32BE(bytes >>> 0, at + 24);
    return this;
  }

  receiverReport(ssrc: number, report?: ReceptionReport): this {
    const at = this.#head(report === undefined ? 0 : 1, RTCP.receiverReport, report === undefined ? 8 : 32, ssrc);
    if (report === undefined) return this;
    this.#buffer.writeUInt32BE(report.ssrc, at + 8);
    this.#buffer.writeUInt32BE(((report.fractionLost << 24) | Math.min(report.lost, 0x7fffff)) >>> 0, at + 12);
    this.#buffer.writeUInt32BE(report.newest >>> 0, at + 16);
    this.#buffer.writeUInt32BE(report.jitterTicks >>> 0, at + 20);
    this.#buffer.writeUInt32BE(report.lastReport, at + 24);
    this.#buffer.writeUInt32BE(report.sinceLastReport >>> 0, at + 28);
    return this;
  }

  sourceDescription(ssrc: number): this {
    // The item list ends with at least one zero, and then at a multiple of four.
    const bytes = Math.ceil((8 + 2 + this.#name.length + 1) / 4) * 4;
    const at = this.#head(1, RTCP.sourceDescription, bytes, ssrc);
    this.#buffer.fill(0, at + 8, at + bytes);
    this.#buffer[at + 8] = 1;
    this.#buffer[at + 9] = this.#name.length;
    this.#buffer.set(this.#name, at + 10);
    return this;
  }

  /** @param ranges pairs: a sequence number, and how many more after it */
  rangeNack(mediaSsrc: number, ranges: Uint16Array, count: number): this {
    const at = this.#application(RIST_SUBTYPE.rangeNack, 12 + count * 4, mediaSsrc);
    for (let index = 0; index < count * 2; index++) this.#buffer.writeUInt16BE(ranges[index] ?? 0, at + 12 + index * 2);
    return this;
  }

  echo(subtype: 'echoRequest' | 'echoResponse', ssrc: number, high: number, low: number): this {
    const at = this.#application(RIST_SUBTYPE[subtype], 24, ssrc);
    this.#buffer.writeUInt32BE(high >>> 0, at + 12);
    this.#buffer.writeUInt32BE(low >>> 0, at + 16);
    // It is answered at once.
    this.#buffer.writeUInt32BE(0, at + 20);
    return this;
  }

  #application(subtype: number, bytes: number, ssrc: number): number {
    const at = this.#head(subtype, RTCP.application, bytes, ssrc);
    this.#buffer.writeUInt32BE(RIST_NAME, at + 8);
    return at;
  }

  #head(count: number, type: number, bytes: number, ssrc: number): number {
    const at = this.#at;
    this.#buffer[at] = 0x80 | count;
    this.#buffer[at + 1] = type;
    this.#buffer.writeUInt16BE(bytes / 4 - 1, at + 2);
    this.#buffer.writeUInt32BE(ssrc, at + 4);
    this.#at += bytes;
    return at;
  }
}
