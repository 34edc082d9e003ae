import { GetPublicKey$, type GetPublicKeyRequest, type GetPublicKeyResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { keyMetadata } from '../domain/key-metadata.ts';
import { publicKeyDer } from '../domain/key-pair.ts';
import { isPairSpec } from '../domain/key-specs.ts';
import { unsupported } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { refuseUnsupported } from './crypto-parameters.ts';

export const getPublicKey = operation<KmsContext, GetPublicKeyRequest, GetPublicKeyResponse>(GetPublicKey$, {
  authorize: authorizeOnKey('kms:GetPublicKey'),
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:GetPublicKey');
    const { key, arn } = located;
    requireEnabled(located);
    if (!isPairSpec(key.spec)) throw unsupported(`${arn} is a symmetric key: it has no public key.`);
    const { publicKey } = await kms.materials.openPair(key, key.material_id);
    const metadata = keyMetadata(key);
    return {
      KeyId: arn,
      PublicKey: publicKeyDer(publicKey),
      CustomerMasterKeySpec: metadata.CustomerMasterKeySpec,
      KeySpec: metadata.KeySpec,
      KeyUsage: metadata.KeyUsage,
      EncryptionAlgorithms: metadata.EncryptionAlgorithms,
      SigningAlgorithms: metadata.SigningAlgorithms,
      KeyAgreementAlgorithms: metadata.KeyAgreementAlgorithms,
      EncapsulationAlgorithms: metadata.EncapsulationAlgorithms,
    };
  },
});
