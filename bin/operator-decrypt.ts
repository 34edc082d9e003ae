import { DecryptionError } from '#crypto/decryption-error.ts';
import { KeyDestroyedError } from '#crypto/key-destroyed-error.ts';
import type { KmsContext } from '#services/kms/context.ts';
import { openCiphertext, readCiphertextHeader } from '#services/kms/domain/ciphertext-blob.ts';
import { keyArn } from '#services/kms/domain/key-identifier.ts';
import { openExternally } from '#services/kms/xks/external-encryption.ts';
import type { OperatorDecrypt } from '#services/s3/maintenance/verify.ts';

/**
 * Opens KMS ciphertexts for `coffer verify`, on the authority of the operator who runs the server and holds its root
 * key. Nothing that comes over the AWS port leads here (docs/security.md).
 */
export function operatorDecrypt(kms: KmsContext): OperatorDecrypt {
  return async ({ CiphertextBlob: blob, EncryptionContext: context }) => {
    const header = readCiphertextHeader(blob);
    if (header === undefined) throw new DecryptionError();
    let material: Buffer;
    try {
      material = await kms.materials.openAnywhere(header.keyId, header.materialId);
    } catch {
      if (await kms.store.isDestroyed(header.keyId)) throw new KeyDestroyedError();
      throw new DecryptionError();
    }
    try {
      if (header.isExternal) return await openByProxy(kms, header.keyId, material, blob, context);
      return openCiphertext(blob, material, context);
    } finally {
      material.fill(0);
    }
  };
}

/** Keys in external key stores open nothing without their proxies, which are told whom they answer: AWS's word for it. */
async function openByProxy(
  kms: KmsContext,
  keyId: string,
  material: Buffer,
  blob: Uint8Array,
  context: Readonly<Record<string, string>> | undefined,
): Promise<Buffer> {
  try {
    const key = await kms.store.findExternalKey(keyId);
    if (key?.external?.store.connection_state !== 'CONNECTED') throw new DecryptionError();
    const use = {
      principalArn: 'AWS Internal',
      keyArn: keyArn(key),
      operation: 'Decrypt',
      requestId: kms.randomness.uuid(),
      service: undefined,
      now: Date.now(),
    };
    return await openExternally(kms.proxies, key.external, material, blob, context, use);
  } catch {
    throw new DecryptionError();
  }
}
