import { randomBytes } from 'node:crypto';
import { FecAccumulator } from './fec-packet.ts';
import { RTP_HEADER_BYTES } from './rtp-packet.ts';

/** Bytes after the RTP header that a packet may have; longer ones do not fit a datagram with their FEC. */
const LARGEST_BODY = 1460;

export interface FecMatrix {
  /** L: packets of a row. */
  readonly columns: number;
  /** D: packets of a column. */
  readonly rows: number;
}

/**
 * Makes the FEC of rows and columns (SMPTE ST 2022-1) of an RTP stream. Matrices are block-aligned: each begins after the
 * end of the one before. The FEC of a row follows its last packet; those of columns are spread over the first half of the
 * next matrix, so that a burst that hits the media does not hit all of them.
 */
export class FecEncoder {
  readonly #matrix: FecMatrix;
  readonly #emit: (packet: Buffer, isRow: boolean) => void;
  readonly #scratch = new Int32Array(LARGEST_BODY / 4 + 1);
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);
  readonly #row = new FecAccumulator(LARGEST_BODY);
  /** Of the matrix that is filled, and of the one before it. */
  #columns: readonly FecAccumulator[];
  #finished: readonly FecAccumulator[];
  #rowBase = 0;
  #base = 0;
  #finishedBase = 0;
  /** Packets of the matrix that came, and columns of the one before that are to be sent. */
  #index = 0;
  #unsent = 0;
  #rowSequence: number;
  #columnSequence: number;

  constructor(matrix: FecMatrix, emit: (packet: Buffer, isRow: boolean) => void) {
    this.#matrix = matrix;
    this.#emit = emit;
    const make = (): FecAccumulator => new FecAccumulator(LARGEST_BODY);
    this.#columns = Array.from({ length: matrix.columns }, make);
    this.#finished = Array.from({ length: matrix.columns }, make);
    const random = randomBytes(4);
    this.#rowSequence = random.readUInt16BE(0);
    this.#columnSequence = random.readUInt16BE(2);
  }

  /** @param packet of the media, which is sent before the FEC that this emits */
  add(packet: Buffer): void {
    const length = packet.length - RTP_HEADER_BYTES;
    if (length > LARGEST_BODY) {
      this.#beginAnew();
      return;
    }
    const { columns, rows } = this.#matrix;
    const sequence = packet.readUInt16BE(2);
    const timestamp = packet.readUInt32BE(4);
    const column = this.#index % columns;
    if (this.#index === 0) this.#base = sequence;
    if (column === 0) {
      this.#rowBase = sequence;
      this.#row.clear();
    }
    const end = (length + 3) >> 2;
    if (end > 0) this.#scratch[end - 1] = 0;
    this.#scratchBytes.set(packet.subarray(RTP_HEADER_BYTES), 0);
    this.#row.add(packet, this.#scratch);
    const accumulator = this.#columns[column];
    if (this.#index < columns) accumulator?.clear();
    accumulator?.add(packet, this.#scratch);
    if (column === columns - 1)
      this.#emit(this.#row.packet(this.#rowBase, 1, true, this.#rowSequence++, timestamp), true);
    if (this.#unsent > 0 && this.#index % Math.ceil(rows / 2) === 0) this.#emitColumn(timestamp);
    this.#index++;
    if (this.#index === columns * rows) this.#finish();
  }

  #emitColumn(timestamp: number): void {
    const { columns } = this.#matrix;
    const column = columns - this.#unsent--;
    const accumulator = this.#finished[column];
    if (accumulator === undefined) return;
    this.#emit(
      accumulator.packet(this.#finishedBase + column, columns, false, this.#columnSequence++, timestamp),
      false,
    );
  }

  #finish(): void {
    [this.#columns, this.#finished] = [this.#finished, this.#columns];
    this.#finishedBase = this.#base;
    this.#unsent = this.#matrix.columns;
    this.#index = 0;
  }

  #beginAnew(): void {
    this.#index = 0;
    this.#unsent = 0;
  }
}
