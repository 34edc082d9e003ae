/** ISO/IEC 13818-1, 2.4.3.2. */
export const TS_PACKET_BYTES = 188;
export const SYNC_BYTE = 0x47;
export const PAT_PID = 0;
export const CAT_PID = 1;
export const NULL_PID = 0x1fff;
/** PIDs have 13 bits. */
export const PID_COUNT = 0x2000;

/** What is carried in one datagram: seven packets, as everybody does. */
export const DATAGRAM_BYTES = 7 * TS_PACKET_BYTES;

/** Where a packet's payload begins, from the packet's first byte; `TS_PACKET_BYTES` where it has none. */
export function payloadOffset(data: Buffer, at: number): number {
  const control = ((data[at + 3] ?? 0) >> 4) & 3;
  if ((control & 1) === 0) return TS_PACKET_BYTES;
  if ((control & 2) === 0) return 4;
  return Math.min(TS_PACKET_BYTES, 5 + (data[at + 4] ?? 0));
}
