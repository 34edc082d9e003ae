/**
 * How far one 16-bit sequence number is after another, the shorter way round.
 *
 * @returns -32768 to 32767
 */
export function sequenceDifference(later: number, earlier: number): number {
  return ((later - earlier) << 16) >> 16;
}
