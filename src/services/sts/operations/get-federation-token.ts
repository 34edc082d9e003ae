import {
  GetFederationToken$,
  type GetFederationTokenRequest,
  type GetFederationTokenResponse,
} from '@aws-sdk/client-sts';
import { formatArn } from '#kernel/arn.ts';
import type { Caller, SessionFacts } from '#kernel/caller.ts';
import { operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { packedSize } from '../domain/packed-size.ts';
import { credentialsOutput, expiryOf } from '../domain/role-session.ts';
import { sessionPolicies } from '../domain/session-policies.ts';
import { sessionTags } from '../domain/session-tags.ts';
import { accessDenied, unsupportedMember } from '../errors.ts';

const DEFAULT_DURATION = 43_200;
/** The root user's sessions are shorter, whatever is asked for. */
const MAX_ROOT_DURATION = 3600;

/** Who may make federated users: those with credentials of their own. */
function issuerOf(caller: Caller): Extract<Caller, { type: 'user' | 'root' }> {
  if ((caller.type !== 'user' && caller.type !== 'root') || caller.session !== undefined) {
    throw accessDenied('Cannot call GetFederationToken with session credentials');
  }
  return caller;
}

export const getFederationToken = operation<StsContext, GetFederationTokenRequest, GetFederationTokenResponse>(
  GetFederationToken$,
  {
    authorize(input, { caller }) {
      const { accountId } = issuerOf(caller);
      const { tags } = sessionTags(input.Tags, undefined, caller);
      const resource = formatArn({
        service: 'sts',
        account: accountId,
        resource: `federated-user/${input.Name ?? ''}`,
      });
      const request = { action: 'sts:GetFederationToken', resource, requestTags: tags };
      return Object.keys(tags).length === 0 ? [request] : [request, { ...request, action: 'sts:TagSession' }];
    },
    async handle(input, { caller, now }, { iam }) {
      const issuer = issuerOf(caller);
      if (input.MinimumSessionTokenSize !== undefined) throw unsupportedMember('MinimumSessionTokenSize');
      const requested = input.DurationSeconds ?? DEFAULT_DURATION;
      const duration = issuer.type === 'root' ? Math.min(requested, MAX_ROOT_DURATION) : requested;
      const policies = await sessionPolicies(input, issuer.accountId, iam);
      const { tags } = sessionTags(input.Tags, undefined, issuer);
      const packed = packedSize(policies, tags);
      const facts: SessionFacts = {
        issuedAt: now,
        expiresAt: expiryOf(now, duration),
        policies,
        tags,
        transitiveTagKeys: [],
        isMfaAuthenticated: false,
      };
      const name = input.Name ?? '';
      const owner = {
        type: 'federated-user',
        name,
        ...(issuer.type === 'user' && { userId: issuer.principalId }),
      } as const;
      const issued = await iam.issueCredentials({ account: issuer.accountId, owner, facts });
      if (issued?.caller.type !== 'federated-user') throw accessDenied('The user was deleted.');
      return {
        Credentials: credentialsOutput(issued, facts),
        FederatedUser: { FederatedUserId: issued.caller.principalId, Arn: issued.caller.arn },
        ...(packed !== undefined && { PackedPolicySize: packed }),
      };
    },
  },
);
