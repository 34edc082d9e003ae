import { Decrypt$, type DecryptRequest, type DecryptResponse } from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { decryptUnder, type EncryptionManner, requireEncryption } from '../domain/encryption.ts';
import { keyAccess } from '../domain/key-access.ts';
import { type LocatedKey, requireEnabled } from '../domain/key-locator.ts';
import { incorrectKey, validation } from '../errors.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';
import { type CiphertextSource, locateCiphertextKey } from './ciphertext-key.ts';

export const decrypt = operation<KmsContext, DecryptRequest, DecryptResponse>(Decrypt$, {
  isReadOnly: true,
  async authorize(input, call, kms) {
    const located = asksOfKeyAlone(input)
      ? await locateNamedKey(input, call, kms)
      : await locateCiphertextKey(sourceOf(input), call, kms, 'kms:Decrypt');
    const context = { 'kms:EncryptionAlgorithm': mannerOf(input).algorithm };
    return [keyAccess(call, located, 'kms:Decrypt', { encryptionContext: input.EncryptionContext, context })];
  },
  async handle(input, call, kms) {
    const manner = mannerOf(input);
    if (asksOfKeyAlone(input)) {
      refuseUnsupported({ ...input, DryRunModifiers: undefined });
      const named = await locateNamedKey(input, call, kms);
      requireEnabled(named);
      requireEncryption(named, manner, 'Decrypt');
      endDryRun(input);
    }
    refuseUnsupported(input);
    const located = await locateCiphertextKey(sourceOf(input), call, kms, 'kms:Decrypt');
    requireEnabled(located);
    if (!located.isCiphertextKey) throw incorrectKey();
    requireEncryption(located, manner, 'Decrypt');
    endDryRun(input);
    const { plaintext, materialId } = await decryptUnder(located.key, manner, input.CiphertextBlob, kms, {
      call,
      operation: 'Decrypt',
    });
    return {
      KeyId: located.arn,
      Plaintext: plaintext,
      EncryptionAlgorithm: manner.algorithm,
      KeyMaterialId: materialId,
    };
  },
});

function mannerOf(input: DecryptRequest): EncryptionManner {
  return { algorithm: input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', context: input.EncryptionContext };
}

function sourceOf(input: DecryptRequest): CiphertextSource {
  return { blob: input.CiphertextBlob, keyId: input.KeyId, algorithm: mannerOf(input).algorithm };
}

/** A dry run that has no ciphertext: may the caller decrypt with this key? */
function asksOfKeyAlone({ DryRun, DryRunModifiers }: DecryptRequest): boolean {
  return DryRun === true && DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
}

async function locateNamedKey({ KeyId }: DecryptRequest, call: Call, kms: KmsContext): Promise<LocatedKey> {
  if (KeyId === undefined) throw validation('KeyId is required with the dry run modifier IGNORE_CIPHERTEXT.');
  return await kms.keys.locate(KeyId, call, 'kms:Decrypt');
}
