import {
  GetAccessKeyLastUsed$,
  type GetAccessKeyLastUsedRequest,
  type GetAccessKeyLastUsedResponse,
} from '@aws-sdk/client-iam';
import { nameOf } from '#kernel/caller.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { principalArn, rootArn } from '../domain/identifiers.ts';
import { accessDenied } from '../errors.ts';
import { accessToPrincipal, callerAccount, required } from './targets.ts';

const NEVER = { ServiceName: 'N/A', Region: 'N/A' } as const;

/** Whose key it is; `undefined` for keys that the caller's account does not have. */
async function ownerOf(input: GetAccessKeyLastUsedRequest, call: Call, iam: IamContext) {
  const key = await iam.store.read
    .selectFrom('iam_access_key')
    .select(['id', 'user_id'])
    .where('id', '=', required(input.AccessKeyId, 'AccessKeyId'))
    .where('account', '=', callerAccount(call))
    .executeTakeFirst();
  if (key === undefined) return undefined;
  return { keyId: key.id, user: key.user_id === null ? undefined : await iam.store.findPrincipalById(key.user_id) };
}

export const getAccessKeyLastUsed = operation<IamContext, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse>(
  GetAccessKeyLastUsed$,
  {
    async authorize(input, call, iam) {
      const action = 'iam:GetAccessKeyLastUsed';
      const account = callerAccount(call);
      const owner = await ownerOf(input, call, iam);
      if (owner === undefined) return [{ action, resource: principalArn('user', { account, path: '/', name: '*' }) }];
      if (owner.user === undefined) return [{ action, resource: rootArn(account) }];
      return accessToPrincipal(action, 'user', owner.user.name, call, iam);
    },
    async handle(input, call, iam) {
      const owner = await ownerOf(input, call, iam);
      if (owner === undefined) {
        const resource = `access key ${input.AccessKeyId ?? ''}`;
        throw accessDenied(
          `User: ${nameOf(call.caller)} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: ${resource}`,
        );
      }
      const use = await iam.lastUses.find(owner.keyId);
      return {
        ...(owner.user !== undefined && { UserName: owner.user.name }),
        AccessKeyLastUsed:
          use === undefined
            ? { ...NEVER, LastUsedDate: undefined }
            : { ServiceName: use.service, Region: use.region, LastUsedDate: new Date(use.last_used_at) },
      };
    },
  },
);
