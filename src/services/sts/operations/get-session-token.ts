import { GetSessionToken$, type GetSessionTokenRequest, type GetSessionTokenResponse } from '@aws-sdk/client-sts';
import type { SessionFacts } from '#kernel/caller.ts';
import { exempt, operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { isMfaAuthenticated } from '../domain/mfa.ts';
import { credentialsOutput, expiryOf } from '../domain/role-session.ts';
import { accessDenied, unsupportedMember } from '../errors.ts';

const DEFAULT_DURATION = 43_200;
/** The root user's sessions are shorter, whatever is asked for. */
const MAX_ROOT_DURATION = 3600;

export const getSessionToken = operation<StsContext, GetSessionTokenRequest, GetSessionTokenResponse>(
  GetSessionToken$,
  {
    authorize: exempt('AWS asks for no permission: the session has no more rights than the caller has already.'),
    secretMembers: ['TokenCode'],
    async handle(input, call, { iam }) {
      const { caller, now } = call;
      if ((caller.type !== 'user' && caller.type !== 'root') || caller.session !== undefined) {
        throw accessDenied('Cannot call GetSessionToken with session credentials');
      }
      if (input.MinimumSessionTokenSize !== undefined) throw unsupportedMember('MinimumSessionTokenSize');
      const requested = input.DurationSeconds ?? DEFAULT_DURATION;
      const duration = caller.type === 'root' ? Math.min(requested, MAX_ROOT_DURATION) : requested;
      const facts: SessionFacts = {
        issuedAt: now,
        expiresAt: expiryOf(now, duration),
        policies: [],
        tags: {},
        transitiveTagKeys: [],
        isMfaAuthenticated: await isMfaAuthenticated(input, call, iam),
      };
      const owner = caller.type === 'root' ? { type: caller.type } : { type: caller.type, userId: caller.principalId };
      const issued = await iam.issueCredentials({ account: caller.accountId, owner, facts });
      if (issued === undefined) throw accessDenied('The user was deleted.');
      return { Credentials: credentialsOutput(issued, facts) };
    },
  },
);
