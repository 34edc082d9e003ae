/** Writes bits, most significant first. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #length = 0;

  /** In bits. */
  get length(): number {
    return this.#length;
  }

  /** @param count at most 32 */
  write(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      const index = this.#length >> 3;
      const set = (value >>> bit) & 1;
      this.#bytes[index] = (this.#bytes[index] ?? 0) | (set << (7 - (this.#length & 7)));
      this.#length += 1;
    }
  }

  /** Takes another's bits over. */
  append(other: BitWriter): void {
    const bytes = other.#bytes;
    const whole = other.#length >> 3;
    for (let index = 0; index < whole; index++) this.write(bytes[index] ?? 0, 8);
    const left = other.#length & 7;
    if (left > 0) this.write((bytes[whole] ?? 0) >> (8 - left), left);
  }

  /** The bytes, the last one filled up with zeros. */
  finish(): Buffer {
    return Buffer.from(this.#bytes);
  }
}
