import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { CountedSink, NOTHING_RECOVERED } from '../live/counted-sink.ts';
import type { ListenAddress } from '../live/flow-spec.ts';
import { LegError } from '../live/leg-error.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { JitterMeter } from '../rtp/jitter-meter.ts';
import { ListeningPorts } from '../rtp/listening-ports.ts';
import { RtpPacketView } from '../rtp/rtp-packet.ts';
import { SenderLock } from '../rtp/sender-lock.ts';
import { RistReceiver } from './rist-receiver.ts';
import { RoundTripMeter } from './round-trip-meter.ts';
import { type RtcpListener, RtcpWriter, readRtcp } from './rtcp-packet.ts';

/** Milliseconds between two looks at the buffer, two reports, and two measurements of the round trip. */
const STEP_MS = 5;
const REPORT_MS = 100;
const ECHO_MS = 1000;
/** Milliseconds without RTCP after which no more is sent to the sender. */
const CONTROL_SILENCE_MS = 5000;
const CONTROL = 1;
const MOST_RANGES = 256;

/** A RIST stream of the simple profile (VSF TR-06-1): RTP on an even port, RTCP on the next one. */
export class RistSource implements SourceLeg {
  readonly #listen: ListenAddress;
  readonly #ports: ListeningPorts;
  readonly #receiver: RistReceiver;
  readonly #view = new RtpPacketView();
  readonly #lock = new SenderLock();
  readonly #jitter = new JitterMeter();
  readonly #roundTrip = new RoundTripMeter();
  readonly #ssrc = (randomBytes(4).readUInt32BE() & ~1) >>> 0;
  readonly #writer = new RtcpWriter(this.#ssrc);
  readonly #ranges = new Uint16Array(MOST_RANGES * 2);
  readonly #sink: CountedSink;
  #dropped = 0;
  /** Of the stream that is received; even. */
  #mediaSsrc = 0;
  #media: RemoteInfo | undefined;
  #control: RemoteInfo | undefined;
  #controlAt = 0;
  #now = 0;
  #reportAt = 0;
  #echoAt = 0;
  #lastReport = 0;
  #lastReportAt = 0;
  #reportedLost = 0;
  #reportedNewest = 0;

  /** @param options.isOrdered false delivers at once what comes, once each, in the order of arrival */
  constructor(
    transport: ListenAddress & { readonly latencyMs: number },
    sink: PacketSink,
    onEvent: LegEventListener,
    options: { readonly isOrdered: boolean },
  ) {
    this.#listen = transport;
    const { latencyMs } = transport;
    this.#sink = new CountedSink(sink);
    this.#receiver = new RistReceiver({ latencyMs, isOrdered: options.isOrdered }, (payload, sequence) =>
      this.#sink.packet(payload, sequence),
    );
    this.#ports = new ListeningPorts({
      listen: transport,
      offsets: [CONTROL],
      isEven: true,
      onEvent,
      onDatagram: (datagram, from, index, now) => {
        this.#now = now;
        if (index === CONTROL) this.#takeControl(datagram, from);
        else this.#takeMedia(datagram, from);
        this.#wake();
      },
      onTick: (now) => {
        this.#now = now;
        this.#receiver.tick(now);
        this.#ask();
        this.#report();
        this.#wake();
      },
    });
  }

  get port(): number | undefined {
    return this.#ports.port;
  }

  async open(): Promise<void> {
    const { address, port } = this.#listen;
    if (port % 2 !== 0)
      throw new LegError('unusable', `Cannot listen on UDP ${address}:${port}: RIST needs an even port.`);
    await this.#ports.open();
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
      dropped: this.#dropped + this.#receiver.dropped,
      arqRequests: this.#receiver.asked,
      arqRecovered: this.#receiver.recovered,
      roundTripMs: this.#roundTrip.milliseconds,
      jitterMs: this.#jitter.milliseconds,
      ...this.#ports.statistics(),
    };
  }

  #takeMedia(datagram: Buffer, from: RemoteInfo): void {
    const view = this.#view;
    const now = this.#now;
    const isPacket = view.read(datagram) && view.isTransportStream;
    // What is sent again bears the stream's number with the lowest bit set.
    const ssrc = (view.ssrc & ~1) >>> 0;
    const sender = isPacket ? this.#lock.hear(ssrc, now) : 'other';
    if (sender === 'other') {
      this.#dropped++;
      return;
    }
    if (sender === 'changed') {
      this.#mediaSsrc = ssrc;
      this.#receiver.restart();
    }
    this.#media = from;
    const isRepeat = (view.ssrc & 1) === 1;
    const payload = datagram.subarray(view.payloadStart, view.payloadEnd);
    const result = this.#receiver.packet(payload, view.sequence, isRepeat, now);
    if (result === 'next' && !isRepeat) this.#jitter.add(view.timestamp, now);
    this.#ports.heard(from, now);
  }

  #takeControl(datagram: Buffer, from: RemoteInfo): void {
    // Another allowed address must not draw the requests to itself.
    const isStranger = this.#ports.isConnected && from.address !== this.#media?.address;
    if (isStranger) {
      this.#dropped++;
      return;
    }
    const isFirst = this.#control === undefined;
    const former = this.#control;
    this.#control = from;
    if (!readRtcp(datagram, this.#controlListener)) {
      this.#control = former;
      this.#dropped++;
      return;
    }
    this.#controlAt = this.#now;
    // Senders wait for the first report before they believe in the receiver.
    if (isFirst) this.#reportAt = 0;
    this.#report();
  }

  readonly #controlListener: RtcpListener = {
    senderReport: (_, middle) => {
      this.#lastReport = middle;
      this.#lastReportAt = this.#now;
    },
    echoRequest: (ssrc, high, low) => {
      this.#send(this.#begin().echo('echoResponse', ssrc, high, low));
    },
    echoResponse: (high, low, delayUs) => this.#roundTrip.answer(high, low, delayUs, this.#now),
  };

  /** The parts that begin each datagram. */
  #begin(): RtcpWriter {
    return this.#writer.begin().receiverReport(this.#ssrc).sourceDescription(this.#ssrc);
  }

  #ask(): void {
    if (this.#control === undefined || !this.#receiver.hasMissing) return;
    const writer = this.#begin();
    const most = Math.min(MOST_RANGES, writer.roomForRanges);
    const count = this.#receiver.requests(this.#now, this.#roundTrip.milliseconds, this.#ranges, most);
    if (count > 0) this.#send(writer.rangeNack(this.#mediaSsrc, this.#ranges, count));
  }

  #report(): void {
    const now = this.#now;
    if (this.#control === undefined || now < this.#reportAt) return;
    if (now - this.#controlAt > CONTROL_SILENCE_MS) {
      this.#control = undefined;
      return;
    }
    this.#reportAt = now + REPORT_MS;
    const writer = this.#writer.begin();
    if (this.#media === undefined) writer.receiverReport(this.#ssrc);
    else writer.receiverReport(this.#ssrc, this.#reception());
    writer.sourceDescription(this.#ssrc);
    if (now >= this.#echoAt) {
      this.#echoAt = now + ECHO_MS;
      const { high, low } = this.#roundTrip.stamp(now);
      writer.echo('echoRequest', this.#mediaSsrc, high, low);
    }
    this.#send(writer);
  }

  #reception() {
    const { lost, newest } = this.#receiver;
    const expected = newest - this.#reportedNewest;
    const fraction = expected > 0 ? (lost - this.#reportedLost) / expected : 0;
    this.#reportedLost = lost;
    this.#reportedNewest = newest;
    return {
      ssrc: this.#mediaSsrc,
      fractionLost: Math.min(255, Math.max(0, Math.floor(fraction * 256))),
      lost,
      newest,
      jitterTicks: this.#jitter.ticks,
      lastReport: this.#lastReport,
      sinceLastReport: this.#lastReport === 0 ? 0 : Math.round(((this.#now - this.#lastReportAt) / 1000) * 65_536),
    };
  }

  #send(writer: RtcpWriter): void {
    if (this.#control !== undefined) {
      this.#ports.send(CONTROL, writer.datagram(), this.#control.port, this.#control.address);
    }
  }

  /** In steps, so that a packet more does not mean a timer more. */
  #wake(): void {
    const report = this.#control === undefined ? Number.POSITIVE_INFINITY : this.#reportAt;
    const due = this.#receiver.hasMissing ? this.#now : Math.min(this.#receiver.deadline, report);
    this.#ports.wakeAt(Math.max(due, this.#now + STEP_MS));
  }
}
