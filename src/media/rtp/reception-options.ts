import type { ReorderOptions } from './reorder-buffer.ts';

/** Milliseconds that a packet is waited for which another one overtook. */
export const REORDER_WINDOW_MS = 20;

const ORDERED: ReorderOptions = {
  capacity: 512,
  windowMs: REORDER_WINDOW_MS,
  release: 'in-order',
  // As RFC 3550, appendix A.1 tells another stream from a gap.
  maxJump: 3000,
  maxLateness: 1000,
  needsPause: false,
  lateRestartMs: 500,
};

/** Nobody waits behind a gap, so that it can stay open for as long as the other source may lag. */
const AS_THEY_COME: ReorderOptions = { ...ORDERED, capacity: 4096, windowMs: 500, release: 'on-arrival' };

/** How the packets of an RTP stream are received that nobody sends again. */
export function receptionOptions(isOrdered: boolean): ReorderOptions {
  return isOrdered ? ORDERED : AS_THEY_COME;
}
