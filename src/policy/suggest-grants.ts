import type { AccessEvaluation, PolicyType } from '#kernel/access-evaluation.ts';
import { parseArn } from '#kernel/arn.ts';

/** The kind of document that a statement has to be put into. */
type GrantPlace = 'identity' | 'resource' | 'trust' | 'boundary' | 'session';

/** A statement that was missing, and where it has to stand. */
export interface Grant {
  readonly place: GrantPlace;
  /** In words, such as `a policy of the role arn:aws:iam::…:role/media`. */
  readonly where: string;
  /** The ARN of whose document it is: a principal, a resource, a boundary. Absent for session policies. */
  readonly owner?: string;
  readonly statement: Readonly<Record<string, unknown>>;
}

/**
 * The smallest statements that would have allowed what was refused; none where a statement denies it, as no other one
 * would help then. Within what the evaluation knows: of another account's policies it may know nothing.
 */
export function suggestGrants(evaluation: AccessEvaluation): readonly Grant[] {
  const { isAllowed, isExplicitDeny, missing, isCrossAccount } = evaluation;
  if (isAllowed || isExplicitDeny || missing === undefined) return [];
  const grants: Grant[] = [];
  const isOfResource = missing === 'resource-based' || missing === 'role-trust';
  if (isOfResource) {
    const grant = resourceGrant(evaluation, missing);
    if (grant !== undefined) grants.push(grant);
  }
  const needsIdentity = missing === 'identity-based' || (isCrossAccount && !hasAllow(evaluation, 'identity-based'));
  if (needsIdentity && evaluation.principal.account !== undefined && evaluation.principal.type !== 'root') {
    grants.push(identityGrant(evaluation));
  }
  if (missing === 'identity-based' && isCrossAccount && !isLetInByResource(evaluation)) {
    const grant = resourceGrant(evaluation, evaluation.action === 'sts:AssumeRole' ? 'role-trust' : 'resource-based');
    if (grant !== undefined) grants.push(grant);
  }
  // Who is named as a user by a resource of its own account is not held back by what the others do not say.
  const isDirect = isOfResource && !isCrossAccount && evaluation.principal.type === 'user';
  if (!isDirect) grants.push(...limitGrants(evaluation));
  return grants;
}

/** Statements that deny what was asked: they have to go, or their conditions to fail. */
export function denyingStatements(evaluation: AccessEvaluation) {
  return evaluation.policies.flatMap((policy) =>
    policy.statements
      .filter(({ effect, outcome }) => effect === 'Deny' && outcome === 'applies')
      .map((statement) => ({ policy, statement })),
  );
}

function hasAllow({ policies }: AccessEvaluation, type: PolicyType): boolean {
  return policies.some(
    (policy) =>
      policy.type === type &&
      policy.statements.some(({ effect, outcome }) => effect === 'Allow' && outcome === 'applies'),
  );
}

function isLetInByResource(evaluation: AccessEvaluation): boolean {
  return (['resource-based', 'role-trust', 'acl'] as const).some((type) => hasAllow(evaluation, type));
}

function limitGrants(evaluation: AccessEvaluation): Grant[] {
  const grants: Grant[] = [];
  const statement = allow(evaluation);
  const boundary = evaluation.policies.find(({ type }) => type === 'permissions-boundary');
  if (boundary !== undefined && !hasAllow(evaluation, 'permissions-boundary')) {
    const where = `the permissions boundary ${boundary.name}`;
    grants.push({ place: 'boundary', where, owner: boundary.name, statement });
  }
  const hasSession = evaluation.policies.some(({ type }) => type === 'session') || evaluation.missing === 'session';
  if (hasSession && !hasAllow(evaluation, 'session')) {
    grants.push({ place: 'session', where: 'the session policy that the session is begun with', statement });
  }
  return grants;
}

function identityGrant(evaluation: AccessEvaluation): Grant {
  const owner = principalArn(evaluation);
  const kind = evaluation.principal.type === 'assumed-role' ? 'role' : 'user';
  const whose = evaluation.principal.type === 'federated-user' ? 'the user who made the session of' : `the ${kind}`;
  return { place: 'identity', where: `a policy of ${whose} ${owner}`, owner, statement: allow(evaluation) };
}

function resourceGrant(evaluation: AccessEvaluation, type: 'resource-based' | 'role-trust'): Grant | undefined {
  const { resource, action } = evaluation;
  const who = principalElement(evaluation);
  if (type === 'role-trust') {
    const statement = { Effect: 'Allow', Principal: who, Action: action, ...conditionsOfService(evaluation) };
    return { place: 'trust', where: `the trust policy of ${resource}`, owner: resource, statement };
  }
  const arn = parseArn(resource);
  const at = { place: 'resource' as const };
  const statement = { ...allow(evaluation), Principal: who };
  switch (arn?.service) {
    case 'kms':
      return {
        ...at,
        where: `the key policy of ${resource}`,
        owner: resource,
        statement: { ...statement, Resource: '*' },
      };
    case 's3': {
      const bucket = `arn:aws:s3:::${arn.resource.split('/', 1)[0] ?? ''}`;
      return { ...at, where: `the bucket policy of ${bucket}`, owner: bucket, statement };
    }
    case 'secretsmanager':
      return { ...at, where: `the resource policy of ${resource}`, owner: resource, statement };
    default:
      // Other resources have no policies: nothing lets somebody of another account in.
      return undefined;
  }
}

function allow(evaluation: AccessEvaluation): Record<string, unknown> {
  const { action, resource, conditions } = evaluation;
  const statement = { Effect: 'Allow', Action: action, Resource: resource };
  // As narrow as the request was: a key through the service that asked for it, a role to the service that it is for.
  const narrowed =
    action === 'iam:PassRole' ? 'iam:PassedToService' : action.startsWith('kms:') ? 'kms:ViaService' : undefined;
  const value = narrowed === undefined ? undefined : conditions[narrowed.toLowerCase()];
  if (narrowed === undefined || typeof value !== 'string' || value.endsWith('…')) return statement;
  return { ...statement, Condition: { StringEquals: { [narrowed]: value } } };
}

/** A role's or user's ARN, with its path; a session's own says nothing of that. */
function principalArn({ principal, conditions }: AccessEvaluation): string {
  const known = conditions['aws:principalarn'];
  if (typeof known === 'string' && !known.endsWith('…')) return known;
  const session = /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(principal.arn);
  return session === null ? principal.arn : `arn:aws:iam::${session[1]}:role/${session[2]}`;
}

function principalElement(evaluation: AccessEvaluation): unknown {
  const { type, arn } = evaluation.principal;
  if (type === 'service') return { Service: arn };
  if (type === 'anonymous') return '*';
  return { AWS: type === 'federated-user' ? arn : principalArn(evaluation) };
}

/** A service acts for many: without its source everybody could use it for the role (the confused deputy). */
function conditionsOfService({ principal, conditions }: AccessEvaluation): Record<string, unknown> {
  const account = conditions['aws:sourceaccount'];
  if (principal.type !== 'service' || typeof account !== 'string') return {};
  return { Condition: { StringEquals: { 'aws:SourceAccount': account } } };
}
