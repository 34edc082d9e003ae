/** Smaller ones may lie together in buffers of Node's own. */
const SMALLEST = 16 * 1024;

/**
 * Gives the memory of a large buffer back at once; nothing may use the buffer afterwards. The garbage collector would,
 * too, but such memory counts as pressure on it: it would walk the whole heap every few segments.
 */
export function releaseBuffer({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < SMALLEST || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
