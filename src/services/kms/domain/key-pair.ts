import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A key pair as the cryptography takes it: parsing one for every request would cost more than using it. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** @param material PKCS #8 in DER */
export function readKeyPair(material: Buffer): KeyPair {
  const privateKey = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** PKCS #8 in DER; the caller overwrites it. */
export function privateKeyDer(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' });
}

/** SubjectPublicKeyInfo in DER, as KMS gives public keys. */
export function publicKeyDer(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}
