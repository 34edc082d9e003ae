import { sizeOf } from '../track-samples.ts';

const PACKET = 188;
const SYNC = 0x47;
const HEAD = 4;
const PACKETS_PER_CHUNK = 512;
const EMPTY: Buffer = Buffer.alloc(0);

/** Ticks a second of the clock of MPEG-TS; its times have 33 bits and begin anew after 26.5 hours. */
export const TS_CLOCK = 90_000;
const CLOCK_WRAP = 2 ** 33;

/** What stands in a packet's adaptation field. */
interface Adaptation {
  /** The counter, or the clock, begins anew: said at the beginning of each segment, since each is made by itself. */
  readonly isDiscontinuous?: boolean;
  readonly isRandomAccess?: boolean;
  /** The programme's clock, in ticks. */
  readonly clock?: number;
}

/** Cuts data into transport packets (ISO 13818-1, 2.4.3), in memory of its own. */
export class TsPacketizer {
  readonly #chunks: Buffer[] = [];
  readonly #counters = new Map<number, number>();
  #chunk = EMPTY;
  #used = 0;

  /** The chunks that are full, each of many packets. */
  takeFull(): Buffer[] {
    return this.#chunks.splice(0);
  }

  /** The packets behind them. */
  takeRest(): Buffer {
    const rest = this.#chunk.subarray(0, this.#used);
    this.#chunk = EMPTY;
    this.#used = 0;
    return rest;
  }

  /** A table (PAT, PMT), which fits into one packet. */
  table(pid: number, section: Buffer): void {
    const payload = Buffer.concat([Buffer.of(0), section]);
    const filled = Buffer.concat([payload, Buffer.alloc(PACKET - HEAD - 2 - payload.length, 0xff)]);
    this.#cut(pid, [filled], { isDiscontinuous: true });
  }

  /** A PES packet; its pieces are copied. */
  pes(pid: number, pieces: readonly Buffer[], adaptation: Adaptation): void {
    const isFirst = !this.#counters.has(pid);
    this.#cut(pid, pieces, isFirst ? { ...adaptation, isDiscontinuous: true } : adaptation);
  }

  #cut(pid: number, pieces: readonly Buffer[], adaptation: Adaptation): void {
    const source = new PieceReader(pieces);
    let field = adaptationField(adaptation);
    let isStart = true;
    while (source.rest > 0) {
      const packet = this.#next();
      const counter = this.#counters.get(pid) ?? 0;
      this.#counters.set(pid, (counter + 1) & 15);
      const fieldSize = fieldSizeFor(field, source.rest);
      packet[0] = SYNC;
      packet[1] = (isStart ? 0x40 : 0) | (pid >> 8);
      packet[2] = pid & 0xff;
      packet[3] = (fieldSize > 0 ? 0x30 : 0x10) | counter;
      writeField(packet, field, fieldSize);
      source.copyTo(packet, HEAD + fieldSize);
      field = EMPTY;
      isStart = false;
    }
  }

  #next(): Buffer {
    if (this.#used === this.#chunk.length) {
      if (this.#used > 0) this.#chunks.push(this.#chunk);
      this.#chunk = Buffer.allocUnsafe(PACKET * PACKETS_PER_CHUNK);
      this.#used = 0;
    }
    this.#used += PACKET;
    return this.#chunk.subarray(this.#used - PACKET, this.#used);
  }
}

/** The flags and the clock: what follows the field's length. */
function adaptationField({ isDiscontinuous, isRandomAccess, clock }: Adaptation): Buffer {
  const hasClock = clock !== undefined;
  const flags = (isDiscontinuous === true ? 0x80 : 0) | (isRandomAccess === true ? 0x40 : 0) | (hasClock ? 0x10 : 0);
  if (flags === 0) return EMPTY;
  if (!hasClock) return Buffer.of(flags);
  const base = wrapped(clock);
  const field = Buffer.allocUnsafe(7);
  field[0] = flags;
  field.writeUInt32BE(Math.floor(base / 2), 1);
  field[5] = ((base % 2) << 7) | 0x7e;
  field[6] = 0;
  return field;
}

/** Bytes of the field, its length and stuffing included, so that the packet is full. */
function fieldSizeFor(field: Buffer, rest: number): number {
  const least = field.length === 0 ? 0 : 1 + field.length;
  return Math.max(least, PACKET - HEAD - rest);
}

function writeField(packet: Buffer, field: Buffer, size: number): void {
  if (size === 0) return;
  packet[HEAD] = size - 1;
  if (size === 1) return;
  packet.fill(0xff, HEAD + 1, HEAD + size);
  packet[HEAD + 1] = 0;
  field.copy(packet, HEAD + 1);
}

/** A time on the clock of 33 bits. */
export function wrapped(time: number): number {
  return ((time % CLOCK_WRAP) + CLOCK_WRAP) % CLOCK_WRAP;
}

/** Reads pieces as if they were one. */
class PieceReader {
  readonly #pieces: readonly Buffer[];
  #index = 0;
  #offset = 0;
  rest: number;

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces;
    this.rest = sizeOf(pieces);
  }

  /** Fills `target` from `start` to its end, or as far as there is something. */
  copyTo(target: Buffer, start: number): void {
    let at = start;
    while (at < target.length && this.rest > 0) {
      const piece = this.#pieces[this.#index] ?? EMPTY;
      const count = Math.min(piece.length - this.#offset, target.length - at);
      piece.copy(target, at, this.#offset, this.#offset + count);
      at += count;
      this.rest -= count;
      this.#offset += count;
      if (this.#offset === piece.length) {
        this.#index += 1;
        this.#offset = 0;
      }
    }
  }
}
