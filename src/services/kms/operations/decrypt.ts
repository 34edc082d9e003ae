import { Decrypt$, type DecryptRequest, type DecryptResponse } from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { type LocatedKey, requireEnabled } from '../domain/key-locator.ts';
import { requireAlgorithm, requireSymmetricForNow } from '../domain/key-usage.ts';
import { incorrectKey, validation } from '../errors.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';
import { locateCiphertextKey, openWithKey } from './ciphertext-key.ts';

export const decrypt = operation<KmsContext, DecryptRequest, DecryptResponse>(Decrypt$, {
  isReadOnly: true,
  async authorize(input, call, kms) {
    const located = asksOfKeyAlone(input)
      ? await locateNamedKey(input, call, kms)
      : await locateCiphertextKey(input.CiphertextBlob, input.KeyId, call, kms, 'kms:Decrypt');
    const context = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' };
    return [keyAccess(call, located, 'kms:Decrypt', { encryptionContext: input.EncryptionContext, context })];
  },
  async handle(input, call, kms) {
    if (asksOfKeyAlone(input)) {
      refuseUnsupported({ ...input, DryRunModifiers: undefined });
      const named = await locateNamedKey(input, call, kms);
      requireEnabled(named);
      requireAlgorithm(named, 'ENCRYPT_DECRYPT', input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', 'Decrypt');
      endDryRun(input);
    }
    refuseUnsupported(input);
    const located = await locateCiphertextKey(input.CiphertextBlob, input.KeyId, call, kms, 'kms:Decrypt');
    requireEnabled(located);
    if (!located.isCiphertextKey) throw incorrectKey();
    requireAlgorithm(located, 'ENCRYPT_DECRYPT', input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', 'Decrypt');
    requireSymmetricForNow(located);
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

/** A dry run that has no ciphertext: may the caller decrypt with this key? */
function asksOfKeyAlone({ DryRun, DryRunModifiers }: DecryptRequest): boolean {
  return DryRun === true && DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
}

async function locateNamedKey({ KeyId }: DecryptRequest, call: Call, kms: KmsContext): Promise<LocatedKey> {
  if (KeyId === undefined) throw validation('KeyId is required with the dry run modifier IGNORE_CIPHERTEXT.');
  return await kms.keys.locate(KeyId, call, 'kms:Decrypt');
}
