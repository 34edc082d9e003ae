import type { AlgorithmSpec, KeySpec, WrappingKeySpec } from '@aws-sdk/client-kms';
import { constants, createDecipheriv, type KeyObject, privateDecrypt } from 'node:crypto';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { unsupported } from '../errors.ts';

/** RFC 5649: the initial value of AES key wrap with padding. */
const WRAP_WITH_PADDING_IV = Buffer.from('A65959A6', 'hex');
const AES_KEY_LENGTH = 32;

const HASHES = {
  RSAES_OAEP_SHA_1: 'sha1',
  RSAES_OAEP_SHA_256: 'sha256',
  RSA_AES_KEY_WRAP_SHA_1: 'sha1',
  RSA_AES_KEY_WRAP_SHA_256: 'sha256',
} as const;

/** How material may be wrapped for an import. */
export type WrappingAlgorithm = keyof typeof HASHES;

export function isWrappingAlgorithm(text: string): text is WrappingAlgorithm {
  return Object.hasOwn(HASHES, text);
}

const MODULUS_LENGTHS = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 } as const;

/** What a wrapping key is asked for with, checked. */
export interface Wrapping {
  readonly algorithm: WrappingAlgorithm;
  /** Bits. */
  readonly modulusLength: number;
}

/** @throws ServiceError UnsupportedOperationException for what AWS does not take, or takes in China alone */
export function checkWrapping(algorithm: AlgorithmSpec, keySpec: WrappingKeySpec, material: KeySpec): Wrapping {
  if (algorithm === 'RSAES_PKCS1_V1_5') {
    throw unsupported('WrappingAlgorithm RSAES_PKCS1_V1_5 is not supported: AWS has withdrawn it since October 2023.');
  }
  if (keySpec === 'SM2' || algorithm === 'SM2PKE' || !isWrappingAlgorithm(algorithm)) {
    throw unsupported('SM2 and SM2PKE are not supported: they are of the AWS Regions in China.');
  }
  const isDirect = algorithm.startsWith('RSAES_');
  if (isDirect && (material.startsWith('RSA_') || material.startsWith('ML_'))) {
    throw unsupported(
      `WrappingAlgorithm ${algorithm} cannot wrap ${material} key material: use RSA_AES_KEY_WRAP_SHA_256.`,
    );
  }
  if (isDirect && keySpec === 'RSA_2048' && material === 'ECC_NIST_P521') {
    throw unsupported(`WrappingKeySpec RSA_2048 with ${algorithm} cannot wrap ECC_NIST_P521 key material.`);
  }
  return { algorithm, modulusLength: MODULUS_LENGTHS[keySpec] };
}

/**
 * Opens wrapped key material.
 *
 * @returns the material, which the caller overwrites
 * @throws DecryptionError whatever is wrong with it: nothing more is told
 */
export function unwrapMaterial(algorithm: WrappingAlgorithm, key: KeyObject, wrapped: Uint8Array): Buffer {
  const oaepHash = HASHES[algorithm];
  const options = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
  try {
    if (!algorithm.startsWith('RSA_AES_')) return privateDecrypt(options, wrapped);
    const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const aesKey = privateDecrypt(options, wrapped.subarray(0, modulusBytes));
    try {
      if (aesKey.length !== AES_KEY_LENGTH) throw new DecryptionError();
      const decipher = createDecipheriv('id-aes256-wrap-pad', aesKey, WRAP_WITH_PADDING_IV);
      return Buffer.concat([decipher.update(wrapped.subarray(modulusBytes)), decipher.final()]);
    } finally {
      aesKey.fill(0);
    }
  } catch {
    throw new DecryptionError();
  }
}
