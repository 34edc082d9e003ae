import { randomBytes } from 'node:crypto';
import { type KeyBytes, type KeyMaterial, makeKeyMessage } from './key-message.ts';
import { KeyStream } from './key-stream.ts';
import { EVEN_KEY, type KeyBits, ODD_KEY } from './packet.ts';

/** When a sender changes its key; libsrt's defaults are the default. */
export interface KeyRefresh {
  /** Packets that one key encrypts. */
  readonly packets: number;
  /** Packets before the change at which the next key is announced. */
  readonly announce: number;
}

export const DEFAULT_REFRESH: KeyRefresh = { packets: 2 ** 24, announce: 2 ** 12 };

/** Milliseconds: a first key must be taken until then. */
const FIRST_KEY_PATIENCE = 5000;

interface NextKey {
  readonly stream: KeyStream;
  readonly keyBits: KeyBits;
  readonly message: Buffer;
  readonly madeAt: number;
  announcedAt: number;
  isTaken: boolean;
}

/**
 * The keys of a sender: one in use, and the next, which is used only when the peer has said that it has it.
 *
 * INVARIANT: a key encrypts for one connection and in one direction. A caller's handshake key serves both directions in
 * SRT, and anybody who recorded a handshake can play it to a listener again; so a listener that sends begins with a key
 * of its own, and a caller's key is used by the side that sends only.
 */
export class SendingKeys {
  readonly #passphrase: string;
  readonly #keyBytes: KeyBytes;
  readonly #salt: Buffer;
  readonly #refresh: KeyRefresh;
  #stream: KeyStream | undefined;
  #keyBits: KeyBits = 0;
  /** Packets that the key in use encrypted. */
  #used = 0;
  #next: NextKey | undefined;

  /** @param material a key that this side made, to be used at once; without one, its salt and length serve the first own key */
  constructor(passphrase: string, material: KeyMaterial, refresh: KeyRefresh) {
    this.#passphrase = passphrase;
    this.#keyBytes = material.keyBytes;
    this.#salt = material.salt;
    this.#refresh = refresh;
    if (material.even === undefined) return;
    this.#stream = new KeyStream(material.even, material.salt);
    this.#keyBits = EVEN_KEY;
  }

  get keyBytes(): KeyBytes {
    return this.#keyBytes;
  }

  get isReady(): boolean {
    return this.#stream !== undefined;
  }

  /** Encrypts a payload in place. */
  encrypt(sequence: number, payload: Buffer, isNew: boolean): KeyBits | undefined {
    if (isNew && ++this.#used > this.#refresh.packets) this.#change();
    this.#stream?.apply(sequence, payload);
    return this.#stream === undefined ? undefined : this.#keyBits;
  }

  /**
   * To be called every few milliseconds.
   *
   * @param patience milliseconds after which an announcement was likely lost
   * @returns a key message to be sent now
   */
  tick(now: number, patience: number): Buffer | undefined {
    if (this.#next === undefined) {
      if (this.#stream !== undefined && this.#used <= this.#refresh.packets - this.#refresh.announce) return undefined;
      this.#next = this.#make(now);
    }
    const next = this.#next;
    if (next.isTaken || now - next.announcedAt < patience) return undefined;
    next.announcedAt = now;
    return next.message;
  }

  /** The peer's answer to a key message. */
  answer(message: Buffer): void {
    if (this.#next === undefined || !message.equals(this.#next.message)) return;
    this.#next.isTaken = true;
    if (this.#stream === undefined) this.#change();
  }

  /** Whether the peer takes no key: it cannot be sent to. */
  hasFailed(now: number): boolean {
    if (this.#next === undefined || this.#next.isTaken) return false;
    if (this.#stream === undefined) return now - this.#next.madeAt > FIRST_KEY_PATIENCE;
    return this.#used > 2 * this.#refresh.packets;
  }

  #make(now: number): NextKey {
    const isOdd = this.#keyBits !== ODD_KEY;
    const key = randomBytes(this.#keyBytes);
    const material = { keyBytes: this.#keyBytes, salt: this.#salt, ...(isOdd ? { odd: key } : { even: key }) };
    return {
      stream: new KeyStream(key, this.#salt),
      keyBits: isOdd ? ODD_KEY : EVEN_KEY,
      message: makeKeyMessage(material, this.#passphrase),
      madeAt: now,
      announcedAt: Number.NEGATIVE_INFINITY,
      isTaken: false,
    };
  }

  #change(): void {
    if (this.#next?.isTaken !== true) return;
    this.#stream = this.#next.stream;
    this.#keyBits = this.#next.keyBits;
    this.#next = undefined;
    this.#used = 1;
  }
}

/** What a caller brings into a connection. */
export function makeKeyMaterial(keyBytes: KeyBytes): KeyMaterial {
  return { keyBytes, salt: randomBytes(16), even: randomBytes(keyBytes) };
}
