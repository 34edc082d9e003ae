import { type Cipheriv, createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';

const BLOCK = 16;

/** A content key of AES-128, as players get it. It keeps a copy, so that the caller may overwrite the bytes. */
export class ContentKey {
  readonly #key: KeyObject;

  /** @param key 16 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== BLOCK) throw new RangeError(`A content key of AES-128 has 16 bytes, not ${key.length}.`);
    this.#key = createSecretKey(key);
  }

  /** A stream of any length with AES-CBC, padded as in PKCS #7. */
  encryptStream(iv: Uint8Array): ContentStream {
    return new ContentStream(createCipheriv('aes-128-cbc', this.#key, iv));
  }

  /**
   * A stream of any length with AES-CTR.
   *
   * @param counter the first one, 16 bytes; none may come twice under one key
   */
  countingStream(counter: Uint8Array): ContentStream {
    return new ContentStream(createCipheriv('aes-128-ctr', this.#key, counter));
  }

  /**
   * Whole blocks with AES-CBC, without padding.
   *
   * @returns as many bytes as were given
   */
  encryptBlocks(iv: Uint8Array, blocks: Uint8Array): Buffer {
    if (blocks.length % BLOCK !== 0) throw new RangeError('Only whole blocks can be encrypted without padding.');
    return createCipheriv('aes-128-cbc', this.#key, iv).setAutoPadding(false).update(blocks);
  }
}

class ContentStream {
  readonly #cipher: Cipheriv;

  constructor(cipher: Cipheriv) {
    this.#cipher = cipher;
  }

  /** The ciphertext that is complete with these bytes. */
  update(bytes: Uint8Array): Buffer {
    return this.#cipher.update(bytes);
  }

  /** The last block, with its padding. */
  end(): Buffer {
    return this.#cipher.final();
  }
}
