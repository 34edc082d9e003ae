import { ReEncrypt$, type ReEncryptRequest, type ReEncryptResponse } from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import {
  checkPlaintext,
  decryptUnder,
  encryptUnder,
  type EncryptionManner,
  requireEncryption,
} from '../domain/encryption.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { incorrectKey } from '../errors.ts';
import { locateCiphertextKey } from './ciphertext-key.ts';
import { endDryRun, ignoresCiphertext, refuseUnsupported } from './crypto-parameters.ts';

export const reEncrypt = operation<KmsContext, ReEncryptRequest, ReEncryptResponse>(ReEncrypt$, {
  isReadOnly: true,
  async authorize(input, call, kms) {
    const { source, destination } = await locateBoth(input, call, kms);
    const { from, to } = mannersOf(input);
    const context = { 'kms:ReEncryptOnSameKey': String(source.key.id === destination.key.id) };
    return [
      keyAccess(call, source, 'kms:ReEncryptFrom', {
        encryptionContext: from.context,
        context: { ...context, 'kms:EncryptionAlgorithm': from.algorithm },
      }),
      keyAccess(call, destination, 'kms:ReEncryptTo', {
        encryptionContext: to.context,
        context: { ...context, 'kms:EncryptionAlgorithm': to.algorithm },
      }),
    ];
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const { source, destination } = await locateBoth(input, call, kms);
    const { from, to } = mannersOf(input);
    requireEnabled(source);
    requireEnabled(destination);
    if (!source.isCiphertextKey) throw incorrectKey();
    requireEncryption(source, from, 'ReEncrypt');
    requireEncryption(destination, to, 'ReEncrypt');
    endDryRun(input);
    const opened = await decryptUnder(source.key, from, input.CiphertextBlob, kms, { call, operation: 'ReEncrypt' });
    try {
      checkPlaintext(destination.key, to, opened.plaintext);
      const sealed = await encryptUnder(destination.key, to, opened.plaintext, kms, { call, operation: 'ReEncrypt' });
      return {
        CiphertextBlob: sealed.blob,
        SourceKeyId: source.arn,
        KeyId: destination.arn,
        SourceEncryptionAlgorithm: from.algorithm,
        DestinationEncryptionAlgorithm: to.algorithm,
        SourceKeyMaterialId: opened.materialId,
        DestinationKeyMaterialId: sealed.materialId,
      };
    } finally {
      opened.plaintext.fill(0);
    }
  },
});

function mannersOf(input: ReEncryptRequest): { readonly from: EncryptionManner; readonly to: EncryptionManner } {
  return {
    from: { algorithm: input.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', context: input.SourceEncryptionContext },
    to: {
      algorithm: input.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      context: input.DestinationEncryptionContext,
    },
  };
}

async function locateBoth(input: ReEncryptRequest, call: Call, kms: KmsContext) {
  const { algorithm } = mannersOf(input).from;
  const isIgnored = ignoresCiphertext(input);
  const from = { blob: input.CiphertextBlob, keyId: input.SourceKeyId, algorithm, isIgnored };
  const source = await locateCiphertextKey(from, call, kms, 'kms:ReEncryptFrom');
  const destination = await kms.keys.locate(input.DestinationKeyId ?? '', call, 'kms:ReEncryptTo');
  return { source, destination };
}
