import type { Caller } from '#kernel/caller.ts';
import type { PrincipalElement } from './principal-element.ts';

/** Who asks, in the terms in which Principal elements name somebody. Without any member: anonymous. */
export interface PrincipalFacts {
  /** The account's root user. */
  readonly isRoot: boolean;
  /** Absent for services and anonymous callers. */
  readonly accountId?: string;
  /** The account's canonical user id, by which S3's policies may name it. */
  readonly canonicalId?: string;
  /** The ARN of the user or of the role session. */
  readonly arn?: string;
  /** The IAM ARN of a session's role. */
  readonly roleArn?: string;
  /** Of a federated user's session: the user who made it, whose rights it has. */
  readonly issuer?: { readonly arn: string; readonly uniqueId: string };
  /** AIDA… of the user, AROA… of a session's role. */
  readonly uniqueId?: string;
  /** Such as `mediaconvert.amazonaws.com`, when a service asks in its own name. */
  readonly service?: string;
  /** The provider that vouches for somebody who has no identity here yet. */
  readonly identityProvider?: string;
}

/**
 * @param canonicalId the canonical user id of the caller's account, where it is known
 * @param identityProvider whose token an anonymous caller has brought
 */
export function principalFactsOf(caller: Caller, canonicalId?: string, identityProvider?: string): PrincipalFacts {
  switch (caller.type) {
    case 'anonymous':
      return { isRoot: false, ...(identityProvider !== undefined && { identityProvider }) };
    case 'service':
      return { isRoot: false, service: caller.service };
    case 'root':
      return { isRoot: true, accountId: caller.accountId, arn: caller.arn, ...(canonicalId && { canonicalId }) };
    case 'user':
    case 'assumed-role': {
      const [uniqueId = caller.principalId] = caller.principalId.split(':');
      return {
        isRoot: false,
        accountId: caller.accountId,
        arn: caller.arn,
        uniqueId,
        ...(canonicalId && { canonicalId }),
        ...(caller.type === 'assumed-role' && { roleArn: caller.roleArn }),
      };
    }
    case 'federated-user':
      return {
        isRoot: false,
        accountId: caller.accountId,
        arn: caller.arn,
        issuer: { arn: caller.issuerArn, uniqueId: caller.issuerId },
        ...(canonicalId && { canonicalId }),
      };
  }
}

/**
 * How an Allow names the principal, from the weakest to the strongest:
 * - `none`: not at all;
 * - `account`: through its account, which leaves the decision to the account's identity policies;
 * - `reached`: through its role, its service or `*`: enough by itself, within boundary and session policies;
 * - `direct`: the user or the session itself, which boundary and session policies do not limit by silence.
 */
export type Naming = 'none' | 'account' | 'reached' | 'direct';

export function namingIn(element: PrincipalElement, principal: PrincipalFacts): Naming {
  // INVARIANT: a service gets in by its own name only; `*` means callers from outside.
  if (principal.service !== undefined) return element.services.has(principal.service) ? 'reached' : 'none';
  // INVARIANT: so does who comes with a provider's token: anonymous callers that `*` lets in have brought none.
  if (principal.identityProvider !== undefined) {
    return element.federated.has(principal.identityProvider) ? 'reached' : 'none';
  }
  if (isNamedDirectly(element, principal)) return 'direct';
  if (isRoleNamed(element, principal) || isIssuerNamed(element, principal) || element.isEveryone) return 'reached';
  return isAccountNamed(element, principal) ? 'account' : 'none';
}

/** Whether a Deny with this Principal is about the principal: here every way of naming counts, `*` for services too. */
export function isDeniedBy(element: PrincipalElement, principal: PrincipalFacts): boolean {
  return element.isEveryone || namingIn(element, principal) !== 'none';
}

/**
 * Whether NotPrincipal spares the principal. As AWS documents it, all that the principal is must be listed: the
 * account, for a session the role too, and the user or session itself.
 */
export function isSparedBy(element: PrincipalElement, principal: PrincipalFacts): boolean {
  if (element.isEveryone) return true;
  if (principal.service !== undefined) return element.services.has(principal.service);
  if (principal.identityProvider !== undefined) return element.federated.has(principal.identityProvider);
  if (!isAccountNamed(element, principal)) return false;
  if (principal.isRoot) return true;
  return (
    isNamedDirectly(element, principal) &&
    (principal.roleArn === undefined || isRoleNamed(element, principal)) &&
    (principal.issuer === undefined ||
      principal.issuer.uniqueId === principal.accountId ||
      isIssuerNamed(element, principal))
  );
}

function isAccountNamed(element: PrincipalElement, { accountId, canonicalId }: PrincipalFacts): boolean {
  return (
    (accountId !== undefined && element.accounts.has(accountId)) ||
    (canonicalId !== undefined && element.canonicalUsers.has(canonicalId))
  );
}

function isNamedDirectly(element: PrincipalElement, { arn, uniqueId, roleArn, isRoot }: PrincipalFacts): boolean {
  if (isRoot || arn === undefined) return false;
  if (element.identities.has(arn)) return true;
  return roleArn === undefined && uniqueId !== undefined && element.identities.has(uniqueId);
}

function isRoleNamed(element: PrincipalElement, { roleArn, uniqueId }: PrincipalFacts): boolean {
  if (roleArn === undefined) return false;
  return element.identities.has(roleArn) || (uniqueId !== undefined && element.identities.has(uniqueId));
}

function isIssuerNamed(element: PrincipalElement, { issuer }: PrincipalFacts): boolean {
  return issuer !== undefined && (element.identities.has(issuer.arn) || element.identities.has(issuer.uniqueId));
}
