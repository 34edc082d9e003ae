import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { randomBytes } from '#kernel/randomness.ts';
import { DecryptionError } from './decryption-error.ts';

const IV_LENGTH = 12;
const TAG_LENGTH = 16;
/** By how much a sealed text is longer than its plaintext. */
export const SEALED_OVERHEAD = IV_LENGTH + TAG_LENGTH;

/**
 * Encrypts with AES-256-GCM under a random nonce.
 *
 * INVARIANT: one key seals fewer than 2^32 texts (random 96-bit nonces). Keys that may see more are derived anew for
 * each text, as `RootKey` does.
 *
 * @param key 32 bytes
 * @param aad bound to the ciphertext, not stored in it
 * @returns nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)
 */
export function sealAesGcm(key: Uint8Array | KeyObject, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const iv = randomBytes(IV_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([iv, ciphertext, cipher.getAuthTag()]);
}

/**
 * Opens what `sealAesGcm` made. The caller owns the plaintext and should overwrite it after use where it is a key.
 *
 * @throws DecryptionError for another key, other associated data or any changed byte
 */
export function openAesGcm(key: Uint8Array | KeyObject, sealed: Uint8Array, aad: Uint8Array): Buffer {
  if (sealed.length < SEALED_OVERHEAD) throw new DecryptionError();
  const tagStart = sealed.length - TAG_LENGTH;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_LENGTH), { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagStart));
  const plaintext = decipher.update(sealed.subarray(IV_LENGTH, tagStart));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new DecryptionError();
  }
  return plaintext;
}
