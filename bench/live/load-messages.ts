import type { OutputTransport, SourceTransport } from '#media/live/flow-spec.ts';

/** Bench → load process; each is answered once. */
export type ToLoad =
  | { readonly kind: 'send'; readonly outputs: readonly OutputTransport[] /** Of each. */; readonly bitRate: number }
  | { readonly kind: 'take'; readonly sources: readonly SourceTransport[]; readonly sampleEvery: number }
  /** Answered when every leg is connected. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'begin' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'count' };

export type FromLoad =
  | { readonly kind: 'ready' }
  | { readonly kind: 'sent'; readonly packets: readonly number[] }
  | { readonly kind: 'counts'; readonly counts: readonly StreamCounts[] };

/** What came of one stream. */
export interface StreamCounts {
  packets: number;
  /** Numbers that were left out. */
  lost: number;
  /** Packets that came behind a later one. */
  late: number;
  /** Milliseconds from the sender to the taker, of a sample of the packets. */
  latencies: number[];
}
