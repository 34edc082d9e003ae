import { ListKeys$, type ListKeysRequest, type ListKeysResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyArn } from '../domain/key-identifier.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { readPage } from '../domain/pagination.ts';

const USUAL = { limit: 100 };

export const listKeys = operation<KmsContext, ListKeysRequest, ListKeysResponse>(ListKeys$, {
  authorize: () => [{ action: 'kms:ListKeys', resource: '*' }],
  async handle(input, call, kms) {
    const account = callerAccount(call.caller, 'kms:ListKeys');
    const { items, ...page } = await readPage(
      input,
      USUAL,
      (after, count) => kms.store.listKeys(account, call.region, after, count),
      (key) => key.id,
    );
    return { Keys: items.map((key) => ({ KeyId: key.id, KeyArn: keyArn(key) })), ...page };
  },
});
