import { AssumeRole$, type AssumeRoleRequest, type AssumeRoleResponse } from '@aws-sdk/client-sts';
import type { SessionFacts } from '#kernel/caller.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { isMfaAuthenticated } from '../domain/mfa.ts';
import { packedSize } from '../domain/packed-size.ts';
import { durationOf, expiryOf, issueRoleSession, trustQuestions } from '../domain/role-session.ts';
import { sessionPolicies } from '../domain/session-policies.ts';
import { sessionTags } from '../domain/session-tags.ts';
import { accessDenied, unsupportedMember } from '../errors.ts';

export const assumeRole = operation<StsContext, AssumeRoleRequest, AssumeRoleResponse>(AssumeRole$, {
  isReadOnly: true,
  secretMembers: ['TokenCode'],
  async authorize(input, call, { iam }) {
    if (call.caller.type === 'root') throw accessDenied('Roles may not be assumed by root accounts.');
    const roleArn = input.RoleArn ?? '';
    const wish = {
      roleArn,
      role: await iam.findRole(roleArn),
      sessionName: input.RoleSessionName ?? '',
      tags: sessionTags(input.Tags, input.TransitiveTagKeys, call.caller),
      sourceIdentity: sourceIdentityOf(input, call),
    };
    // What the code shows is for the trust policy: the session that comes of it is not one with MFA, as in AWS.
    const isWithMfa = await isMfaAuthenticated(input, call, iam);
    const mfa = isWithMfa ? { 'aws:MultiFactorAuthPresent': 'true', 'aws:MultiFactorAuthAge': '0' } : {};
    return trustQuestions('sts:AssumeRole', wish, { context: { 'sts:ExternalId': input.ExternalId, ...mfa } });
  },
  async handle(input, call, { iam }) {
    refuseUnsupported(input);
    const roleArn = input.RoleArn ?? '';
    const role = await iam.findRole(roleArn);
    if (role === undefined) throw accessDenied(`The role ${roleArn} was deleted.`);
    const duration = durationOf(input.DurationSeconds, role.maxSessionDuration, call.caller);
    const policies = await sessionPolicies(input, role.account, iam);
    const { tags, transitiveTagKeys } = sessionTags(input.Tags, input.TransitiveTagKeys, call.caller);
    const sourceIdentity = sourceIdentityOf(input, call);
    const packed = packedSize(policies, tags);
    const facts: SessionFacts = {
      issuedAt: call.now,
      expiresAt: expiryOf(call.now, duration),
      policies,
      tags,
      transitiveTagKeys,
      isMfaAuthenticated: false,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(input.ExternalId !== undefined && { externalId: input.ExternalId }),
    };
    return {
      ...(await issueRoleSession(iam, role, input.RoleSessionName ?? '', facts)),
      ...(packed !== undefined && { PackedPolicySize: packed }),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    };
  },
});

/** Once set, a source identity stays the same through all roles that are assumed one from another. */
function sourceIdentityOf(input: AssumeRoleRequest, call: Call): string | undefined {
  const inherited = call.caller.type === 'assumed-role' ? call.caller.session.sourceIdentity : undefined;
  if (inherited !== undefined && input.SourceIdentity !== undefined && input.SourceIdentity !== inherited) {
    throw accessDenied('The source identity of the calling session cannot be changed.');
  }
  return inherited ?? input.SourceIdentity;
}

function refuseUnsupported(input: AssumeRoleRequest): void {
  if (input.ProvidedContexts !== undefined) throw unsupportedMember('ProvidedContexts');
  if (input.MinimumSessionTokenSize !== undefined) throw unsupportedMember('MinimumSessionTokenSize');
}
