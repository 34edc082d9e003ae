import { type KeyBytes, type KeyMaterial, openKeyMessage, readKeyMessageHead } from './key-message.ts';
import { KeyStream } from './key-stream.ts';
import { EVEN_KEY, type KeyBits, ODD_KEY } from './packet.ts';

/** Milliseconds between key messages that are looked at: each costs a key derivation. */
const SHORTEST_INTERVAL = 50;

/** The keys that a receiver has of its peer, who may change them in mid-stream. */
export class ReceivingKeys {
  readonly #passphrase: string;
  readonly #keyBytes: KeyBytes;
  #even: KeyStream | undefined;
  #odd: KeyStream | undefined;
  #lastTaken: Buffer | undefined;
  #lastTriedAt = Number.NEGATIVE_INFINITY;

  constructor(passphrase: string, material: KeyMaterial) {
    this.#passphrase = passphrase;
    this.#keyBytes = material.keyBytes;
    this.#take(material);
  }

  get keyBytes(): KeyBytes {
    return this.#keyBytes;
  }

  /**
   * A key message that came in mid-stream.
   *
   * @returns whether it was taken, and is to be answered with itself. A key of another length than the connection began
   *   with is not taken.
   */
  accept(message: Buffer, now: number): boolean {
    if (this.#lastTaken?.equals(message)) return true;
    if (now - this.#lastTriedAt < SHORTEST_INTERVAL) return false;
    this.#lastTriedAt = now;
    if (readKeyMessageHead(message).keyBytes !== this.#keyBytes) return false;
    const material = openKeyMessage(message, this.#passphrase);
    if (material === undefined) return false;
    this.#lastTaken = Buffer.from(message);
    this.#take(material);
    return true;
  }

  /** Decrypts in place; false of a packet in the clear, or under a key that is not known. */
  decrypt(keyBits: KeyBits, sequence: number, payload: Buffer): boolean {
    const stream = keyBits === EVEN_KEY ? this.#even : keyBits === ODD_KEY ? this.#odd : undefined;
    stream?.apply(sequence, payload);
    return stream !== undefined;
  }

  #take({ even, odd, salt }: KeyMaterial): void {
    if (even !== undefined) this.#even = new KeyStream(even, salt);
    if (odd !== undefined) this.#odd = new KeyStream(odd, salt);
  }
}
