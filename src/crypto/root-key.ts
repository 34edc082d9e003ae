import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { openAesGcm, SEALED_OVERHEAD, sealAesGcm } from './aes-gcm.ts';
import { DecryptionError } from './decryption-error.ts';

/** Bytes of the secret from which everything is derived. */
export const ROOT_SECRET_LENGTH = 32;

// Frozen wire constants: stored data depends on them (docs/formats/root-key.md).
const SEAL_VERSION = 1;
const SEAL_SALT_LENGTH = 16;
const SEAL_PURPOSE = 'coffer/root/seal/v1';
const DERIVE_PREFIX = 'coffer/root/derive/v1/';

/**
 * The key under which the installation's secrets lie: KMS key material, the service master key of S3, what records
 * hold of credentials. It is read at start and never stored with the data.
 */
export class RootKey {
  readonly #secret: KeyObject;
  readonly #sealKey: KeyObject;

  /** @param secret 32 bytes; copied, so the caller may (and should) overwrite them afterwards */
  constructor(secret: Uint8Array) {
    if (secret.length !== ROOT_SECRET_LENGTH) {
      throw new RangeError(`A root key has ${ROOT_SECRET_LENGTH} bytes, not ${secret.length}.`);
    }
    this.#secret = createSecretKey(secret);
    this.#sealKey = createSecretKey(this.#derive(SEAL_PURPOSE));
  }

  /**
   * Encrypts `plaintext` for storage.
   *
   * @param context says what it is (`kms/key-material/<key id>/<material id>`): only the same context opens it again
   * @returns version (1 byte) ‖ salt (16) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
   */
  seal(plaintext: Uint8Array, context: string): Buffer {
    const salt = randomBytes(SEAL_SALT_LENGTH);
    const key = this.#messageKey(salt);
    const sealed = sealAesGcm(key, plaintext, Buffer.from(context));
    key.fill(0);
    return Buffer.concat([Buffer.of(SEAL_VERSION), salt, sealed]);
  }

  /**
   * Opens what `seal` made. The caller owns the result and should overwrite it after use where it is a key.
   *
   * @throws DecryptionError for anything but the same bytes under the same context
   */
  open(sealed: Uint8Array, context: string): Buffer {
    const headLength = 1 + SEAL_SALT_LENGTH;
    if (sealed.length < headLength + SEALED_OVERHEAD || sealed[0] !== SEAL_VERSION) throw new DecryptionError();
    const key = this.#messageKey(sealed.subarray(1, headLength));
    try {
      return openAesGcm(key, sealed.subarray(headLength), Buffer.from(context));
    } finally {
      key.fill(0);
    }
  }

  /** A key of 32 bytes for one purpose, always the same for the same purpose. */
  deriveKey(purpose: string): Buffer {
    return this.#derive(DERIVE_PREFIX + purpose);
  }

  #derive(info: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, new Uint8Array(0), info, 32));
  }

  // INVARIANT: each text has its own key, so that random 96-bit nonces never come near their limit of 2^32 uses.
  #messageKey(salt: Uint8Array): Buffer {
    return createHmac('sha256', this.#sealKey).update(salt).digest();
  }
}
