import type { KeySpec } from '@aws-sdk/client-kms';
import { createHmac, createPrivateKey, type KeyObject } from 'node:crypto';
import { incorrectKeyMaterial } from '../errors.ts';

const ID_PURPOSE = 'coffer/kms/imported-material/v1';

/** Bytes of keys that are no pairs. */
const LENGTHS: Partial<Record<KeySpec, number>> = {
  SYMMETRIC_DEFAULT: 32,
  HMAC_224: 28,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
};

/** Node's names of curves. */
const CURVES: Partial<Record<KeySpec, string>> = {
  ECC_NIST_P256: 'prime256v1',
  ECC_NIST_P384: 'secp384r1',
  ECC_NIST_P521: 'secp521r1',
  ECC_SECG_P256K1: 'secp256k1',
};

const MODULUS_LENGTHS: Partial<Record<KeySpec, number>> = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 };

/** Node's names of other kinds of key pairs. */
const KINDS: Partial<Record<KeySpec, string>> = {
  ECC_NIST_EDWARDS25519: 'ed25519',
  ML_DSA_44: 'ml-dsa-44',
  ML_DSA_65: 'ml-dsa-65',
  ML_DSA_87: 'ml-dsa-87',
  ML_KEM_512: 'ml-kem-512',
  ML_KEM_768: 'ml-kem-768',
  ML_KEM_1024: 'ml-kem-1024',
};

/**
 * The material of a key from what was imported: raw bytes of a symmetric key, of a key pair its PKCS #8 in DER, written
 * anew, so that one key is always the same bytes.
 *
 * @param bytes overwritten by the caller
 * @throws ServiceError IncorrectKeyMaterialException for what is no key of the spec
 */
export function importedMaterial(spec: KeySpec, bytes: Buffer): Buffer {
  const length = LENGTHS[spec];
  if (length !== undefined) {
    if (bytes.length !== length) throw incorrectKeyMaterial(`Key material of ${spec} has ${length} bytes.`);
    return Buffer.from(bytes);
  }
  const key = readPrivateKey(bytes);
  if (key === undefined || !isOfSpec(key, spec)) {
    throw incorrectKeyMaterial(`The key material is not a private key of ${spec} in PKCS #8 and DER.`);
  }
  return key.export({ format: 'der', type: 'pkcs8' });
}

/**
 * What names imported material: the same for the same material of the same key, in every Region. A pseudo-random
 * function keyed by the material, so that it tells nothing of it.
 *
 * @returns 64 hexadecimal digits
 */
export function importedMaterialId(keyId: string, material: Uint8Array): string {
  return createHmac('sha256', material).update(`${ID_PURPOSE} ${keyId}`).digest('hex');
}

function readPrivateKey(bytes: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  } catch {
    return undefined;
  }
}

function isOfSpec(key: KeyObject, spec: KeySpec): boolean {
  const kind = key.asymmetricKeyType;
  if (MODULUS_LENGTHS[spec] !== undefined) {
    return kind === 'rsa' && key.asymmetricKeyDetails?.modulusLength === MODULUS_LENGTHS[spec];
  }
  if (CURVES[spec] !== undefined) return kind === 'ec' && key.asymmetricKeyDetails?.namedCurve === CURVES[spec];
  return KINDS[spec] !== undefined && (kind as string) === KINDS[spec];
}
