import type { SrtSettings } from '../live/flow-spec.ts';
import { HELLO_FLAGS, type Hello } from './extensions.ts';
import type { KeyBytes } from './key-message.ts';

/** Tells peers what Coffer can: SRT 1.5. */
const VERSION = 0x010500;
/** Since 1.3.0 the handshake is the one of today. */
export const OLDEST_VERSION = 0x010300;

/** Milliseconds: no side waits longer for a lost packet. */
const LONGEST_LATENCY = 15_000;

/** Bytes of an IP packet, and packets on their way, that Coffer takes. */
export const LONGEST_IP_PACKET = 1500;
export const FLIGHT_WINDOW = 32_768;

/** 16 unless the settings say otherwise. */
export function keyBytesOf({ encryption }: SrtSettings): KeyBytes | 0 {
  return encryption === undefined ? 0 : (encryption.keyBytes ?? 16);
}

/** Latencies in milliseconds, as this side has or wants them. */
export function liveHello(receiverLatencyMs: number, senderLatencyMs: number): Hello {
  const { filter: _, stream: __, ...live } = HELLO_FLAGS;
  const flags = Object.values(live).reduce((all, flag) => all | flag, 0);
  return { version: VERSION, flags, receiverLatencyMs, senderLatencyMs };
}

/** The larger of both sides' wishes, within bounds. */
export function agreedLatency(own: number, others: number): number {
  return Math.min(Math.max(own, others), LONGEST_LATENCY);
}

export function isLive({ flags }: Hello): boolean {
  return (flags & HELLO_FLAGS.stream) === 0 && (flags & HELLO_FLAGS.tsbpdSender) !== 0;
}
