/** Writes bits, most significant first. */
export class BitWriter {
  readonly #bits: number[] = [];

  /** An unsigned number of at most 32 bits. */
  bits(value: number, count: number): this {
    for (let index = count - 1; index >= 0; index--) this.#bits.push(Math.floor(value / 2 ** index) % 2);
    return this;
  }

  /** Bytes, where the last one is not full with a one and zeros behind. */
  finish(): Buffer {
    if (this.#bits.length % 8 !== 0) {
      this.#bits.push(1);
      while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    }
    const bytes = Buffer.alloc(this.#bits.length / 8);
    this.#bits.forEach((bit, index) => {
      bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (bit << (7 - (index & 7)));
    });
    return bytes;
  }
}
