import { isDeepStrictEqual } from 'node:util';
import { PacketAligner } from '../transport-stream/packet-aligner.ts';
import { StreamMonitor } from '../transport-stream/stream-monitor.ts';
import type { SourceReport } from './flow-engine.ts';
import type { SourceSpec } from './flow-spec.ts';
import type { LegEvent, SourceLeg } from './leg.ts';
import { createSource } from './open-legs.ts';
import { RateLimit } from './rate-limit.ts';
import { RateMeter } from './rate-meter.ts';

/** Takes what a source gives, for the flow. */
export interface IntakePort {
  /**
   * One datagram's payload as it came, with its RTP sequence number, of sources whose packets are put in order together.
   */
  packet(payload: Buffer, sequence: number | undefined, now: number): void;
  /** A datagram of whole transport stream packets, of all other sources. */
  datagram(datagram: Buffer, now: number): void;
}

/** One source of a flow: its leg, its limit and its monitor. */
export class SourceInput {
  readonly spec: SourceSpec;
  readonly monitor: StreamMonitor;
  readonly aligner: PacketAligner;
  /** Where the packets go; it changes when the flow's other source does. */
  port: IntakePort | undefined;
  readonly #isMerged: boolean;
  readonly #leg: SourceLeg;
  readonly #limit: RateLimit | undefined;
  readonly #meter = new RateMeter();
  #now = 0;

  /** @param isMerged whether its packets are put in order together with those of another source */
  constructor(
    spec: SourceSpec,
    isMerged: boolean,
    keepsKeyFrame: boolean,
    onEvent: (legId: string, event: LegEvent) => void,
  ) {
    this.spec = spec;
    this.#isMerged = isMerged;
    this.monitor = new StreamMonitor(keepsKeyFrame);
    this.aligner = new PacketAligner((datagram) => {
      this.monitor.inspect(datagram, this.#now);
      this.port?.datagram(datagram, this.#now);
    });
    this.#limit = spec.maxBitrate === undefined ? undefined : new RateLimit(spec.maxBitrate);
    const sink = { packet: (payload: Buffer, sequence?: number) => this.#packet(payload, sequence) };
    this.#leg = createSource(spec.transport, sink, (event) => onEvent(spec.id, event), !isMerged);
  }

  /** Whether this input can go on as the one of another specification. */
  serves(spec: SourceSpec, isMerged: boolean): boolean {
    return this.#isMerged === isMerged && isDeepStrictEqual(this.spec, spec);
  }

  get listenPort(): number | undefined {
    return this.#leg.port;
  }

  /** @throws LegError */
  open(): Promise<void> {
    return this.#leg.open();
  }

  async close(): Promise<void> {
    this.port = undefined;
    await this.#leg.close();
  }

  tick(now: number): void {
    this.#now = now;
    if (!this.#isMerged) this.aligner.flush();
  }

  report(now: number): SourceReport {
    const statistics = this.#leg.statistics();
    const dropped = this.#limit?.dropped ?? 0;
    return {
      id: this.spec.id,
      name: this.spec.name,
      statistics: { ...statistics, overflow: statistics.overflow + dropped },
      bitsPerSecond: this.#meter.read(statistics.bytes, now),
      health: this.monitor.health(this.aligner.counters),
    };
  }

  #packet(payload: Buffer, sequence: number | undefined): void {
    const now = performance.now();
    this.#now = now;
    if (this.#limit?.admits(payload.length, now) === false) return;
    if (this.#isMerged) this.port?.packet(payload, sequence, now);
    else this.aligner.push(payload);
  }
}
