import { constants, type KeyObject, publicEncrypt, subtle } from 'node:crypto';
import { invalidCiphertext, validation } from '../errors.ts';
import type { KeyPair } from './key-pair.ts';

/** The hash of an OAEP algorithm, of which the mask is made too. */
const HASHES = {
  RSAES_OAEP_SHA_1: { name: 'sha1', webName: 'SHA-1', length: 20 },
  RSAES_OAEP_SHA_256: { name: 'sha256', webName: 'SHA-256', length: 32 },
};

export type RsaEncryptionAlgorithm = keyof typeof HASHES;

export function isRsaEncryption(algorithm: string): algorithm is RsaEncryptionAlgorithm {
  return Object.hasOwn(HASHES, algorithm);
}

/**
 * @param spec such as `RSA_2048`
 * @throws ServiceError ValidationException for what OAEP has no room for
 */
export function checkRsaPlaintext(length: number, spec: string, algorithm: RsaEncryptionAlgorithm): void {
  const max = Number(spec.slice('RSA_'.length)) / 8 - 2 * HASHES[algorithm].length - 2;
  if (length <= max) return;
  throw validation(`Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than ${max} bytes.`);
}

/** Plain OAEP without a label: whoever has the private key can decrypt it, with any implementation. */
export function rsaEncrypt(key: KeyObject, algorithm: RsaEncryptionAlgorithm, plaintext: Uint8Array): Buffer {
  const oaepHash = HASHES[algorithm].name;
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
}

/**
 * Decrypts in a thread of its own, where a long key (RSA-4096: 2 ms) holds up nobody.
 *
 * @throws ServiceError InvalidCiphertextException, always the same
 */
export async function rsaDecrypt(
  { privateKey }: KeyPair,
  algorithm: RsaEncryptionAlgorithm,
  ciphertext: Uint8Array,
): Promise<Buffer> {
  const hash = HASHES[algorithm].webName;
  const key = privateKey.toCryptoKey({ name: 'RSA-OAEP', hash }, false, ['decrypt']);
  try {
    return Buffer.from(await subtle.decrypt({ name: 'RSA-OAEP' }, key, Uint8Array.from(ciphertext)));
  } catch {
    throw invalidCiphertext();
  }
}
