/** SRT counts packets in 31 bits, and begins anywhere. */
export const SEQUENCE_MASK = 0x7fff_ffff;

/** How far `to` is after `from`; negative when it is before. Right up to half of the space. */
export function sequenceDistance(from: number, to: number): number {
  const distance = (to - from) & SEQUENCE_MASK;
  return distance < 0x4000_0000 ? distance : distance - 0x8000_0000;
}

/** The sequence number of the packet `count` after `sequence`. */
export function sequencePlus(sequence: number, count: number): number {
  return (sequence + (count % 0x8000_0000)) & SEQUENCE_MASK;
}
