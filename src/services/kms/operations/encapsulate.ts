import { decapsulate as openSecret, encapsulate as makeSecret } from 'node:crypto';
import {
  Decapsulate$,
  type DecapsulateRequest,
  type DecapsulateResponse,
  Encapsulate$,
  type EncapsulateRequest,
  type EncapsulateResponse,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import type { LocatedKey } from '../domain/key-locator.ts';
import { invalidCiphertext } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { endDryRun } from './crypto-parameters.ts';
import { locateForUse } from './use-key.ts';

/** The bytes of what is encapsulated (FIPS 203, table 3). */
const CIPHERTEXT_LENGTHS: Readonly<Record<string, number>> = { ML_KEM_512: 768, ML_KEM_768: 1088, ML_KEM_1024: 1568 };

export const encapsulate = operation<KmsContext, EncapsulateRequest, EncapsulateResponse>(Encapsulate$, {
  isReadOnly: true,
  authorize: authorizeOnKey('kms:Encapsulate'),
  async handle(input, call, kms) {
    const { key, arn } = await locate(input, call, kms, 'Encapsulate');
    endDryRun(input);
    const { publicKey } = await kms.materials.openPair(key, key.material_id);
    const { sharedKey, ciphertext } = makeSecret(publicKey);
    return {
      KeyId: arn,
      SharedSecret: sharedKey,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  },
});

export const decapsulate = operation<KmsContext, DecapsulateRequest, DecapsulateResponse>(Decapsulate$, {
  isReadOnly: true,
  authorize: authorizeOnKey('kms:Decapsulate'),
  async handle(input, call, kms) {
    const { key, arn } = await locate(input, call, kms, 'Decapsulate');
    const blob = input.SharedSecretCiphertextBlob ?? new Uint8Array();
    if (blob.length !== CIPHERTEXT_LENGTHS[key.spec]) throw invalidCiphertext();
    endDryRun(input);
    const { privateKey } = await kms.materials.openPair(key, key.material_id);
    return {
      KeyId: arn,
      SharedSecret: openSecret(privateKey, blob),
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  },
});

type EncapsulationInput = Pick<EncapsulateRequest, 'KeyId' | 'EncapsulationAlgorithm' | 'GrantTokens'>;

function locate(input: EncapsulationInput, call: Call, kms: KmsContext, operationName: string): Promise<LocatedKey> {
  const algorithm = input.EncapsulationAlgorithm;
  return locateForUse(input, call, kms, { operation: operationName, usage: 'ENCAPSULATE_DECAPSULATE', algorithm });
}
