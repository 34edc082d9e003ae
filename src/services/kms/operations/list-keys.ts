import { ListKeys$, type ListKeysRequest, type ListKeysResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyArn } from '../domain/key-identifier.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { decodeMarker, pageOf } from '../domain/pagination.ts';

const DEFAULT_LIMIT = 100;

export const listKeys = operation<KmsContext, ListKeysRequest, ListKeysResponse>(ListKeys$, {
  authorize: () => [{ action: 'kms:ListKeys', resource: '*' }],
  async handle(input, call, kms) {
    const account = callerAccount(call.caller, 'kms:ListKeys');
    const limit = input.Limit ?? DEFAULT_LIMIT;
    const keys = await kms.store.listKeys(account, call.region, decodeMarker(input.Marker), limit + 1);
    const { items, ...page } = pageOf(keys, limit, (key) => key.id);
    return { Keys: items.map((key) => ({ KeyId: key.id, KeyArn: keyArn(key) })), ...page };
  },
});
