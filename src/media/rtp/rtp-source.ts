import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { JitterMeter } from './jitter-meter.ts';
import { ListeningPorts } from './listening-ports.ts';
import { ReorderBuffer } from './reorder-buffer.ts';
import { RtpPacketView } from './rtp-packet.ts';
import { SenderLock } from './sender-lock.ts';
import { receptionOptions } from './reception-options.ts';

/** An RTP stream (RFC 3550) of a transport stream (RFC 2250). */
export class RtpSource implements SourceLeg {
  readonly #ports: ListeningPorts;
  readonly #reorder: ReorderBuffer;
  readonly #view = new RtpPacketView();
  readonly #lock = new SenderLock();
  readonly #jitter = new JitterMeter();
  #bytes = 0;
  #packets = 0;
  #dropped = 0;

  /** @param options.isOrdered false delivers at once what comes, once each, in the order of arrival */
  constructor(
    transport: ListenAddress,
    sink: PacketSink,
    onEvent: LegEventListener,
    options: { readonly isOrdered: boolean },
  ) {
    this.#reorder = new ReorderBuffer(receptionOptions(options.isOrdered), (payload, sequence) => {
      this.#bytes += payload.length;
      this.#packets++;
      sink.packet(payload, sequence);
    });
    this.#ports = new ListeningPorts({
      listen: transport,
      onEvent,
      onDatagram: (datagram, from, _, now) => {
        if (!this.#take(datagram, now)) return;
        this.#ports.heard(from, now);
        this.#ports.wakeAt(this.#reorder.deadline);
      },
      onTick: (now) => {
        this.#reorder.tick(now);
        this.#ports.wakeAt(this.#reorder.deadline);
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
      lost: this.#reorder.lost,
      dropped: this.#dropped + this.#reorder.dropped,
      overflow: 0,
      arqRequests: 0,
      arqRecovered: 0,
      fecPackets: 0,
      fecRecovered: 0,
      roundTripMs: undefined,
      jitterMs: this.#jitter.milliseconds,
      ...this.#ports.statistics(),
    };
  }

  /** @returns whether it is a packet of the stream */
  #take(datagram: Buffer, now: number): boolean {
    const view = this.#view;
    const isPacket = view.read(datagram);
    if (isPacket && view.isControl) return false;
    const sender = isPacket && view.isTransportStream ? this.#lock.hear(view.ssrc, now) : 'other';
    if (sender === 'other') {
      this.#dropped++;
      return false;
    }
    if (sender === 'changed') this.#reorder.restart();
    const payload = datagram.subarray(view.payloadStart, view.payloadEnd);
    const result = this.#reorder.add(payload, view.sequence, now);
    if (result === 'next') this.#jitter.add(view.timestamp, now);
    return true;
  }
}
