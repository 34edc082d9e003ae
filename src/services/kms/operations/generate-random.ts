import { GenerateRandom$, type GenerateRandomRequest, type GenerateRandomResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { unsupported, validation } from '../errors.ts';
import { findKeyStore } from '../xks/custom-key-stores.ts';

export const generateRandom = operation<KmsContext, GenerateRandomRequest, GenerateRandomResponse>(GenerateRandom$, {
  isReadOnly: true,
  authorize: () => [{ action: 'kms:GenerateRandom', resource: '*' }],
  async handle(input, call, kms) {
    if (input.Recipient !== undefined)
      throw unsupported('Recipient is not supported: there are no AWS Nitro Enclaves outside AWS.');
    if (input.CustomKeyStoreId !== undefined) {
      const place = { account: callerAccount(call.caller, 'kms:GenerateRandom'), region: call.region };
      await findKeyStore(kms.store.read, place, input.CustomKeyStoreId);
      throw unsupported('CustomKeyStoreId is for AWS CloudHSM key stores: external key stores give no random bytes.');
    }
    if (input.NumberOfBytes === undefined) throw validation('NumberOfBytes is required.');
    return { Plaintext: kms.randomness.bytes(input.NumberOfBytes) };
  },
});
