import type { DialAddress } from '../live/flow-spec.ts';
import type { LegEventListener } from '../live/leg.ts';
import { FecEncoder, type FecMatrix } from './fec-encoder.ts';
import { COLUMN_PORT_OFFSET, ROW_PORT_OFFSET } from './fec-packet.ts';
import { PacedOutput } from './paced-output.ts';
import { RtpWriter } from './rtp-writer.ts';

/**
 * A fifth more packets, for bursts of up to ten and most random loss. At 10 Mb/s a matrix takes 0.1 s, and a receiver
 * waits behind a gap for 0.15 s at most.
 */
const MATRIX: FecMatrix = { columns: 10, rows: 10 };

const COLUMN = 0;
const ROW = 1;

/** An RTP stream with FEC of rows and columns (SMPTE ST 2022-1). */
export class RtpFecOutput extends PacedOutput {
  readonly #writer = new RtpWriter();
  readonly #encoder = new FecEncoder(MATRIX, (packet, isRow) => this.sendFec(isRow ? ROW : COLUMN, packet));

  constructor(transport: DialAddress & { readonly smoothingMs: number }, onEvent: LegEventListener) {
    super(transport, onEvent, [COLUMN_PORT_OFFSET, ROW_PORT_OFFSET]);
  }

  protected override wrap(payload: Buffer, now: number): Buffer {
    return this.#writer.next(payload, now);
  }

  protected override follow(datagram: Buffer): void {
    this.#encoder.add(datagram);
  }
}
