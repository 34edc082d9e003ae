import type { EncryptionAlgorithmSpec } from '@aws-sdk/client-kms';
import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { readCiphertextHeader } from '../domain/ciphertext-blob.ts';
import type { LocatedKey } from '../domain/key-locator.ts';
import { isRsaEncryption } from '../domain/rsa-encryption.ts';
import { invalidCiphertext, validation } from '../errors.ts';

/** The key that decrypts: the one that the request names, or else the ciphertext's own. */
export interface CiphertextKey extends LocatedKey {
  /** False when the request names a key that is not the ciphertext's. */
  readonly isCiphertextKey: boolean;
}

/** What of a request says which key decrypts. */
export interface CiphertextSource {
  readonly blob: Uint8Array | undefined;
  readonly keyId: string | undefined;
  readonly algorithm: EncryptionAlgorithmSpec;
}

/** @throws ServiceError InvalidCiphertextException when no key of this region made the ciphertext */
export async function locateCiphertextKey(
  { blob, keyId, algorithm }: CiphertextSource,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<CiphertextKey> {
  if (isRsaEncryption(algorithm)) {
    // What RSA gives says nothing of its key.
    if (keyId === undefined) throw validation(`A key ID is required with EncryptionAlgorithm ${algorithm}.`);
    return { ...(await kms.keys.locate(keyId, call, action)), isCiphertextKey: true };
  }
  const header = blob === undefined ? undefined : readCiphertextHeader(blob);
  if (keyId !== undefined) {
    const located = await kms.keys.locate(keyId, call, action);
    if (located.key.spec !== 'SYMMETRIC_DEFAULT') return { ...located, isCiphertextKey: false };
    if (header === undefined) throw invalidCiphertext();
    return { ...located, isCiphertextKey: header.keyId === located.key.id };
  }
  const located = header === undefined ? undefined : await kms.keys.locateById(header.keyId, call);
  if (located === undefined) throw invalidCiphertext();
  return { ...located, isCiphertextKey: true };
}
