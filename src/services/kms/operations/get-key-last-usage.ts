import { GetKeyLastUsage$, type GetKeyLastUsageRequest, type GetKeyLastUsageResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { keyNotFound } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

const ACTION = 'kms:GetKeyLastUsage';

export const getKeyLastUsage = operation<KmsContext, GetKeyLastUsageRequest, GetKeyLastUsageResponse>(
  GetKeyLastUsage$,
  {
    authorize: authorizeOnKey(ACTION),
    async handle(input, call, kms) {
      const { key, arn } = await locateByKeyId(input.KeyId, call, kms, ACTION);
      if (key.account !== callerAccount(call.caller, ACTION)) throw keyNotFound(arn);
      const { use, since } = await kms.usage.lastUseOf(key.region, key.id);
      return {
        KeyId: key.id,
        KeyLastUsage:
          use === undefined
            ? {}
            : {
                Operation: use.operation,
                Timestamp: new Date(use.used_at),
                CloudTrailEventId: use.event_id,
                KmsRequestId: use.request_id,
              },
        TrackingStartDate: new Date(Math.max(since, key.created_at)),
        KeyCreationDate: new Date(key.created_at),
      };
    },
  },
);
