import type { StatementOutcome } from '#kernel/access-evaluation.ts';
import type { GrantConstraints, GrantQuestion, GrantTerms, KeyGrant } from '#kernel/key-grant.ts';
import type { StatementRequest } from './compile-policy.ts';
import type { Naming, PrincipalFacts } from './principal.ts';

/** The grants that may allow a request, with what they look at. */
export interface GrantSources extends Pick<GrantQuestion, 'encryptionContext' | 'child'> {
  readonly grants: readonly KeyGrant[];
}

/** The names by which a grant may have the principal as its grantee. */
export function granteeNamesOf(principal: PrincipalFacts): readonly string[] {
  const { service, identityProvider, accountId, arn, roleArn, issuer } = principal;
  if (service !== undefined) return [service];
  if (identityProvider !== undefined || accountId === undefined) return [];
  return [...new Set([arn, roleArn, issuer?.arn, rootArn(accountId)])].filter((name) => name !== undefined);
}

/** How a grant names the principal, in the terms in which resource policies do. */
export function namingByGrant({ grantee, granteeId }: KeyGrant, principal: PrincipalFacts): Naming {
  const { service, identityProvider, accountId, arn, roleArn, uniqueId, issuer, isRoot } = principal;
  if (service !== undefined) return grantee === service ? 'reached' : 'none';
  if (identityProvider !== undefined || accountId === undefined) return 'none';
  if (grantee === rootArn(accountId)) return 'account';
  if (granteeId !== undefined && granteeId !== uniqueId && granteeId !== issuer?.uniqueId) return 'none';
  if (grantee === arn && !isRoot) return 'direct';
  return grantee === roleArn || grantee === issuer?.arn ? 'reached' : 'none';
}

const STRENGTH: Readonly<Record<Naming, number>> = { none: 0, account: 1, reached: 2, direct: 3 };

/** The grant that names the principal the strongest among those that allow what is asked. */
export function findKeyGrant(
  question: StatementRequest,
  sources: GrantSources,
  principal: PrincipalFacts,
): { readonly naming: Naming; readonly grant: KeyGrant } | undefined {
  let best: { readonly naming: Naming; readonly grant: KeyGrant } | undefined;
  for (const grant of sources.grants) {
    const naming = namingByGrant(grant, principal);
    if (STRENGTH[naming] <= STRENGTH[best?.naming ?? 'none']) continue;
    if (outcomeOf(grant, question, sources) === 'applies') best = { naming, grant };
    if (best?.naming === 'direct') break;
  }
  return best;
}

/** Operations that have no encryption context: a constraint on it does not bear on them (KMS API, CreateGrant). */
const WITHOUT_CONTEXT = new Set(['kms:describekey', 'kms:retiregrant', 'kms:getpublickey']);

/**
 * INVARIANT: pure, and closed by default: a grant allows its own operations, on its own key, under its constraints.
 */
export function outcomeOf(grant: KeyGrant, question: StatementRequest, sources: GrantSources): StatementOutcome {
  const { action, resource, context } = question;
  if (grant.key !== resource) return 'other-resource';
  if (!grant.operations.some((name) => `kms:${name}`.toLowerCase() === action)) return 'other-action';
  const { sourceArn } = grant.constraints;
  const isForSource = sourceArn === undefined || context.get('aws:sourcearn') === sourceArn;
  if (!isForSource && action !== 'kms:retiregrant') return 'unmet-condition';
  if (WITHOUT_CONTEXT.has(action)) return 'applies';
  const isMet =
    action === 'kms:creategrant'
      ? sources.child !== undefined && isWithin(sources.child, grant)
      : isContextMet(grant.constraints, sources.encryptionContext ?? {});
  return isMet ? 'applies' : 'unmet-condition';
}

function isContextMet(
  { encryptionContextEquals: equals, encryptionContextSubset: subset }: GrantConstraints,
  context: Readonly<Record<string, string>>,
): boolean {
  return (equals === undefined || isSame(equals, context)) && (subset === undefined || isPartOf(subset, context));
}

/** Whether a grant allows nothing that its parent does not (KMS developer guide, "Granting CreateGrant permission"). */
function isWithin(child: GrantTerms, parent: GrantTerms): boolean {
  if (!child.operations.every((name) => parent.operations.includes(name))) return false;
  const { sourceArn, encryptionContextEquals: equals, encryptionContextSubset: subset } = parent.constraints;
  if (sourceArn !== undefined && child.constraints.sourceArn !== sourceArn) return false;
  const { encryptionContextEquals: childEquals, encryptionContextSubset: childSubset } = child.constraints;
  if (equals !== undefined && (childEquals === undefined || !isSame(equals, childEquals))) return false;
  if (subset === undefined) return true;
  const narrowest = childEquals ?? childSubset;
  return narrowest !== undefined && isPartOf(subset, narrowest);
}

function isPartOf(part: Readonly<Record<string, string>>, whole: Readonly<Record<string, string>>): boolean {
  return Object.entries(part).every(([key, value]) => Object.hasOwn(whole, key) && whole[key] === value);
}

function isSame(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  return Object.keys(left).length === Object.keys(right).length && isPartOf(left, right);
}

function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`;
}
