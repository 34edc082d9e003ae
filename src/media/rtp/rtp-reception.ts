import { JitterMeter } from './jitter-meter.ts';
import type { ReorderResult } from './reorder-buffer.ts';
import { RtpPacketView } from './rtp-packet.ts';
import { SenderLock } from './sender-lock.ts';

/** Where the packets of the stream go. */
export interface RtpTaker {
  /** @param datagram the whole packet, of which `payload` is a view */
  media(payload: Buffer, sequence: number, now: number, datagram: Buffer): ReorderResult;
  /** What comes next is of another sender. */
  restart(): void;
}

/** Picks the packets of one RTP stream out of the datagrams of a port. */
export class RtpReception {
  /** Datagrams that are no packets of the stream. */
  dropped = 0;
  readonly #taker: RtpTaker;
  readonly #view = new RtpPacketView();
  readonly #lock = new SenderLock();
  readonly #jitter = new JitterMeter();

  constructor(taker: RtpTaker) {
    this.#taker = taker;
  }

  get jitterMs(): number | undefined {
    return this.#jitter.milliseconds;
  }

  /** @returns whether it is a packet of the stream */
  take(datagram: Buffer, now: number): boolean {
    const view = this.#view;
    const isPacket = view.read(datagram);
    if (isPacket && view.isControl) return false;
    const sender = isPacket && view.isTransportStream ? this.#lock.hear(view.ssrc, now) : 'other';
    if (sender === 'other') {
      this.dropped++;
      return false;
    }
    if (sender === 'changed') this.#taker.restart();
    const payload = datagram.subarray(view.payloadStart, view.payloadEnd);
    const result = this.#taker.media(payload, view.sequence, now, datagram);
    if (result === 'next') this.#jitter.add(view.timestamp, now);
    return true;
  }
}
