import { GenerateRandom$, type GenerateRandomRequest, type GenerateRandomResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { unsupported, validation } from '../errors.ts';

export const generateRandom = operation<KmsContext, GenerateRandomRequest, GenerateRandomResponse>(GenerateRandom$, {
  isReadOnly: true,
  authorize: () => [{ action: 'kms:GenerateRandom', resource: '*' }],
  handle(input, _call, kms) {
    if (input.Recipient !== undefined)
      throw unsupported('Recipient is not supported: there are no AWS Nitro Enclaves outside AWS.');
    if (input.CustomKeyStoreId !== undefined) throw unsupported('CustomKeyStoreId is not supported yet.');
    if (input.NumberOfBytes === undefined) throw validation('NumberOfBytes is required.');
    return { Plaintext: kms.randomness.bytes(input.NumberOfBytes) };
  },
});
