import type { PacketSink, SourceStatistics } from './leg.ts';

/** Passes on what a source gives, and counts it. */
export class CountedSink implements PacketSink {
  readonly #sink: PacketSink;
  #bytes = 0;
  #packets = 0;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  packet(payload: Buffer, sequence?: number): void {
    this.#bytes += payload.length;
    this.#packets++;
    this.#sink.packet(payload, sequence);
  }

  statistics(): Pick<SourceStatistics, 'bytes' | 'packets'> {
    return { bytes: this.#bytes, packets: this.#packets };
  }
}

/** What transports count that can do more: for those that ask for nothing again, and make nothing from FEC. */
export const NOTHING_RECOVERED = {
  recovered: 0,
  lost: 0,
  overflow: 0,
  arqRequests: 0,
  arqRecovered: 0,
  fecPackets: 0,
  fecRecovered: 0,
  roundTripMs: undefined,
  jitterMs: undefined,
} as const satisfies Partial<SourceStatistics>;
