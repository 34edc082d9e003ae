import {
  GenerateDataKey$,
  type GenerateDataKeyRequest,
  type GenerateDataKeyResponse,
  GenerateDataKeyWithoutPlaintext$,
  type GenerateDataKeyWithoutPlaintextRequest,
  type GenerateDataKeyWithoutPlaintextResponse,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { encryptUnder } from '../domain/encryption.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { requireDataKeyKey } from '../domain/key-usage.ts';
import { validation } from '../errors.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';

export const generateDataKey = operation<KmsContext, GenerateDataKeyRequest, GenerateDataKeyResponse>(
  GenerateDataKey$,
  {
    isReadOnly: true,
    authorize: (input, call, kms) => authorizeGeneration(input, call, kms, 'kms:GenerateDataKey'),
    async handle(input, call, kms) {
      refuseUnsupported(input);
      const { plaintext, ...rest } = await generate(input, call, kms, 'kms:GenerateDataKey');
      return { ...rest, Plaintext: plaintext };
    },
  },
);

export const generateDataKeyWithoutPlaintext = operation<
  KmsContext,
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse
>(GenerateDataKeyWithoutPlaintext$, {
  isReadOnly: true,
  authorize: (input, call, kms) => authorizeGeneration(input, call, kms, 'kms:GenerateDataKeyWithoutPlaintext'),
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const { plaintext, ...rest } = await generate(input, call, kms, 'kms:GenerateDataKeyWithoutPlaintext');
    plaintext.fill(0);
    return rest;
  },
});

async function authorizeGeneration(
  input: GenerateDataKeyWithoutPlaintextRequest,
  call: Call,
  kms: KmsContext,
  action: string,
) {
  const located = await kms.keys.locate(input.KeyId ?? '', call, action);
  const context = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' };
  return [keyAccess(call, located, action, { encryptionContext: input.EncryptionContext, context })];
}

async function generate(
  input: GenerateDataKeyWithoutPlaintextRequest,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<{ CiphertextBlob: Buffer; KeyId: string; KeyMaterialId: string | undefined; plaintext: Buffer }> {
  const length = dataKeyLength(input);
  const operationName = action.slice('kms:'.length);
  const located = await kms.keys.locate(input.KeyId ?? '', call, action);
  requireEnabled(located);
  requireDataKeyKey(located, operationName);
  endDryRun(input);
  const { key, arn } = located;
  const plaintext = kms.randomness.bytes(length);
  const manner = { algorithm: 'SYMMETRIC_DEFAULT', context: input.EncryptionContext } as const;
  const { blob, materialId } = await encryptUnder(key, manner, plaintext, kms, { call, operation: operationName });
  return { CiphertextBlob: blob, KeyId: arn, KeyMaterialId: materialId, plaintext };
}

function dataKeyLength(input: GenerateDataKeyWithoutPlaintextRequest): number {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw validation('Please specify either number of bytes or key spec.');
  }
  if (input.NumberOfBytes !== undefined) return input.NumberOfBytes;
  return input.KeySpec === 'AES_128' ? 16 : 32;
}
