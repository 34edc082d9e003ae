import type { Packet } from 'node-av/lib';

/**
 * Gives a packet other bytes. Its old ones, which other packets may share, stay as they are; what else it says of itself is
 * lost by the assignment, and put back.
 */
export function replaceData(packet: Packet, data: Buffer): void {
  const { pts, dts, duration, flags, streamIndex, timeBase } = packet;
  packet.data = data;
  packet.pts = pts;
  packet.dts = dts;
  packet.duration = duration;
  packet.flags = flags;
  packet.streamIndex = streamIndex;
  packet.timeBase = timeBase;
}
