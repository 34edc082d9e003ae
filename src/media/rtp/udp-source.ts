import { CountedSink, NOTHING_RECOVERED } from '../live/counted-sink.ts';
import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { ListeningPorts } from './listening-ports.ts';

/** Datagrams as they come. */
export class UdpSource implements SourceLeg {
  readonly #ports: ListeningPorts;
  readonly #sink: CountedSink;
  #dropped = 0;

  constructor(transport: ListenAddress, sink: PacketSink, onEvent: LegEventListener) {
    this.#sink = new CountedSink(sink);
    this.#ports = new ListeningPorts({
      listen: transport,
      onEvent,
      onDatagram: (datagram, from, _, now) => {
        if (datagram.length === 0) {
          this.#dropped++;
          return;
        }
        this.#ports.heard(from, now);
        this.#sink.packet(datagram);
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
      dropped: this.#dropped,
      ...this.#ports.statistics(),
    };
  }
}
