/** Bytes before the payload of a data packet, and before the body of a control packet. */
export const HEADER_BYTES = 16;

/** Ethernet's 1500 without the IP and UDP headers, and what then is left for a payload. */
export const LONGEST_PACKET = 1472;
export const LONGEST_PAYLOAD = LONGEST_PACKET - HEADER_BYTES;

export const CONTROL = {
  handshake: 0x0000,
  keepAlive: 0x0001,
  acknowledgement: 0x0002,
  loss: 0x0003,
  congestion: 0x0004,
  shutdown: 0x0005,
  acknowledged: 0x0006,
  drop: 0x0007,
  peerError: 0x0008,
  extension: 0x7fff,
} as const;

/** What a control packet of the type `extension` carries. */
export const EXTENSION = { keyRequest: 3, keyResponse: 4 } as const;

/** The key bits of a data packet. 0 is plain, 3 belongs to control packets only. */
export type KeyBits = 0 | 1 | 2 | 3;
export const EVEN_KEY = 1;
export const ODD_KEY = 2;

export const isControl = (packet: Buffer): boolean => ((packet[0] as number) & 0x80) !== 0;
export const controlTypeOf = (packet: Buffer): number => packet.readUInt16BE(0) & 0x7fff;
export const subtypeOf = (packet: Buffer): number => packet.readUInt16BE(2);
/** The field that control packets use as they like: an acknowledgement's number, a message's number. */
export const infoOf = (packet: Buffer): number => packet.readUInt32BE(4);
/** Microseconds of the sender's clock, modulo 2^32. */
export const timestampOf = (packet: Buffer): number => packet.readUInt32BE(8);
export const destinationOf = (packet: Buffer): number => packet.readUInt32BE(12);
export const bodyOf = (packet: Buffer): Buffer => packet.subarray(HEADER_BYTES);

export const sequenceOf = (packet: Buffer): number => packet.readUInt32BE(0) & 0x7fff_ffff;
export const keyBitsOf = (packet: Buffer): KeyBits => (((packet[4] as number) >> 3) & 3) as KeyBits;
export const isResent = (packet: Buffer): boolean => ((packet[4] as number) & 0x04) !== 0;
/** Whether the packet is a message of its own, as all are in live mode. */
export const isWholeMessage = (packet: Buffer): boolean => (packet[4] as number) >> 6 === 3;

/** Writes the header of a control packet. */
export function writeControlHeader(
  packet: Buffer,
  header: { type: number; subtype?: number; info?: number; timestamp: number; destination: number },
): void {
  packet.writeUInt16BE(0x8000 | header.type, 0);
  packet.writeUInt16BE(header.subtype ?? 0, 2);
  packet.writeUInt32BE((header.info ?? 0) >>> 0, 4);
  packet.writeUInt32BE(header.timestamp >>> 0, 8);
  packet.writeUInt32BE(header.destination, 12);
}

const ONLY_PACKET_OF_MESSAGE = 0xc000_0000;
const RESENT = 0x0400_0000;
const MESSAGE_MASK = 0x03ff_ffff;

/** Writes the header of a data packet; one call a packet, so the values come one by one. */
export function writeDataHeader(
  packet: Buffer,
  sequence: number,
  message: number,
  keyBits: KeyBits,
  resent: boolean,
  timestamp: number,
  destination: number,
): void {
  packet.writeUInt32BE(sequence, 0);
  const flags = ONLY_PACKET_OF_MESSAGE | (keyBits << 27) | (resent ? RESENT : 0);
  packet.writeUInt32BE((flags | (message & MESSAGE_MASK)) >>> 0, 4);
  packet.writeUInt32BE(timestamp, 8);
  packet.writeUInt32BE(destination, 12);
}

/** Microseconds since `startedAt` (both in milliseconds), as a packet's timestamp has them. */
export function timestampAt(now: number, startedAt: number): number {
  return Math.round((now - startedAt) * 1000) % 2 ** 32;
}
