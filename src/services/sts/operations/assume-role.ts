import { AssumeRole$, type AssumeRoleRequest, type AssumeRoleResponse } from '@aws-sdk/client-sts';
import { parseArn } from '#kernel/arn.ts';
import type { SessionFacts } from '#kernel/caller.ts';
import { isAccountId } from '#kernel/ids.ts';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { packedSize, sessionPolicies } from '../domain/session-policies.ts';
import { sessionTags } from '../domain/session-tags.ts';
import { accessDenied, unsupportedMember, validation } from '../errors.ts';

const DEFAULT_DURATION = 3600;
/** A role that is assumed with the credentials of a role is lent for an hour at most. */
const MAX_CHAINED_DURATION = 3600;

export const assumeRole = operation<StsContext, AssumeRoleRequest, AssumeRoleResponse>(AssumeRole$, {
  isReadOnly: true,
  async authorize(input, call, { iam }) {
    if (call.caller.type === 'root') throw accessDenied('Roles may not be assumed by root accounts.');
    const roleArn = input.RoleArn ?? '';
    const role = await iam.findRole(roleArn);
    const { tags, transitiveTagKeys } = sessionTags(input.Tags, input.TransitiveTagKeys, call.caller);
    const sourceIdentity = sourceIdentityOf(input, call);
    const account = parseArn(roleArn)?.account ?? '';
    const request: AccessRequest = {
      action: 'sts:AssumeRole',
      resource: roleArn,
      // A role that is not there is refused as one that trusts nobody: the answer does not tell them apart.
      resourcePolicy: { document: role?.trustPolicy, isRequired: true, kind: 'role-trust' },
      ...(isAccountId(account) && { resourceAccount: account }),
      resourceTags: role?.tags ?? {},
      requestTags: tags,
      context: {
        'sts:RoleSessionName': input.RoleSessionName,
        'sts:ExternalId': input.ExternalId,
        'sts:SourceIdentity': sourceIdentity,
        'sts:TransitiveTagKeys': transitiveTagKeys.length > 0 ? transitiveTagKeys : undefined,
        ...Object.fromEntries(
          Object.entries(role?.tags ?? {}).map(([key, value]) => [`iam:ResourceTag/${key}`, value]),
        ),
      },
    };
    const requests = [request];
    if (Object.keys(tags).length > 0) requests.push({ ...request, action: 'sts:TagSession' });
    if (sourceIdentity !== undefined) requests.push({ ...request, action: 'sts:SetSourceIdentity' });
    return requests;
  },
  async handle(input, call, { iam }) {
    refuseUnsupported(input);
    const roleArn = input.RoleArn ?? '';
    const sessionName = input.RoleSessionName ?? '';
    const role = await iam.findRole(roleArn);
    if (role === undefined) throw accessDenied(`The role ${roleArn} was deleted.`);
    const duration = durationOf(input.DurationSeconds, role.maxSessionDuration, call);
    const policies = await sessionPolicies(input, role.account, iam);
    const { tags, transitiveTagKeys } = sessionTags(input.Tags, input.TransitiveTagKeys, call.caller);
    const sourceIdentity = sourceIdentityOf(input, call);
    const facts: SessionFacts = {
      issuedAt: call.now,
      // Whole seconds: the answer says when it ends in those.
      expiresAt: (Math.floor(call.now / 1000) + duration) * 1000,
      policies,
      tags,
      transitiveTagKeys,
      isMfaAuthenticated: false,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(input.ExternalId !== undefined && { externalId: input.ExternalId }),
    };
    const owner = { type: 'assumed-role', roleId: role.roleId, sessionName } as const;
    const issued = await iam.issueCredentials({ account: role.account, owner, facts });
    if (issued?.caller.type !== 'assumed-role') throw accessDenied(`The role ${roleArn} was deleted.`);
    const packed = packedSize(policies, tags);
    return {
      Credentials: {
        AccessKeyId: issued.accessKeyId,
        SecretAccessKey: issued.secretAccessKey,
        SessionToken: issued.sessionToken,
        Expiration: new Date(facts.expiresAt),
      },
      AssumedRoleUser: { AssumedRoleId: issued.caller.principalId, Arn: issued.caller.arn },
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

function durationOf(requested: number | undefined, maximum: number, call: Call): number {
  const duration = requested ?? DEFAULT_DURATION;
  if (call.caller.type === 'assumed-role' && duration > MAX_CHAINED_DURATION) {
    throw validation(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (duration > maximum) {
    throw validation('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return duration;
}

function refuseUnsupported(input: AssumeRoleRequest): void {
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined) {
    throw accessDenied(
      'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid ' +
        'and associated with this user.',
    );
  }
  if (input.ProvidedContexts !== undefined) throw unsupportedMember('ProvidedContexts');
  if (input.MinimumSessionTokenSize !== undefined) throw unsupportedMember('MinimumSessionTokenSize');
}
