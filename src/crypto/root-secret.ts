import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { openAesGcm, SEALED_OVERHEAD, sealAesGcm } from './aes-gcm.ts';
import { DecryptionError } from './decryption-error.ts';

/** Bytes of the secret from which everything is derived. */
export const ROOT_SECRET_LENGTH = 32;

// Frozen wire constants: stored data depends on them (docs/formats/root-key.md).
const VERSION_WITHOUT_ID = 1;
const VERSION = 2;
const ID_LENGTH = 8;
const SALT_LENGTH = 16;
const SEAL_PURPOSE = 'coffer/root/seal/v1';
const ID_PURPOSE = 'coffer/root/id/v1';
const DERIVE_PREFIX = 'coffer/root/derive/v1/';

/** One secret of 32 bytes, and the texts that are sealed under it. */
export class RootSecret {
  /** 16 hexadecimal digits, by which sealed texts name the secret. It tells nothing about it. */
  readonly id: string;
  readonly #secret: KeyObject;
  readonly #sealKey: KeyObject;
  readonly #head: Buffer;

  /** @param secret 32 bytes; copied, so the caller may (and should) overwrite them afterwards */
  constructor(secret: Uint8Array) {
    if (secret.length !== ROOT_SECRET_LENGTH) {
      throw new RangeError(`A root key has ${ROOT_SECRET_LENGTH} bytes, not ${secret.length}.`);
    }
    this.#secret = createSecretKey(secret);
    const sealKey = this.#expand(SEAL_PURPOSE);
    this.#sealKey = createSecretKey(sealKey);
    sealKey.fill(0);
    const id = this.#expand(ID_PURPOSE).subarray(0, ID_LENGTH);
    this.id = id.toString('hex');
    this.#head = Buffer.concat([Buffer.of(VERSION), id]);
  }

  /** @returns version (1 byte) ‖ id (8) ‖ salt (16) ‖ nonce (12) ‖ ciphertext ‖ tag (16) */
  seal(plaintext: Uint8Array, context: string): Buffer {
    const salt = randomBytes(SALT_LENGTH);
    const key = this.#messageKey(salt);
    const sealed = sealAesGcm(key, plaintext, Buffer.from(context));
    key.fill(0);
    return Buffer.concat([this.#head, salt, sealed]);
  }

  /** @throws DecryptionError for anything but the same bytes under the same context */
  open(sealed: Uint8Array, context: string): Buffer {
    const start = sealed[0] === VERSION ? 1 + ID_LENGTH : 1;
    if (sealed.length < start + SALT_LENGTH + SEALED_OVERHEAD) throw new DecryptionError();
    const id = keyIdOf(sealed);
    if (id !== this.id && !(id === undefined && sealed[0] === VERSION_WITHOUT_ID)) throw new DecryptionError();
    const key = this.#messageKey(sealed.subarray(start, start + SALT_LENGTH));
    try {
      return openAesGcm(key, sealed.subarray(start + SALT_LENGTH), Buffer.from(context));
    } finally {
      key.fill(0);
    }
  }

  /** A key of 32 bytes for one purpose, always the same for the same purpose. */
  deriveKey(purpose: string): Buffer {
    return this.#expand(DERIVE_PREFIX + purpose);
  }

  /** The secret itself, to be sealed. The caller overwrites it. */
  reveal(): Buffer {
    return this.#secret.export();
  }

  #expand(info: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, new Uint8Array(0), info, 32));
  }

  // INVARIANT: each text has its own key, so that random 96-bit nonces never come near their limit of 2^32 uses.
  #messageKey(salt: Uint8Array): Buffer {
    return createHmac('sha256', this.#sealKey).update(salt).digest();
  }
}

/** The id of the secret that a text is sealed under; `undefined` where the text names none, as earlier versions' do. */
export function keyIdOf(sealed: Uint8Array): string | undefined {
  if (sealed[0] !== VERSION || sealed.length <= ID_LENGTH) return undefined;
  return Buffer.from(sealed.buffer, sealed.byteOffset + 1, ID_LENGTH).toString('hex');
}

/** The bytes with which every text begins that is sealed under the secret of this id. */
export function sealedPrefix(id: string): Buffer {
  return Buffer.concat([Buffer.of(VERSION), Buffer.from(id, 'hex')]);
}
