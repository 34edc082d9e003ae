import { constants, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto';
import { invalidCiphertext, validation } from '../errors.ts';
import type { KeyPair } from './key-pair.ts';

/** The hash of an OAEP algorithm, of which the mask is made too. */
const HASHES = { RSAES_OAEP_SHA_1: { name: 'sha1', length: 20 }, RSAES_OAEP_SHA_256: { name: 'sha256', length: 32 } };

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
  return publicEncrypt(oaep(key, algorithm), plaintext);
}

/** @throws ServiceError InvalidCiphertextException, always the same */
export function rsaDecrypt(pair: KeyPair, algorithm: RsaEncryptionAlgorithm, ciphertext: Uint8Array): Buffer {
  try {
    return privateDecrypt(oaep(pair.privateKey, algorithm), ciphertext);
  } catch {
    throw invalidCiphertext();
  }
}

function oaep(key: KeyObject, algorithm: RsaEncryptionAlgorithm) {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: HASHES[algorithm].name };
}
