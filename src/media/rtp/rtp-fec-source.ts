import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { COLUMN_PORT_OFFSET, ROW_PORT_OFFSET } from './fec-packet.ts';
import { FecReceiver } from './fec-receiver.ts';
import { JitterMeter } from './jitter-meter.ts';
import { ListeningPorts } from './listening-ports.ts';
import { RtpPacketView } from './rtp-packet.ts';
import { SenderLock } from './sender-lock.ts';

const ROW = 2;

/** An RTP stream with FEC (SMPTE ST 2022-1): the media on a port, FEC of columns two above it, of rows four above it. */
export class RtpFecSource implements SourceLeg {
  readonly #ports: ListeningPorts;
  readonly #receiver: FecReceiver;
  readonly #view = new RtpPacketView();
  readonly #lock = new SenderLock();
  readonly #jitter = new JitterMeter();
  #bytes = 0;
  #packets = 0;
  #dropped = 0;

  /** @param options.isOrdered false delivers at once what comes or is recovered, once each */
  constructor(
    transport: ListenAddress,
    sink: PacketSink,
    onEvent: LegEventListener,
    options: { readonly isOrdered: boolean },
  ) {
    this.#receiver = new FecReceiver(options.isOrdered, (payload, sequence) => {
      this.#bytes += payload.length;
      this.#packets++;
      sink.packet(payload, sequence);
    });
    this.#ports = new ListeningPorts({
      listen: transport,
      offsets: [COLUMN_PORT_OFFSET, ROW_PORT_OFFSET],
      onEvent,
      onDatagram: (datagram, from, index, now) => {
        if (index > 0) this.#receiver.fec(datagram, index === ROW, now);
        else if (this.#takeMedia(datagram, now)) this.#ports.heard(from, now);
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
      bytes: this.#bytes,
      packets: this.#packets,
      recovered: this.#receiver.recovered,
      lost: this.#receiver.lost,
      dropped: this.#dropped + this.#receiver.dropped,
      overflow: 0,
      arqRequests: 0,
      arqRecovered: 0,
      fecPackets: this.#receiver.fecPackets,
      fecRecovered: this.#receiver.recovered,
      roundTripMs: undefined,
      jitterMs: this.#jitter.milliseconds,
      ...this.#ports.statistics(),
    };
  }

  /** @returns whether it is a packet of the stream */
  #takeMedia(datagram: Buffer, now: number): boolean {
    const view = this.#view;
    const isPacket = view.read(datagram);
    if (isPacket && view.isControl) return false;
    const sender = isPacket && view.isTransportStream ? this.#lock.hear(view.ssrc, now) : 'other';
    if (sender === 'other') {
      this.#dropped++;
      return false;
    }
    if (sender === 'changed') this.#receiver.restart();
    const payload = datagram.subarray(view.payloadStart, view.payloadEnd);
    const result = this.#receiver.media(datagram, payload, view.sequence, now);
    if (result === 'next') this.#jitter.add(view.timestamp, now);
    return true;
  }
}
