import { constants, createDecipheriv, type KeyObject, privateDecrypt } from 'node:crypto';
import { DecryptionError } from './decryption-error.ts';

/** RFC 5649: the initial value of AES key wrap with padding. */
const WRAP_WITH_PADDING_IV = Buffer.from('A65959A6', 'hex');
const AES_KEY_LENGTH = 32;

const HASHES = {
  RSAES_OAEP_SHA_1: 'sha1',
  RSAES_OAEP_SHA_256: 'sha256',
  RSA_AES_KEY_WRAP_SHA_1: 'sha1',
  RSA_AES_KEY_WRAP_SHA_256: 'sha256',
} as const;

/** How keys are wrapped under an RSA key: directly, or under an AES key that is wrapped itself (PKCS #11). */
export type WrappingAlgorithm = keyof typeof HASHES;

export function isWrappingAlgorithm(text: string): text is WrappingAlgorithm {
  return Object.hasOwn(HASHES, text);
}

/**
 * Opens a wrapped key.
 *
 * @returns the key, which the caller overwrites
 * @throws DecryptionError whatever is wrong with it: nothing more is told
 */
export function unwrapKey(algorithm: WrappingAlgorithm, privateKey: KeyObject, wrapped: Uint8Array): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const options = { key: privateKey, padding, oaepHash: HASHES[algorithm] };
  try {
    if (!algorithm.startsWith('RSA_AES_')) return privateDecrypt(options, wrapped);
    const modulusBytes = (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const aesKey = privateDecrypt(options, wrapped.subarray(0, modulusBytes));
    try {
      if (aesKey.length !== AES_KEY_LENGTH) throw new DecryptionError();
      const decipher = createDecipheriv('id-aes256-wrap-pad', aesKey, WRAP_WITH_PADDING_IV);
      const key = decipher.update(wrapped.subarray(modulusBytes));
      decipher.final();
      return key;
    } finally {
      aesKey.fill(0);
    }
  } catch {
    throw new DecryptionError();
  }
}
