import { CountedSink, NOTHING_RECOVERED } from '../live/counted-sink.ts';
import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { COLUMN_PORT_OFFSET, ROW_PORT_OFFSET } from './fec-packet.ts';
import { FecReceiver } from './fec-receiver.ts';
import { ListeningPorts } from './listening-ports.ts';
import { RtpReception } from './rtp-reception.ts';

const ROW = 2;

/** An RTP stream with FEC (SMPTE ST 2022-1): the media on a port, FEC of columns two above it, of rows four above it. */
export class RtpFecSource implements SourceLeg {
  readonly #ports: ListeningPorts;
  readonly #sink: CountedSink;
  readonly #receiver: FecReceiver;
  readonly #reception: RtpReception;

  /** @param options.isOrdered false delivers at once what comes or is recovered, once each */
  constructor(
    transport: ListenAddress,
    sink: PacketSink,
    onEvent: LegEventListener,
    options: { readonly isOrdered: boolean },
  ) {
    this.#sink = new CountedSink(sink);
    this.#receiver = new FecReceiver(options.isOrdered, (payload, sequence) => this.#sink.packet(payload, sequence));
    this.#reception = new RtpReception({
      media: (payload, sequence, now, datagram) => this.#receiver.media(datagram, payload, sequence, now),
      restart: () => this.#receiver.restart(),
    });
    this.#ports = new ListeningPorts({
      listen: transport,
      offsets: [COLUMN_PORT_OFFSET, ROW_PORT_OFFSET],
      onEvent,
      onDatagram: (datagram, from, index, now) => {
        if (index > 0) this.#receiver.fec(datagram, index === ROW, now);
        else if (this.#reception.take(datagram, now)) this.#ports.heard(from, now);
        this.#ports.wakeAt(this.#receiver.deadline(now));
      },
      onTick: (now) => {
        this.#receiver.tick(now);
        this.#ports.wakeAt(this.#receiver.deadline(now));
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
      recovered: this.#receiver.recovered,
      lost: this.#receiver.lost,
      dropped: this.#reception.dropped + this.#receiver.dropped,
      fecPackets: this.#receiver.fecPackets,
      fecRecovered: this.#receiver.recovered,
      jitterMs: this.#reception.jitterMs,
      ...this.#ports.statistics(),
    };
  }
}
