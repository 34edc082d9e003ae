import type { DialAddress } from '../live/flow-spec.ts';
import type { LegEventListener, OutputLeg, OutputStatistics } from '../live/leg.ts';
import { DialedPorts } from './dialed-ports.ts';
import { Pacer } from './pacer.ts';
import { RtpWriter } from './rtp-writer.ts';

/** An RTP stream (RFC 3550) of a transport stream (RFC 2250). */
export class RtpOutput implements OutputLeg {
  readonly port = undefined;
  readonly #ports: DialedPorts;
  readonly #writer = new RtpWriter();
  readonly #pacer: Pacer;
  #bytes = 0;
  #packets = 0;

  constructor(transport: DialAddress & { readonly smoothingMs: number }, onEvent: LegEventListener) {
    this.#ports = new DialedPorts({ to: transport, offsets: [0], onEvent });
    this.#pacer = new Pacer(transport.smoothingMs, (payload, now) => {
      if (!this.#ports.send(0, this.#writer.next(payload, now))) return;
      this.#bytes += payload.length;
      this.#packets++;
    });
  }

  open(): Promise<void> {
    return this.#ports.open();
  }

  close(): Promise<void> {
    this.#pacer.stop();
    return this.#ports.close();
  }

  send(payload: Buffer): void {
    this.#pacer.add(payload);
  }

  statistics(): OutputStatistics {
    return {
      bytes: this.#bytes,
      packets: this.#packets,
      dropped: this.#ports.dropped,
      retransmitted: 0,
      fecPackets: 0,
      roundTripMs: undefined,
      ...this.#ports.statistics(),
    };
  }
}
