import type { DialAddress } from '../live/flow-spec.ts';
import type { LegEventListener, OutputLeg, OutputStatistics } from '../live/leg.ts';
import { DialedPorts } from '../rtp/dialed-ports.ts';
import { Pacer } from '../rtp/pacer.ts';
import { RtpWriter } from '../rtp/rtp-writer.ts';
import { ResendHistory } from './resend-history.ts';
import { RoundTripMeter } from './round-trip-meter.ts';
import { type RtcpListener, RtcpWriter, readRtcp } from './rtcp-packet.ts';

/** Milliseconds between two reports, and between two measurements of the round trip. */
const REPORT_MS = 100;
const ECHO_MS = 1000;
/** Milliseconds without RTCP of the taker after which it counts as gone. */
const SILENCE_MS = 2000;
/** Packets of one request that are looked at: as many as a whole stream of sequence numbers could not have lost. */
const MOST_ASKED = 4096;
const MEDIA = 0;
const CONTROL = 1;

/**
 * A RIST stream of the simple profile (VSF TR-06-1). It is sent whether the taker answers or not; what it asks for is
 * sent again.
 */
export class RistOutput implements OutputLeg {
  readonly port = undefined;
  readonly #onEvent: LegEventListener;
  readonly #ports: DialedPorts;
  readonly #rtp = new RtpWriter(true);
  readonly #rtcp = new RtcpWriter(this.#rtp.ssrc);
  readonly #history: ResendHistory;
  readonly #pacer: Pacer;
  readonly #roundTrip = new RoundTripMeter();
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #packets = 0;
  #retransmitted = 0;
  #echoAt = 0;
  #heardAt = 0;
  #isConnected = false;
  #disconnections = 0;
  #askedOfDatagram = 0;

  constructor(
    transport: DialAddress & { readonly smoothingMs: number; readonly latencyMs: number },
    onEvent: LegEventListener,
  ) {
    this.#onEvent = onEvent;
    this.#history = new ResendHistory(transport.latencyMs);
    this.#ports = new DialedPorts({
      to: transport,
      offsets: [0, CONTROL],
      onEvent,
      onDatagram: (datagram, index) => {
        if (index === CONTROL) this.#takeControl(datagram);
      },
    });
    this.#pacer = new Pacer(transport.smoothingMs, (payload, now) => this.#sendNow(payload, now));
  }

  async open(): Promise<void> {
    await this.#ports.open();
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
    // Receivers take no packets of a sender that did not name itself.
    this.#report();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#pacer.stop();
    return this.#ports.close();
  }

  send(payload: Buffer): void {
    this.#pacer.add(payload);
  }

  statistics(): OutputStatistics {
    const { refused, peer, disconnections } = this.#ports.statistics();
    return {
      bytes: this.#bytes,
      packets: this.#packets,
      dropped: this.#ports.dropped,
      retransmitted: this.#retransmitted,
      fecPackets: 0,
      refused,
      roundTripMs: this.#roundTrip.milliseconds,
      isConnected: this.#isConnected,
      disconnections: this.#disconnections + disconnections,
      peer,
    };
  }

  #sendNow(payload: Buffer, now: number): void {
    const packet = this.#rtp.next(payload, now);
    // What the system had no room for can be asked for, too.
    this.#history.add(payload, this.#rtp.sequence, this.#rtp.timestamp, now);
    if (!this.#ports.send(MEDIA, packet)) return;
    this.#bytes += payload.length;
    this.#packets++;
  }

  #takeControl(datagram: Buffer): void {
    this.#askedOfDatagram = 0;
    if (!readRtcp(datagram, this.#controlListener)) return;
    this.#heardAt = performance.now();
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#onEvent({ kind: 'connected', peer: this.#ports.statistics().peer ?? '' });
  }

  readonly #controlListener: RtcpListener = {
    nack: (sequence, count) => this.#sendAgain(sequence, count),
    echoRequest: (ssrc, high, low) => {
      const writer = this.#rtcp.begin().receiverReport(this.#rtp.ssrc).sourceDescription(this.#rtp.ssrc);
      this.#ports.send(CONTROL, writer.echo('echoResponse', ssrc, high, low).datagram());
    },
    echoResponse: (high, low, delayUs) => this.#roundTrip.answer(high, low, delayUs, performance.now()),
  };

  #sendAgain(first: number, count: number): void {
    const now = performance.now();
    const { ssrc } = this.#rtp;
    for (let index = 0; index < count && this.#askedOfDatagram < MOST_ASKED; index++) {
      this.#askedOfDatagram++;
      const sequence = (first + index) & 0xffff;
      if (!this.#history.find(sequence, this.#roundTrip.milliseconds, now)) continue;
      const { payload, timestamp } = this.#history;
      if (this.#ports.send(MEDIA, this.#rtp.write(payload, sequence, timestamp, ssrc | 1))) this.#retransmitted++;
    }
  }

  #report(): void {
    const now = performance.now();
    this.#history.forget(now);
    if (this.#isConnected && now - this.#heardAt > SILENCE_MS) {
      this.#isConnected = false;
      this.#disconnections++;
      const reason = 'the taker does not answer';
      this.#onEvent({ kind: 'disconnected', peer: this.#ports.statistics().peer ?? '', reason });
    }
    if (!this.#ports.isReady) return;
    const { ssrc } = this.#rtp;
    const writer = this.#rtcp
      .begin()
      .senderReport(ssrc, performance.timeOrigin + now, this.#rtp.ticksAt(now), this.#packets, this.#bytes)
      .sourceDescription(ssrc);
    if (now >= this.#echoAt) {
      this.#echoAt = now + ECHO_MS;
      const { high, low } = this.#roundTrip.stamp(now);
      writer.echo('echoRequest', ssrc, high, low);
    }
    this.#ports.send(CONTROL, writer.datagram());
  }
}
