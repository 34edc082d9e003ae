import type { DialAddress } from '../live/flow-spec.ts';
import type { LegEventListener, OutputLeg, OutputStatistics } from '../live/leg.ts';
import { DialedPorts } from './dialed-ports.ts';
import { FecEncoder, type FecMatrix } from './fec-encoder.ts';
import { COLUMN_PORT_OFFSET, ROW_PORT_OFFSET } from './fec-packet.ts';
import { Pacer } from './pacer.ts';
import { RtpWriter } from './rtp-writer.ts';

/**
 * A fifth more packets, for bursts of up to ten and most random loss. At 10 Mb/s a matrix takes 0.1 s, and a receiver
 * waits behind a gap for 0.15 s at most.
 */
const MATRIX: FecMatrix = { columns: 10, rows: 10 };

const MEDIA = 0;
const COLUMN = 1;
const ROW = 2;

/** An RTP stream with FEC of rows and columns (SMPTE ST 2022-1). */
export class RtpFecOutput implements OutputLeg {
  readonly port = undefined;
  readonly #ports: DialedPorts;
  readonly #writer = new RtpWriter();
  readonly #encoder: FecEncoder;
  readonly #pacer: Pacer;
  #bytes = 0;
  #packets = 0;
  #fecPackets = 0;

  constructor(transport: DialAddress & { readonly smoothingMs: number }, onEvent: LegEventListener) {
    this.#ports = new DialedPorts({ to: transport, offsets: [0, COLUMN_PORT_OFFSET, ROW_PORT_OFFSET], onEvent });
    this.#encoder = new FecEncoder(MATRIX, (packet, isRow) => {
      if (this.#ports.send(isRow ? ROW : COLUMN, packet)) this.#fecPackets++;
    });
    this.#pacer = new Pacer(transport.smoothingMs, (payload, now) => {
      const packet = this.#writer.next(payload, now);
      if (this.#ports.send(MEDIA, packet)) {
        this.#bytes += payload.length;
        this.#packets++;
      }
      this.#encoder.add(packet);
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
      fecPackets: this.#fecPackets,
      roundTripMs: undefined,
      ...this.#ports.statistics(),
    };
  }
}
