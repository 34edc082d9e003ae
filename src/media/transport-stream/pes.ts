import { payloadOffset, TS_PACKET_BYTES } from './ts-packet.ts';

/** What a packet says with which a PES packet begins (ISO/IEC 13818-1, 2.4.3.6). Times count 90,000 a second. */
export interface PesStart {
  readonly pts: number | undefined;
  readonly dts: number | undefined;
  /** Where the elementary stream's bytes begin, from the beginning of `data`. */
  readonly at: number;
}

/** @returns `undefined` where no PES packet begins */
export function readPesStart(data: Buffer, packet: number): PesStart | undefined {
  const from = packet + payloadOffset(data, packet);
  const end = packet + TS_PACKET_BYTES;
  if (from + 9 > end || data.readUIntBE(from, 3) !== 1) return undefined;
  const flags = (data[from + 7] ?? 0) >> 6;
  const at = from + 9 + (data[from + 8] ?? 0);
  if (at > end) return undefined;
  const pts = (flags & 2) !== 0 && from + 14 <= end ? readTime(data, from + 9) : undefined;
  const dts = flags === 3 && from + 19 <= end ? readTime(data, from + 14) : pts;
  return { pts, dts, at };
}

/** 33 bits, with marker bits in between. */
function readTime(data: Buffer, at: number): number {
  const high = ((data[at] ?? 0) >> 1) & 7;
  const middle = data.readUInt16BE(at + 1) >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + (data.readUInt16BE(at + 3) >> 1);
}
