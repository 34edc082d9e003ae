import { CountedSink, NOTHING_RECOVERED } from '../live/counted-sink.ts';
import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { ListeningPorts } from './listening-ports.ts';
import { receptionOptions } from './reception-options.ts';
import { ReorderBuffer } from './reorder-buffer.ts';
import { RtpReception } from './rtp-reception.ts';

/** An RTP stream (RFC 3550) of a transport stream (RFC 2250). */
export class RtpSource implements SourceLeg {
  readonly #ports: ListeningPorts;
  readonly #sink: CountedSink;
  readonly #reorder: ReorderBuffer;
  readonly #reception: RtpReception;

  /** @param options.isOrdered false delivers at once what comes, once each, in the order of arrival */
  constructor(
    transport: ListenAddress,
    sink: PacketSink,
    onEvent: LegEventListener,
    options: { readonly isOrdered: boolean },
  ) {
    this.#sink = new CountedSink(sink);
    const reorder = new ReorderBuffer(receptionOptions(options.isOrdered), (payload, sequence) =>
      this.#sink.packet(payload, sequence),
    );
    this.#reorder = reorder;
    this.#reception = new RtpReception({
      media: (payload, sequence, now) => reorder.add(payload, sequence, now),
      restart: () => reorder.restart(),
    });
    this.#ports = new ListeningPorts({
      listen: transport,
      onEvent,
      onDatagram: (datagram, from, _, now) => {
        if (!this.#reception.take(datagram, now)) return;
        this.#ports.heard(from, now);
        this.#ports.wakeAt(reorder.deadline);
      },
      onTick: (now) => {
        reorder.tick(now);
        this.#ports.wakeAt(reorder.deadline);
      },
    });
  }

  get port(): number | undefined {
    return this.#ports.port;
  }

  open(): Promise<void> {
    return this.#ports.open();
  }

  close(): Promise<void> {
    return this.#ports.close();
  }

  statistics(): SourceStatistics {
    return {
      ...NOTHING_RECOVERED,
      ...this.#sink.statistics(),
      lost: this.#reorder.lost,
      dropped: this.#reception.dropped + this.#reorder.dropped,
      jitterMs: this.#reception.jitterMs,
      ...this.#ports.statistics(),
    };
  }
}
