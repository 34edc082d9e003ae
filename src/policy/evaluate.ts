import type { AclQuestion } from '#kernel/acl.ts';
import type { DecidingStatement, PolicyType } from '#kernel/access-evaluation.ts';
import { namingByAcl } from './acl-naming.ts';
import type { CompiledPolicy, CompiledStatement, StatementRequest } from './compile-policy.ts';
import type { RequestContext } from './condition.ts';
import { findKeyGrant, type GrantSources } from './key-grants.ts';
import { isDeniedBy, isSparedBy, type Naming, namingIn, type PrincipalFacts } from './principal.ts';

/** A policy with the name by which decisions call it. */
export interface PolicySource {
  /** The ARN of a managed policy, the name of an inline one, the resource's ARN for its own policy. */
  readonly name: string;
  readonly policy: CompiledPolicy;
}

/** The policy of the resource that is asked for. */
export interface ResourcePolicySource {
  readonly name: string;
  /** Absent when the resource has none. */
  readonly policy?: CompiledPolicy;
  /** True for key policies and role trust policies: nobody gets in without an Allow in it. */
  readonly isRequired: boolean;
  /** True where its Allows are not heard. */
  readonly isDenyOnly?: boolean;
  readonly kind: 'resource-based' | 'role-trust';
}

interface PolicySet {
  /** Inline and managed policies of the user, its groups, or the role. */
  readonly identity: readonly PolicySource[];
  readonly boundary?: PolicySource;
  /** Empty when none was given: the session is then not limited. */
  readonly session: readonly PolicySource[];
  readonly resource?: ResourcePolicySource;
  /** Grants on the resource, where it is a KMS key. */
  readonly grants?: GrantSources;
  /** The access control list of the resource, where it has one. */
  readonly acl?: AclQuestion;
}

export interface EvaluationRequest {
  readonly principal: PrincipalFacts;
  /** Such as `kms:Decrypt`; its case does not matter. */
  readonly action: string;
  /** An ARN, or `*` where the action knows no resource. */
  readonly resource: string;
  /** By lower-case key. */
  readonly context: RequestContext;
  readonly policies: PolicySet;
  /** Whether the resource belongs to another account than the principal. */
  readonly isCrossAccount: boolean;
}

/** What the policies say, and why: data for the refusal, the audit log and DecodeAuthorizationMessage. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly isExplicitDeny: boolean;
  /** Absent when silence decided, and for a root user that nothing denies. */
  readonly decidedBy?: DecidingStatement;
  /** For refusals by silence: the kind of policy that would have had to allow. */
  readonly missing?: PolicyType;
  /**
   * For refusals: what follows "because", or "with an explicit deny in …", in AWS's words. Otherwise empty. A managed policy
   * that denies within the account is named by its ARN, as in AWS.
   */
  readonly reason: string;
}

interface Found {
  readonly source: { readonly name: string };
  readonly statement: CompiledStatement;
}

/**
 * Decides by IAM's rules: an explicit Deny anywhere wins; else identity and resource policies must allow as far as the
 * accounts and the kind of resource ask for it, or a grant or access control list, within the permissions boundary and the
 * session policies.
 *
 * INVARIANT: pure, and closed by default: whatever no branch below allows is refused.
 */
export function evaluate(request: EvaluationRequest): Decision {
  const question = questionOf(request);
  const denied = findDeny(question, request);
  if (denied !== undefined) return denied;
  const byPolicies = decideByPolicies(question, request);
  if (byPolicies.isAllowed) return byPolicies;
  return decideByGrant(question, request) ?? decideByAcl(question, request) ?? byPolicies;
}

function decideByPolicies(question: StatementRequest, request: EvaluationRequest): Decision {
  const { principal, policies, isCrossAccount } = request;
  const { resource } = policies;
  const grant = findGrant(question, resource, principal);
  const refuse = (missing: PolicyType) => refusal(missing, request.action);
  const missingAtResource = refuse(resource?.kind ?? 'resource-based');

  // Services and anonymous callers have no policies of their own: only the resource can let them in.
  if (principal.accountId === undefined) {
    return grant.naming === 'reached' ? allowedBy(grant.found, resource) : missingAtResource;
  }

  const isResourceAllowNeeded = isCrossAccount || resource?.isRequired === true;
  const isIdentityAllowNeeded = isCrossAccount || grant.naming === 'none' || grant.naming === 'account';
  const identity = findAllow(question, policies.identity);
  // A key or role of the account itself that does not even delegate is refused in its own policy's name.
  if (isResourceAllowNeeded && !isCrossAccount && grant.naming === 'none') return missingAtResource;
  if (isIdentityAllowNeeded && identity === undefined && !principal.isRoot) return refuse('identity-based');
  if (isResourceAllowNeeded && grant.naming === 'none') return missingAtResource;

  if (isCrossAccount || grant.naming !== 'direct') {
    const limit = missingLimit(question, policies);
    if (limit !== undefined) return refuse(limit);
  }
  if (identity !== undefined) return allowed({ ...identity, type: 'identity-based' });
  return allowedBy(grant.found, resource);
}

/**
 * A grant needs no other policy, in either account, unless its grantee is an account: then that account's identity
 * policies decide. It names a principal as a resource policy does, and is limited as that is.
 */
function decideByGrant(question: StatementRequest, request: EvaluationRequest): Decision | undefined {
  const { principal, policies, isCrossAccount, action } = request;
  const found = policies.grants && findKeyGrant(question, policies.grants, principal);
  if (found === undefined) return undefined;
  const { naming, grant } = found;
  if (naming === 'account' && !principal.isRoot && findAllow(question, policies.identity) === undefined) {
    return refusal('identity-based', action);
  }
  if (principal.accountId !== undefined && (isCrossAccount || naming !== 'direct')) {
    const limit = missingLimit(question, policies);
    if (limit !== undefined) return refusal(limit, action);
  }
  const decider = { policyType: 'key-grant', policyName: grant.id, statementIndex: 0 } as const;
  return { isAllowed: true, isExplicitDeny: false, decidedBy: decider, reason: '' };
}

/**
 * An access control list is one more Allow of the resource's side: an account that it names decides by its identity policies,
 * and principals of other accounts than the resource's need an Allow of their own account in any case.
 */
function decideByAcl(question: StatementRequest, request: EvaluationRequest): Decision | undefined {
  const { principal, policies, isCrossAccount, action } = request;
  if (policies.acl === undefined) return undefined;
  const { name, grantees } = policies.acl;
  const namings = grantees.map((grantee) => namingByAcl(grantee, principal));
  const naming = namings.includes('reached') ? 'reached' : 'account';
  const index = namings.indexOf(naming);
  if (index < 0) return undefined;
  if (principal.accountId !== undefined) {
    const isIdentityAllowNeeded = (isCrossAccount || naming === 'account') && !principal.isRoot;
    if (isIdentityAllowNeeded && findAllow(question, policies.identity) === undefined) {
      return refusal('identity-based', action);
    }
    const limit = missingLimit(question, policies);
    if (limit !== undefined) return refusal(limit, action);
  }
  const decider = { policyType: 'acl', policyName: name, statementIndex: index } as const;
  return { isAllowed: true, isExplicitDeny: false, decidedBy: decider, reason: '' };
}

/** The boundary or the session's policies, where they do not allow. */
function missingLimit(question: StatementRequest, { boundary, session }: PolicySet): PolicyType | undefined {
  if (boundary !== undefined && findAllow(question, [boundary]) === undefined) return 'permissions-boundary';
  return session.length > 0 && findAllow(question, session) === undefined ? 'session' : undefined;
}

/** What every statement is held against. */
export function questionOf({ action, resource, context }: EvaluationRequest): StatementRequest {
  return { action: action.toLowerCase(), resource, context, lookup: (name) => singleValue(context.get(name)) };
}

/** Whether a statement of a resource's policy is about the principal. */
export function isAboutPrincipal(statement: CompiledStatement, principal: PrincipalFacts): boolean {
  const { principal: element, effect, isNotPrincipal } = statement;
  if (element === undefined) return false;
  if (isNotPrincipal) return effect === 'Deny' && !isSparedBy(element, principal);
  return effect === 'Deny' ? isDeniedBy(element, principal) : namingIn(element, principal) !== 'none';
}

/** Multivalued keys cannot be variables: which value would count is not defined. */
function singleValue(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return value.length === 1 ? value[0] : undefined;
}

function findDeny(
  question: StatementRequest,
  { principal, policies, isCrossAccount }: EvaluationRequest,
): Decision | undefined {
  const own = [
    ['identity-based', policies.identity],
    ['permissions-boundary', policies.boundary === undefined ? [] : [policies.boundary]],
    ['session', policies.session],
  ] as const;
  for (const [type, sources] of own) {
    const found = findStatement(question, sources, 'Deny');
    if (found !== undefined) return explicitDeny(type, found, isCrossAccount ? '' : managedName(found));
  }
  const { resource } = policies;
  if (resource?.policy === undefined) return undefined;
  for (const statement of resource.policy.about(question.action).Deny) {
    if (!isAboutPrincipal(statement, principal)) continue;
    if (statement.isMetBy(question)) return explicitDeny(resource.kind, { source: resource, statement }, '');
  }
  return undefined;
}

const findAllow = (question: StatementRequest, sources: readonly PolicySource[]) =>
  findStatement(question, sources, 'Allow');

function findStatement(
  question: StatementRequest,
  sources: readonly PolicySource[],
  effect: 'Allow' | 'Deny',
): Found | undefined {
  for (const source of sources) {
    for (const statement of source.policy.about(question.action)[effect]) {
      if (statement.isMetBy(question)) return { source, statement };
    }
  }
  return undefined;
}

const STRENGTH: Readonly<Record<Naming, number>> = { none: 0, account: 1, reached: 2, direct: 3 };

/** The strongest way in which an applicable Allow of the resource's policy names the principal. */
function findGrant(
  question: StatementRequest,
  resource: ResourcePolicySource | undefined,
  principal: PrincipalFacts,
): { readonly naming: Naming; readonly found?: Found } {
  let best: { readonly naming: Naming; readonly found?: Found } = { naming: 'none' };
  if (resource?.isDenyOnly === true) return best;
  for (const statement of resource?.policy?.about(question.action).Allow ?? []) {
    if (resource === undefined || statement.principal === undefined) continue;
    const naming = namingIn(statement.principal, principal);
    if (STRENGTH[naming] > STRENGTH[best.naming] && statement.isMetBy(question)) {
      best = { naming, found: { source: resource, statement } };
    }
  }
  return best;
}

function decidedBy({ source, statement }: Found, policyType: PolicyType): DecidingStatement {
  return {
    policyType,
    policyName: source.name,
    statementIndex: statement.index,
    ...(statement.sid !== undefined && { sid: statement.sid }),
  };
}

function allowed({ type, ...found }: Found & { readonly type: PolicyType }): Decision {
  return { isAllowed: true, isExplicitDeny: false, decidedBy: decidedBy(found, type), reason: '' };
}

function allowedBy(found: Found | undefined, resource: ResourcePolicySource | undefined): Decision {
  if (found === undefined || resource === undefined) return { isAllowed: true, isExplicitDeny: false, reason: '' };
  return allowed({ ...found, type: resource.kind });
}

const NAMES: Readonly<Record<PolicyType, string>> = {
  'identity-based': 'identity-based policy',
  'resource-based': 'resource-based policy',
  'permissions-boundary': 'permissions boundary',
  session: 'session policy',
  'role-trust': 'role trust policy',
  'key-grant': 'grant',
  acl: 'access control list',
};

/** `: ARN` of a managed policy; inline policies have none. */
function managedName({ source }: Found): string {
  return source.name.startsWith('arn:') ? `: ${source.name}` : '';
}

function explicitDeny(type: PolicyType, found: Found, name: string): Decision {
  const article = type === 'identity-based' ? 'an' : 'a';
  const reason = `with an explicit deny in ${article} ${NAMES[type]}${name}`;
  return { isAllowed: false, isExplicitDeny: true, decidedBy: decidedBy(found, type), reason };
}

function refusal(missing: PolicyType, action: string): Decision {
  const reason = `no ${NAMES[missing]} allows the ${action} action`;
  return { isAllowed: false, isExplicitDeny: false, missing, reason };
}
