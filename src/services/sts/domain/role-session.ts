import type { AssumedRoleUser, Credentials } from '@aws-sdk/client-sts';
import { parseArn } from '#kernel/arn.ts';
import type { Caller, SessionFacts } from '#kernel/caller.ts';
import { type AccountId, isAccountId } from '#kernel/ids.ts';
import type { AccessRequest } from '#kernel/operation.ts';
import type { IamApi, IssuedCredentials, Role } from '#services/iam/api.ts';
import { accessDenied, validation } from '../errors.ts';
import type { SessionTags } from './session-tags.ts';

const DEFAULT_DURATION = 3600;
/** A role that is assumed with the credentials of a role is lent for an hour at most. */
const MAX_CHAINED_DURATION = 3600;

/** What a request to assume a role says of the session, whichever way it comes. */
export interface SessionWish {
  readonly roleArn: string;
  readonly role: Role | undefined;
  readonly sessionName: string;
  readonly tags: SessionTags;
  readonly sourceIdentity: string | undefined;
}

/** @throws ServiceError ValidationError for what is no role's ARN */
export function roleAccount(roleArn: string): AccountId {
  const arn = parseArn(roleArn);
  if (arn?.service !== 'iam' || !/^role\/./.test(arn.resource) || !isAccountId(arn.account)) {
    throw validation(`${roleArn} is invalid`);
  }
  return arn.account;
}

/** The questions to the role's trust policy: whether it may be assumed, with these tags and this source identity. */
export function trustQuestions(
  action: string,
  { roleArn, role, sessionName, tags, sourceIdentity }: SessionWish,
  facts: Pick<AccessRequest, 'context' | 'refusal' | 'identityProvider'>,
): AccessRequest[] {
  const { transitiveTagKeys } = tags;
  const request: AccessRequest = {
    action,
    resource: roleArn,
    // A role that is not there is refused as one that trusts nobody: the answer does not tell them apart.
    resourcePolicy: { document: role?.trustPolicy, isRequired: true, kind: 'role-trust' },
    resourceAccount: roleAccount(roleArn),
    resourceTags: role?.tags ?? {},
    requestTags: tags.tags,
    ...facts,
    context: {
      'sts:RoleSessionName': sessionName,
      'sts:SourceIdentity': sourceIdentity,
      'sts:TransitiveTagKeys': transitiveTagKeys.length > 0 ? transitiveTagKeys : undefined,
      ...Object.fromEntries(Object.entries(role?.tags ?? {}).map(([key, value]) => [`iam:ResourceTag/${key}`, value])),
      ...facts.context,
    },
  };
  const requests = [request];
  if (Object.keys(tags.tags).length > 0) requests.push({ ...request, action: 'sts:TagSession' });
  if (sourceIdentity !== undefined) requests.push({ ...request, action: 'sts:SetSourceIdentity' });
  return requests;
}

/** Seconds. @throws ServiceError ValidationError */
export function durationOf(requested: number | undefined, maximum: number, caller: Caller): number {
  const duration = requested ?? DEFAULT_DURATION;
  if (caller.type === 'assumed-role' && duration > MAX_CHAINED_DURATION) {
    throw validation(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (duration > maximum) {
    throw validation('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return duration;
}

/** When a session ends that begins at `now`, in milliseconds: in whole seconds, as the answer says it in those. */
export function expiryOf(now: number, duration: number): number {
  return (Math.floor(now / 1000) + duration) * 1000;
}

/** Makes the session. @throws ServiceError AccessDenied where the role is gone */
export async function issueRoleSession(
  iam: IamApi,
  role: Role,
  sessionName: string,
  facts: SessionFacts,
): Promise<{ readonly Credentials: Credentials; readonly AssumedRoleUser: AssumedRoleUser }> {
  const owner = { type: 'assumed-role', roleId: role.roleId, sessionName } as const;
  const issued = await iam.issueCredentials({ account: role.account, owner, facts });
  if (issued?.caller.type !== 'assumed-role') throw accessDenied(`The role ${role.arn} was deleted.`);
  return {
    Credentials: credentialsOutput(issued, facts),
    AssumedRoleUser: { AssumedRoleId: issued.caller.principalId, Arn: issued.caller.arn },
  };
}

export function credentialsOutput(issued: IssuedCredentials, { expiresAt }: SessionFacts): Credentials {
  return {
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    SessionToken: issued.sessionToken,
    Expiration: new Date(expiresAt),
  };
}
