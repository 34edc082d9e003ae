import { Encrypt$, type EncryptRequest, type EncryptResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { sealCiphertext } from '../domain/ciphertext-blob.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { requireAlgorithm, requireSymmetricForNow } from '../domain/key-usage.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';

export const encrypt = operation<KmsContext, EncryptRequest, EncryptResponse>(Encrypt$, {
  isReadOnly: true,
  secretMembers: ['Plaintext'],
  async authorize(input, call, kms) {
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:Encrypt');
    const context = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' };
    return [keyAccess(call, located, 'kms:Encrypt', { encryptionContext: input.EncryptionContext, context })];
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:Encrypt');
    requireEnabled(located);
    requireAlgorithm(located, 'ENCRYPT_DECRYPT', input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', 'Encrypt');
    requireSymmetricForNow(located);
    endDryRun(input);
    const { key, arn } = located;
    const material = await kms.materials.open(key, key.material_id);
    const header = { keyId: key.id, materialId: key.material_id };
    const blob = sealCiphertext(header, material, input.Plaintext ?? new Uint8Array(), input.EncryptionContext);
    return { CiphertextBlob: blob, KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  },
});
