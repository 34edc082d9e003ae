import { type Cipheriv, createCipheriv } from 'node:crypto';
import { endianness } from 'node:os';

/** Bytes of keystream that are made for a packet: seven transport stream packets, in whole AES blocks. */
const STRIDE = 1328;
const BLOCKS = STRIDE / 16;
/** Packets whose keystream is made in one go; a power of two. */
const BATCH = 16;
/** Batches before the newest that are not worth making anew for one resent packet. */
const PAST_BATCHES = 65_536;
const IS_LITTLE_ENDIAN = endianness() === 'LE';

/**
 * AES-CTR as SRT has it: the counter of a packet's first block is its sequence number, set against the salt.
 *
 * Packets come one after the other, so their keystream is made many packets ahead, with one cipher that lives as long as
 * the key: setting up a cipher for each packet costs several times the encryption.
 */
export class KeyStream {
  readonly #key: Buffer;
  readonly #salt: Buffer;
  readonly #ecb: Cipheriv;
  /** Counter blocks of one batch. */
  readonly #counters = Buffer.alloc(BATCH * STRIDE);
  /** The keystream of two batches, and which they are: packets out of order may be of the one before. */
  readonly #streams: [Uint32Array, Uint32Array] = [new Uint32Array(0), new Uint32Array(0)];
  readonly #batches: [number, number] = [-1, -1];
  #newest: 0 | 1 = 0;

  constructor(key: Buffer, salt: Buffer) {
    this.#key = key;
    this.#salt = salt;
    this.#ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
    for (let block = 0; block < BATCH * BLOCKS; block++) {
      salt.copy(this.#counters, block * 16, 0, 14);
      this.#counters.writeUInt16BE(block % BLOCKS, block * 16 + 14);
    }
  }

  /** Encrypts or decrypts `payload` in place. It may lie anywhere; at a multiple of four bytes it is fast. */
  apply(sequence: number, payload: Buffer): void {
    const batch = Math.floor(sequence / BATCH);
    const isFast = payload.length <= STRIDE && payload.byteOffset % 4 === 0 && IS_LITTLE_ENDIAN;
    const stream = isFast ? this.#streamOf(batch) : undefined;
    if (stream === undefined) {
      this.#applyAlone(sequence, payload);
      return;
    }
    let at = (sequence - batch * BATCH) * (STRIDE / 4);
    const words = payload.length >> 2;
    const data = new Uint32Array(payload.buffer, payload.byteOffset, words);
    for (let word = 0; word < words; word++) data[word] = (data[word] as number) ^ (stream[at++] as number);
    for (let byte = words * 4; byte < payload.length; byte++) {
      payload[byte] = (payload[byte] as number) ^ (((stream[at] as number) >>> ((byte & 3) * 8)) & 0xff);
    }
  }

  #streamOf(batch: number): Uint32Array | undefined {
    const newest = this.#newest;
    if (this.#batches[newest] === batch) return this.#streams[newest];
    const other = newest === 0 ? 1 : 0;
    if (this.#batches[other] === batch) return this.#streams[other];
    if (batch < this.#batches[newest] && batch > this.#batches[newest] - PAST_BATCHES) return undefined;
    this.#newest = other;
    this.#batches[other] = batch;
    this.#streams[other] = this.#make(batch);
    return this.#streams[other];
  }

  #make(batch: number): Uint32Array {
    const salt = this.#salt;
    const counters = this.#counters;
    for (let packet = 0, at = 10; packet < BATCH; packet++) {
      const sequence = batch * BATCH + packet;
      const [a, b] = [(salt[10] as number) ^ (sequence >>> 24), (salt[11] as number) ^ ((sequence >>> 16) & 0xff)];
      const [c, d] = [(salt[12] as number) ^ ((sequence >>> 8) & 0xff), (salt[13] as number) ^ (sequence & 0xff)];
      for (let block = 0; block < BLOCKS; block++, at += 16) {
        counters[at] = a;
        counters[at + 1] = b;
        counters[at + 2] = c;
        counters[at + 3] = d;
      }
    }
    const stream = this.#ecb.update(counters);
    if (stream.byteOffset % 4 === 0) return new Uint32Array(stream.buffer, stream.byteOffset, stream.length / 4);
    return new Uint32Array(Uint8Array.from(stream).buffer);
  }

  #applyAlone(sequence: number, payload: Buffer): void {
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(sequence, 10);
    for (let byte = 0; byte < 14; byte++) counter[byte] = (counter[byte] as number) ^ (this.#salt[byte] as number);
    const cipher = createCipheriv(`aes-${this.#key.length * 8}-ctr`, this.#key, counter);
    payload.set(cipher.update(payload));
  }
}
