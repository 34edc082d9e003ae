import { payloadOffset, TS_PACKET_BYTES } from './ts-packet.ts';

/** A section of a table has at most so many bytes (ISO/IEC 13818-1, 2.4.4). */
const MAX_SECTION_BYTES = 4096;
const HEAD_BYTES = 3;
const STUFFING = 0xff;

/** Puts the sections of one PID together from packets. */
export class SectionAssembler {
  readonly #take: (section: Buffer) => void;
  readonly #bytes = Buffer.alloc(MAX_SECTION_BYTES);
  #length = 0;
  /** False until a section's beginning was seen. */
  #isInside = false;

  /** @param take gets each section with its checksum; the buffer is used again */
  constructor(take: (section: Buffer) => void) {
    this.#take = take;
  }

  /** Forgets a section that has begun: its rest was lost. */
  reset(): void {
    this.#isInside = false;
    this.#length = 0;
  }

  /** @param at where the packet begins in `data` */
  packet(data: Buffer, at: number): void {
    let from = at + payloadOffset(data, at);
    const end = at + TS_PACKET_BYTES;
    if (from >= end) return;
    const isStart = ((data[at + 1] ?? 0) & 0x40) !== 0;
    if (!isStart) {
      if (this.#isInside) this.#append(data, from, end);
      return;
    }
    const pointer = data[from] ?? 0;
    from += 1;
    const begin = from + pointer;
    if (begin > end) {
      this.reset();
      return;
    }
    if (this.#isInside) this.#append(data, from, begin);
    this.reset();
    this.#isInside = true;
    this.#append(data, begin, end);
  }

  #append(data: Buffer, from: number, end: number): void {
    let at = from;
    while (at < end) {
      if (this.#length === 0 && data[at] === STUFFING) {
        this.reset();
        return;
      }
      const wanted = this.#wanted();
      const count = Math.min(wanted - this.#length, end - at);
      data.copy(this.#bytes, this.#length, at, at + count);
      this.#length += count;
      at += count;
      if (this.#length >= HEAD_BYTES && this.#wanted() > MAX_SECTION_BYTES) {
        this.reset();
        return;
      }
      if (this.#length > HEAD_BYTES && this.#length === this.#wanted()) {
        this.#take(this.#bytes.subarray(0, this.#length));
        this.#length = 0;
      }
    }
  }

  /** How many bytes there have to be, as far as it is known. */
  #wanted(): number {
    if (this.#length < HEAD_BYTES) return HEAD_BYTES;
    return HEAD_BYTES + (this.#bytes.readUInt16BE(1) & 0xfff);
  }
}
