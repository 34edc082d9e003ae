import { Decrypt$, type DecryptRequest, type DecryptResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { decryptUnder, type EncryptionManner, requireEncryption } from '../domain/encryption.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { incorrectKey } from '../errors.ts';
import { endDryRun, ignoresCiphertext, refuseUnsupported } from './crypto-parameters.ts';
import { type CiphertextSource, locateCiphertextKey } from './ciphertext-key.ts';

export const decrypt = operation<KmsContext, DecryptRequest, DecryptResponse>(Decrypt$, {
  isReadOnly: true,
  async authorize(input, call, kms) {
    const located = await locateCiphertextKey(sourceOf(input), call, kms, 'kms:Decrypt');
    const context = { 'kms:EncryptionAlgorithm': mannerOf(input).algorithm };
    return [keyAccess(call, located, 'kms:Decrypt', { encryptionContext: input.EncryptionContext, context })];
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const manner = mannerOf(input);
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
  return {
    blob: input.CiphertextBlob,
    keyId: input.KeyId,
    algorithm: mannerOf(input).algorithm,
    isIgnored: ignoresCiphertext(input),
  };
}
