import { Encrypt$, type EncryptRequest, type EncryptResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { checkPlaintext, encryptUnder, type EncryptionManner, requireEncryption } from '../domain/encryption.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';

export const encrypt = operation<KmsContext, EncryptRequest, EncryptResponse>(Encrypt$, {
  isReadOnly: true,
  secretMembers: ['Plaintext'],
  async authorize(input, call, kms) {
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:Encrypt');
    const context = { 'kms:EncryptionAlgorithm': mannerOf(input).algorithm };
    return [keyAccess(call, located, 'kms:Encrypt', { encryptionContext: input.EncryptionContext, context })];
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:Encrypt');
    const { key, arn } = located;
    const manner = mannerOf(input);
    const plaintext = input.Plaintext ?? new Uint8Array();
    requireEnabled(located);
    requireEncryption(located, manner, 'Encrypt');
    checkPlaintext(key, manner, plaintext);
    endDryRun(input);
    const { blob } = await encryptUnder(key, manner, plaintext, kms, { call, operation: 'Encrypt' });
    return { CiphertextBlob: blob, KeyId: arn, EncryptionAlgorithm: manner.algorithm };
  },
});

function mannerOf(input: EncryptRequest): EncryptionManner {
  return { algorithm: input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', context: input.EncryptionContext };
}
