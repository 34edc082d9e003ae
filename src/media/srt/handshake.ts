import { type HandshakeExtensions, readExtensions, type SentExtensions, writeExtensions } from './extensions.ts';
import { CONTROL, HEADER_BYTES, LONGEST_PACKET, writeControlHeader } from './packet.ts';

/** The answer to an induction has it where conclusions have their extension flags. */
export const SRT_MAGIC = 0x4a17;

const HANDSHAKE_BYTES = 48;

export const REQUEST = { induction: 1, conclusion: 0xffff_ffff } as const;
/** Request types from here on refuse. */
export const FIRST_REJECT = 1000;

export interface Handshake {
  /** 4 in a caller's induction, 5 after. */
  readonly version: number;
  /** Bytes of the key that the side would use; 0 leaves it to the other. */
  readonly keyBytes: number;
  /** The lower half of the type field: extension flags, {@link SRT_MAGIC}, or 2 in a caller's induction. */
  readonly flags: number;
  readonly initialSequence: number;
  /** The whole IP packet's. */
  readonly longestPacket: number;
  /** Packets. */
  readonly flightWindow: number;
  /** One of {@link REQUEST}, or a code that refuses. */
  readonly request: number;
  readonly socketId: number;
  readonly cookie: number;
}

export interface HandshakePacket extends Handshake, HandshakeExtensions {
  readonly timestamp: number;
  readonly destination: number;
}

/** @returns `undefined` of what is no handshake, or a damaged one */
export function readHandshake(packet: Buffer): HandshakePacket | undefined {
  if (packet.length < HEADER_BYTES + HANDSHAKE_BYTES || packet.readUInt32BE(0) !== 0x8000_0000) return undefined;
  const body = packet.subarray(HEADER_BYTES);
  const flags = body.readUInt16BE(6);
  const request = body.readUInt32BE(20);
  const version = body.readUInt32BE(0);
  const isExtended = request === REQUEST.conclusion && version === 5;
  const extensions = isExtended ? readExtensions(body.subarray(HANDSHAKE_BYTES)) : {};
  if (extensions === undefined) return undefined;
  return {
    timestamp: packet.readUInt32BE(8),
    destination: packet.readUInt32BE(12),
    version,
    keyBytes: keyBytesOfField(body.readUInt16BE(4)),
    flags,
    initialSequence: body.readUInt32BE(8) & 0x7fff_ffff,
    longestPacket: body.readUInt32BE(12),
    flightWindow: body.readUInt32BE(16),
    request,
    socketId: body.readUInt32BE(24),
    cookie: body.readUInt32BE(28),
    ...extensions,
  };
}

/** @param address the peer's IP address, which the protocol has in the packet */
export function writeHandshake(
  handshake: Handshake & { readonly timestamp: number; readonly destination: number },
  address: string,
  extensions?: SentExtensions,
): Buffer {
  const packet = Buffer.alloc(LONGEST_PACKET);
  writeControlHeader(packet, { type: CONTROL.handshake, ...handshake });
  const body = packet.subarray(HEADER_BYTES);
  body.writeUInt32BE(handshake.version, 0);
  body.writeUInt16BE(handshake.keyBytes >> 3, 4);
  body.writeUInt16BE(handshake.flags, 6);
  body.writeUInt32BE(handshake.initialSequence, 8);
  body.writeUInt32BE(handshake.longestPacket, 12);
  body.writeUInt32BE(handshake.flightWindow, 16);
  body.writeUInt32BE(handshake.request, 20);
  body.writeUInt32BE(handshake.socketId, 24);
  body.writeUInt32BE(handshake.cookie, 28);
  writeAddress(body, address);
  if (extensions === undefined) return packet.subarray(0, HEADER_BYTES + HANDSHAKE_BYTES);
  const { bytes, flags } = writeExtensions(extensions, body.subarray(HANDSHAKE_BYTES));
  body.writeUInt16BE(flags, 6);
  return packet.subarray(0, HEADER_BYTES + HANDSHAKE_BYTES + bytes);
}

/** The field counts in eight bytes; what is no AES key's length is none. */
function keyBytesOfField(field: number): number {
  return field >= 2 && field <= 4 ? field * 8 : 0;
}

/** libsrt has the address in little-endian words; nothing reads it. IPv6 addresses are left out. */
function writeAddress(body: Buffer, address: string): void {
  const parts = address.split('.').map(Number);
  if (parts.length === 4) body.set(parts.reverse(), 32);
}
