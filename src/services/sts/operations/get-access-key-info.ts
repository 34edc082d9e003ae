import { GetAccessKeyInfo$, type GetAccessKeyInfoRequest, type GetAccessKeyInfoResponse } from '@aws-sdk/client-sts';
import { operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { validation } from '../errors.ts';

export const getAccessKeyInfo = operation<StsContext, GetAccessKeyInfoRequest, GetAccessKeyInfoResponse>(
  GetAccessKeyInfo$,
  {
    authorize: () => [{ action: 'sts:GetAccessKeyInfo', resource: '*' }],
    async handle(input, _call, { iam }) {
      const accessKeyId = input.AccessKeyId ?? '';
      const account = await iam.accountOfKey(accessKeyId);
      if (account === undefined) throw validation(`The access key ${accessKeyId} is not known.`);
      return { Account: account };
    },
  },
);
