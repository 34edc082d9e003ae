import { ReEncrypt$, type ReEncryptRequest, type ReEncryptResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { sealCiphertext } from '../domain/ciphertext-blob.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { requireAlgorithm, requireSymmetricForNow } from '../domain/key-usage.ts';
import { incorrectKey } from '../errors.ts';
import { locateCiphertextKey, openWithKey } from './ciphertext-key.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';

export const reEncrypt = operation<KmsContext, ReEncryptRequest, ReEncryptResponse>(ReEncrypt$, {
  isReadOnly: true,
  async authorize(input, call, kms) {
    const { source, destination } = await locateBoth(input, call, kms);
    const context = { 'kms:ReEncryptOnSameKey': String(source.key.id === destination.key.id) };
    return [
      keyAccess(call, source, 'kms:ReEncryptFrom', {
        encryptionContext: input.SourceEncryptionContext,
        context,
      }),
      keyAccess(call, destination, 'kms:ReEncryptTo', {
        encryptionContext: input.DestinationEncryptionContext,
        context,
      }),
    ];
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const { source, destination } = await locateBoth(input, call, kms);
    requireEnabled(source);
    requireEnabled(destination);
    if (!source.isCiphertextKey) throw incorrectKey();
    for (const [located, algorithm] of [
      [source, input.SourceEncryptionAlgorithm],
      [destination, input.DestinationEncryptionAlgorithm],
    ] as const) {
      requireAlgorithm(located, 'ENCRYPT_DECRYPT', algorithm ?? 'SYMMETRIC_DEFAULT', 'ReEncrypt');
      requireSymmetricForNow(located);
    }
    endDryRun(input);
    const opened = await openWithKey(source, input.CiphertextBlob, input.SourceEncryptionContext, kms);
    const { key, arn } = destination;
    const material = await kms.materials.open(key, key.material_id);
    const header = { keyId: key.id, materialId: key.material_id };
    const blob = sealCiphertext(header, material, opened.plaintext, input.DestinationEncryptionContext);
    opened.plaintext.fill(0);
    return {
      CiphertextBlob: blob,
      SourceKeyId: source.arn,
      KeyId: arn,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      SourceKeyMaterialId: opened.materialId,
      DestinationKeyMaterialId: key.material_id,
    };
  },
});

async function locateBoth(input: ReEncryptRequest, call: Parameters<typeof locateCiphertextKey>[2], kms: KmsContext) {
  const source = await locateCiphertextKey(input.CiphertextBlob, input.SourceKeyId, call, kms, 'kms:ReEncryptFrom');
  const destination = await kms.keys.locate(input.DestinationKeyId ?? '', call, 'kms:ReEncryptTo');
  return { source, destination };
}
