import {
  GenerateDataKeyPair$,
  type GenerateDataKeyPairRequest,
  type GenerateDataKeyPairResponse,
  GenerateDataKeyPairWithoutPlaintext$,
  type GenerateDataKeyPairWithoutPlaintextRequest,
  type GenerateDataKeyPairWithoutPlaintextResponse,
} from '@aws-sdk/client-kms';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { encryptUnder } from '../domain/encryption.ts';
import { generatePair } from '../domain/generate-key.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { privateKeyDer, publicKeyDer } from '../domain/key-pair.ts';
import { isPairSpec } from '../domain/key-specs.ts';
import { requireDataKeyKey } from '../domain/key-usage.ts';
import { unsupported } from '../errors.ts';
import { endDryRun, refuseUnsupported } from './crypto-parameters.ts';

export const generateDataKeyPair = operation<KmsContext, GenerateDataKeyPairRequest, GenerateDataKeyPairResponse>(
  GenerateDataKeyPair$,
  {
    isReadOnly: true,
    authorize: (input, call, kms) => authorizePair(input, call, kms, 'GenerateDataKeyPair'),
    async handle(input, call, kms) {
      const { answer, privateKey } = await generate(input, call, kms, 'GenerateDataKeyPair');
      return { ...answer, PrivateKeyPlaintext: privateKey };
    },
  },
);

export const generateDataKeyPairWithoutPlaintext = operation<
  KmsContext,
  GenerateDataKeyPairWithoutPlaintextRequest,
  GenerateDataKeyPairWithoutPlaintextResponse
>(GenerateDataKeyPairWithoutPlaintext$, {
  isReadOnly: true,
  authorize: (input, call, kms) => authorizePair(input, call, kms, 'GenerateDataKeyPairWithoutPlaintext'),
  async handle(input, call, kms) {
    const { answer, privateKey } = await generate(input, call, kms, 'GenerateDataKeyPairWithoutPlaintext');
    privateKey.fill(0);
    return answer;
  },
});

type PairInput = GenerateDataKeyPairWithoutPlaintextRequest;

async function authorizePair(
  input: PairInput,
  call: Call,
  kms: KmsContext,
  operationName: string,
): Promise<AccessRequest[]> {
  const action = `kms:${operationName}`;
  const located = await kms.keys.locate(input.KeyId ?? '', call, action);
  const context = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT', 'kms:DataKeyPairSpec': input.KeyPairSpec };
  return [keyAccess(call, located, action, { encryptionContext: input.EncryptionContext, context })];
}

/** The private key is the caller's to overwrite. */
async function generate(
  input: PairInput & Pick<GenerateDataKeyPairRequest, 'Recipient'>,
  call: Call,
  kms: KmsContext,
  operationName: string,
): Promise<{ answer: GenerateDataKeyPairWithoutPlaintextResponse; privateKey: Buffer }> {
  refuseUnsupported(input);
  const spec = input.KeyPairSpec ?? 'SM2';
  if (!isPairSpec(spec)) throw unsupported(`KeyPairSpec ${spec} is not supported in this Region.`);
  const located = await kms.keys.locate(input.KeyId ?? '', call, `kms:${operationName}`);
  requireEnabled(located);
  requireDataKeyKey(located, operationName);
  endDryRun(input);
  const pair = await generatePair(spec);
  const privateKey = privateKeyDer(pair.privateKey);
  const manner = { algorithm: 'SYMMETRIC_DEFAULT', context: input.EncryptionContext } as const;
  const { blob, materialId } = await encryptUnder(located.key, manner, privateKey, kms, {
    call,
    operation: operationName,
  });
  const answer = {
    PrivateKeyCiphertextBlob: blob,
    PublicKey: publicKeyDer(pair.publicKey),
    KeyId: located.arn,
    KeyPairSpec: spec,
    KeyMaterialId: materialId,
  };
  return { answer, privateKey };
}
