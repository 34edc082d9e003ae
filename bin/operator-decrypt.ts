import { DecryptionError } from '#crypto/decryption-error.ts';
import type { KmsContext } from '#services/kms/context.ts';
import { openCiphertext, readCiphertextHeader } from '#services/kms/domain/ciphertext-blob.ts';
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
      throw new DecryptionError();
    }
    try {
      return openCiphertext(blob, material, context);
    } finally {
      material.fill(0);
    }
  };
}
