import {
  GenerateDataKeyPair$,
  type GenerateDataKeyPairRequest,
  type GenerateDataKeyPairResponse,
  GenerateDataKeyPairWithoutPlaintext$,
  type GenerateDataKeyPairWithoutPlaintextRequest,
  type GenerateDataKeyPairWithoutPlaintextResponse,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { generatePair } from '../domain/generate-key.ts';
import { privateKeyDer, publicKeyDer } from '../domain/key-pair.ts';
import { isPairSpec } from '../domain/key-specs.ts';
import { unsupported } from '../errors.ts';
import { refuseUnsupported } from './crypto-parameters.ts';
import { authorizeDataKey, makeDataKey } from './new-data-key.ts';

type PairInput = GenerateDataKeyPairWithoutPlaintextRequest;
type PairOperation = 'GenerateDataKeyPair' | 'GenerateDataKeyPairWithoutPlaintext';

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

function authorizePair(input: PairInput, call: Call, kms: KmsContext, operationName: PairOperation) {
  return authorizeDataKey(input, call, kms, operationName, { 'kms:DataKeyPairSpec': input.KeyPairSpec });
}

/** The private key is the caller's to overwrite. */
async function generate(
  input: PairInput & Pick<GenerateDataKeyPairRequest, 'Recipient'>,
  call: Call,
  kms: KmsContext,
  operationName: PairOperation,
): Promise<{ answer: GenerateDataKeyPairWithoutPlaintextResponse; privateKey: Buffer }> {
  refuseUnsupported(input);
  const spec = input.KeyPairSpec ?? 'SM2';
  if (!isPairSpec(spec)) throw unsupported(`KeyPairSpec ${spec} is not supported in this Region.`);
  const make = async () => {
    const pair = await generatePair(spec);
    return { privateKey: privateKeyDer(pair.privateKey), publicKey: publicKeyDer(pair.publicKey) };
  };
  const { made, blob, members } = await makeDataKey(input, call, kms, operationName, make, (pair) => pair.privateKey);
  const answer = { PrivateKeyCiphertextBlob: blob, PublicKey: made.publicKey, KeyPairSpec: spec, ...members };
  return { answer, privateKey: made.privateKey };
}
