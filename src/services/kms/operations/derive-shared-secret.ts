import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import {
  DeriveSharedSecret$,
  type DeriveSharedSecretRequest,
  type DeriveSharedSecretResponse,
} from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { validation } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';
import { locateForUse } from './use-key.ts';

export const deriveSharedSecret = operation<KmsContext, DeriveSharedSecretRequest, DeriveSharedSecretResponse>(
  DeriveSharedSecret$,
  {
    isReadOnly: true,
    authorize: authorizeOnKey<DeriveSharedSecretRequest>('kms:DeriveSharedSecret', (input) => ({
      'kms:KeyAgreementAlgorithm': input.KeyAgreementAlgorithm,
    })),
    async handle(input, call, kms) {
      refuseUnsupported(input);
      const algorithm = input.KeyAgreementAlgorithm;
      const use = { operation: 'DeriveSharedSecret', usage: 'KEY_AGREEMENT', algorithm } as const;
      const { key, arn } = await locateForUse(input, call, kms, use);
      endDryRun(input);
      const { privateKey } = await kms.materials.openPair(key, key.material_id);
      const publicKey = readPeerKey(input.PublicKey, privateKey);
      return {
        KeyId: arn,
        SharedSecret: diffieHellman({ privateKey, publicKey }),
        KeyAgreementAlgorithm: algorithm,
        KeyOrigin: key.origin,
      };
    },
  },
);

/** INVARIANT: OpenSSL takes a point into a key only if it is on the curve; here, on the key's own. */
function readPeerKey(der: Uint8Array | undefined, privateKey: KeyObject): KeyObject {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve;
  try {
    const key = createPublicKey({ key: Buffer.from(der ?? []), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve) return key;
  } catch {
    // As any other key that is none of this curve.
  }
  throw validation(`PublicKey is not the DER-encoded X.509 public key of a key pair on the curve of the KMS key.`);
}
