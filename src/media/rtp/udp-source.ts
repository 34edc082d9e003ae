import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { ListeningPorts } from './listening-ports.ts';

/** Datagrams as they come. */
export class UdpSource implements SourceLeg {
  readonly #ports: ListeningPorts;
  #bytes = 0;
  #packets = 0;
  #dropped = 0;

  constructor(transport: ListenAddress, sink: PacketSink, onEvent: LegEventListener) {
    this.#ports = new ListeningPorts({
      listen: transport,
      onEvent,
      onDatagram: (datagram, from, _, now) => {
        if (datagram.length === 0) {
          this.#dropped++;
          return;
        }
        this.#ports.heard(from, now);
        this.#bytes += datagram.length;
        this.#packets++;
        sink.packet(datagram);
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
      bytes: this.#bytes,
      packets: this.#packets,
      recovered: 0,
      lost: 0,
      dropped: this.#dropped,
      overflow: 0,
      arqRequests: 0,
      arqRecovered: 0,
      fecPackets: 0,
      fecRecovered: 0,
      roundTripMs: undefined,
      jitterMs: undefined,
      ...this.#ports.statistics(),
    };
  }
}
