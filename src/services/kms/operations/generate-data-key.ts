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
import { validation } from '../errors.ts';
import { refuseUnsupported } from './crypto-parameters.ts';
import { authorizeDataKey, makeDataKey } from './new-data-key.ts';

export const generateDataKey = operation<KmsContext, GenerateDataKeyRequest, GenerateDataKeyResponse>(
  GenerateDataKey$,
  {
    isReadOnly: true,
    authorize: (input, call, kms) => authorizeDataKey(input, call, kms, 'GenerateDataKey'),
    async handle(input, call, kms) {
      const { answer, plaintext } = await generate(input, call, kms, 'GenerateDataKey');
      return { ...answer, Plaintext: plaintext };
    },
  },
);

export const generateDataKeyWithoutPlaintext = operation<
  KmsContext,
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse
>(GenerateDataKeyWithoutPlaintext$, {
  isReadOnly: true,
  authorize: (input, call, kms) => authorizeDataKey(input, call, kms, 'GenerateDataKeyWithoutPlaintext'),
  async handle(input, call, kms) {
    const { answer, plaintext } = await generate(input, call, kms, 'GenerateDataKeyWithoutPlaintext');
    plaintext.fill(0);
    return answer;
  },
});

/** The plaintext is the caller's to overwrite. */
async function generate(
  input: GenerateDataKeyWithoutPlaintextRequest & Pick<GenerateDataKeyRequest, 'Recipient'>,
  call: Call,
  kms: KmsContext,
  operationName: 'GenerateDataKey' | 'GenerateDataKeyWithoutPlaintext',
) {
  refuseUnsupported(input);
  const length = dataKeyLength(input);
  const make = () => kms.randomness.bytes(length);
  const { made, blob, members } = await makeDataKey(input, call, kms, operationName, make, (plaintext) => plaintext);
  return { answer: { CiphertextBlob: blob, ...members }, plaintext: made };
}

function dataKeyLength(input: GenerateDataKeyWithoutPlaintextRequest): number {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw validation('Please specify either number of bytes or key spec.');
  }
  if (input.NumberOfBytes !== undefined) return input.NumberOfBytes;
  return input.KeySpec === 'AES_128' ? 16 : 32;
}
