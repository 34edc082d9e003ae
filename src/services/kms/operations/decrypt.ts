import { Decrypt$, type DecryptRequest, type DecryptResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { incorrectKey, unsupportedAlgorithm } from '../errors.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';
import { locateCiphertextKey, openWithKey } from './ciphertext-key.ts';

export const decrypt = operation<KmsContext, DecryptRequest, DecryptResponse>(Decrypt$, {
  isReadOnly: true,
  async authorize(input, call, kms) {
    const located = await locateCiphertextKey(input.CiphertextBlob, input.KeyId, call, kms, 'kms:Decrypt');
    const context = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' };
    return [keyAccess(call, located, 'kms:Decrypt', { encryptionContext: input.EncryptionContext, context })];
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const located = await locateCiphertextKey(input.CiphertextBlob, input.KeyId, call, kms, 'kms:Decrypt');
    requireEnabled(located);
    if ((input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT') !== 'SYMMETRIC_DEFAULT') {
      throw unsupportedAlgorithm(located.arn, input.EncryptionAlgorithm ?? '');
    }
    if (!located.isCiphertextKey) throw incorrectKey();
    endDryRun(input);
    const opened = await openWithKey(located, input.CiphertextBlob, input.EncryptionContext, kms);
    return {
      KeyId: located.arn,
      Plaintext: opened.plaintext,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: opened.materialId,
    };
  },
});
