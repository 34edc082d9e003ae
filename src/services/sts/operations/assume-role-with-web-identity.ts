import {
  AssumeRoleWithWebIdentity$,
  type AssumeRoleWithWebIdentityRequest,
  type AssumeRoleWithWebIdentityResponse,
} from '@aws-sdk/client-sts';
import { anonymousCaller, type SessionFacts } from '#kernel/caller.ts';
import { type Call, operation } from '#kernel/operation.ts';
import { issuerName } from '#services/iam/api.ts';
import type { StsContext } from '../context.ts';
import { packedSize } from '../domain/packed-size.ts';
import { durationOf, expiryOf, issueRoleSession, roleAccount, trustQuestions } from '../domain/role-session.ts';
import { sessionPolicies } from '../domain/session-policies.ts';
import { sessionTags } from '../domain/session-tags.ts';
import { accessDenied, unsupportedMember } from '../errors.ts';
import { sessionClaimsOf } from '../web-identity/session-claims.ts';
import { type VerifiedToken, verifyToken } from '../web-identity/verify-token.ts';

const ACTION = 'sts:AssumeRoleWithWebIdentity';

/** What a call's token says, once it was verified. */
const verified = new WeakMap<Call, Promise<VerifiedToken>>();

function tokenOf(input: AssumeRoleWithWebIdentityRequest, call: Call, context: StsContext): Promise<VerifiedToken> {
  let token = verified.get(call);
  if (token === undefined) {
    const account = roleAccount(input.RoleArn ?? '');
    const { iam, providerKeys } = context;
    token = verifyToken(input.WebIdentityToken ?? '', account, call.now, iam.identityProviders, providerKeys);
    verified.set(call, token);
  }
  return token;
}

/** The condition keys that a token gives, by the name of its provider. */
function keysOf({ provider, subject, audiences, claims }: VerifiedToken): Record<string, string | readonly string[]> {
  const name = issuerName(provider.issuer);
  const amr = [claims['amr']].flat().filter((value): value is string => typeof value === 'string');
  const originals = [claims['aud']].flat().filter((value): value is string => typeof value === 'string');
  return {
    [`${name}:aud`]: one(audiences),
    [`${name}:sub`]: subject,
    ...(amr.length > 0 && { [`${name}:amr`]: amr }),
    ...(typeof claims['azp'] === 'string' && originals.length > 0 && { [`${name}:oaud`]: one(originals) }),
  };
}

function one(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? '') : values;
}

export const assumeRoleWithWebIdentity = operation<
  StsContext,
  AssumeRoleWithWebIdentityRequest,
  AssumeRoleWithWebIdentityResponse
>(AssumeRoleWithWebIdentity$, {
  isReadOnly: true,
  isAuthenticationRequired: false,
  secretMembers: ['WebIdentityToken'],
  async authorize(input, call, context) {
    if (input.ProviderId !== undefined) throw unsupportedMember('ProviderId');
    const token = await tokenOf(input, call, context);
    const { tags, transitiveTagKeys, sourceIdentity } = sessionClaimsOf(token.claims);
    Object.assign(call.audit.details, { identityProvider: token.provider.arn, subject: token.subject });
    const roleArn = input.RoleArn ?? '';
    const wish = {
      roleArn,
      role: await context.iam.findRole(roleArn),
      sessionName: input.RoleSessionName ?? '',
      tags: sessionTags(tags, transitiveTagKeys, anonymousCaller),
      sourceIdentity,
    };
    return trustQuestions(ACTION, wish, {
      identityProvider: token.provider.arn,
      context: keysOf(token),
      // As AWS says it: somebody without credentials here learns nothing of the policy.
      refusal: () => accessDenied(`Not authorized to perform ${ACTION}`),
    });
  },
  async handle(input, call, context) {
    const { iam } = context;
    const token = await tokenOf(input, call, context);
    const roleArn = input.RoleArn ?? '';
    const role = await iam.findRole(roleArn);
    if (role === undefined) throw accessDenied(`Not authorized to perform ${ACTION}`);
    const claims = sessionClaimsOf(token.claims);
    const { sourceIdentity } = claims;
    const { tags, transitiveTagKeys } = sessionTags(claims.tags, claims.transitiveTagKeys, anonymousCaller);
    const duration = durationOf(input.DurationSeconds, role.maxSessionDuration, anonymousCaller);
    const policies = await sessionPolicies(input, role.account, iam);
    const packed = packedSize(policies, tags);
    const facts: SessionFacts = {
      issuedAt: call.now,
      expiresAt: expiryOf(call.now, duration),
      policies,
      tags,
      transitiveTagKeys,
      isMfaAuthenticated: false,
      federation: { provider: token.provider.arn, keys: keysOf(token) },
      ...(sourceIdentity !== undefined && { sourceIdentity }),
    };
    return {
      ...(await issueRoleSession(iam, role, input.RoleSessionName ?? '', facts)),
      SubjectFromWebIdentityToken: token.subject,
      Provider: token.provider.arn,
      Audience: token.audiences[0] ?? '',
      ...(packed !== undefined && { PackedPolicySize: packed }),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    };
  },
});
