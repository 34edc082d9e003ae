import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { openCiphertext, readCiphertextHeader } from '../domain/ciphertext-blob.ts';
import type { EncryptionContext } from '../domain/encryption-context.ts';
import type { LocatedKey } from '../domain/key-locator.ts';
import { invalidCiphertext } from '../errors.ts';

/** The key that decrypts: the one that the request names, or else the ciphertext's own. */
export interface CiphertextKey extends LocatedKey {
  /** False when the request names a key that is not the ciphertext's. */
  readonly isCiphertextKey: boolean;
}

/** @throws ServiceError InvalidCiphertextException when no key of this region made the ciphertext */
export async function locateCiphertextKey(
  blob: Uint8Array | undefined,
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<CiphertextKey> {
  const header = blob === undefined ? undefined : readCiphertextHeader(blob);
  if (keyId !== undefined) {
    const located = await kms.keys.locate(keyId, call, action);
    if (header === undefined) throw invalidCiphertext();
    return { ...located, isCiphertextKey: header.keyId === located.key.id };
  }
  const located = header === undefined ? undefined : await kms.keys.locateById(header.keyId, call);
  if (located === undefined) throw invalidCiphertext();
  return { ...located, isCiphertextKey: true };
}

/** @throws ServiceError InvalidCiphertextException, always the same */
export async function openWithKey(
  located: LocatedKey,
  blob: Uint8Array | undefined,
  context: EncryptionContext | undefined,
  kms: KmsContext,
): Promise<{ readonly plaintext: Buffer; readonly materialId: string }> {
  const header = blob === undefined ? undefined : readCiphertextHeader(blob);
  if (blob === undefined || header === undefined || header.keyId !== located.key.id) throw invalidCiphertext();
  const material = await kms.materials.open(located.key, header.materialId);
  try {
    return { plaintext: openCiphertext(blob, material, context), materialId: header.materialId };
  } catch (error) {
    if (error instanceof DecryptionError) throw invalidCiphertext();
    throw error;
  }
}
