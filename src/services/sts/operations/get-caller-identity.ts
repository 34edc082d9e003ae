import { GetCallerIdentity$, type GetCallerIdentityRequest, type GetCallerIdentityResponse } from '@aws-sdk/client-sts';
import { exempt, operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { accessDenied } from '../errors.ts';

export const getCallerIdentity = operation<StsContext, GetCallerIdentityRequest, GetCallerIdentityResponse>(
  GetCallerIdentity$,
  {
    authorize: exempt('AWS answers it even to whom a policy denies it: it tells callers only who they are.'),
    handle(_input, { caller }) {
      if (caller.type === 'service' || caller.type === 'anonymous') {
        throw accessDenied('The caller has no identity of its own.');
      }
      return { UserId: caller.principalId, Account: caller.accountId, Arn: caller.arn };
    },
  },
);
