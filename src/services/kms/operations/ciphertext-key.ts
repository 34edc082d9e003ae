import type { EncryptionAlgorithmSpec } from '@aws-sdk/client-kms';
import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { readCiphertextHeader } from '../domain/ciphertext-blob.ts';
import { foreignKeyDenied, type LocatedKey } from '../domain/key-locator.ts';
import { isRsaEncryption } from '../domain/rsa-encryption.ts';
import { invalidCiphertext, validation } from '../errors.ts';

/** As AWS words it; the model does not require the member, since a dry run may go without. */
const BLOB_IS_MISSING =
  "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null";

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
  /** True where only a dry run asks for the key: there need be no ciphertext. */
  readonly isIgnored: boolean;
}

/**
 * INVARIANT: of a key that is not in this Region, is gone or was never there, as much is told as of another account's: as
 * in AWS, that there is no access to it.
 *
 * @throws ServiceError InvalidCiphertextException for what is no ciphertext, AccessDeniedException, ValidationException
 */
export async function locateCiphertextKey(
  { blob, keyId, algorithm, isIgnored }: CiphertextSource,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<CiphertextKey> {
  if (blob === undefined && !isIgnored) throw validation(BLOB_IS_MISSING);
  // What RSA gives says nothing of its key.
  if (isIgnored || isRsaEncryption(algorithm)) {
    const why = isIgnored ? 'the dry run modifier IGNORE_CIPHERTEXT' : `EncryptionAlgorithm ${algorithm}`;
    if (keyId === undefined) throw validation(`A key ID (KeyId, SourceKeyId) is required with ${why}.`);
    return { ...(await kms.keys.locate(keyId, call, action)), isCiphertextKey: true };
  }
  const header = blob === undefined ? undefined : readCiphertextHeader(blob);
  if (keyId !== undefined) {
    const located = await kms.keys.locate(keyId, call, action);
    if (located.key.spec !== 'SYMMETRIC_DEFAULT') return { ...located, isCiphertextKey: false };
    if (header === undefined) throw invalidCiphertext();
    return { ...located, isCiphertextKey: header.keyId === located.key.id };
  }
  if (header === undefined) throw invalidCiphertext();
  const located = await kms.keys.locateById(header.keyId, call);
  if (located === undefined) throw foreignKeyDenied(call.caller, action, undefined);
  return { ...located, isCiphertextKey: true };
}
