import type { AclGrantee } from '#kernel/acl.ts';
import type { Naming, PrincipalFacts } from './principal.ts';

/**
 * How an entry of an access control list names the principal, in the terms in which resource policies do: lists know
 * accounts and groups, but no users.
 */
export function namingByAcl(grantee: AclGrantee, principal: PrincipalFacts): Naming {
  const { service, identityProvider, accountId, canonicalId } = principal;
  // INVARIANT: a service gets in by its own name only, and who brings a provider's token not at all.
  if (service !== undefined)
    return typeof grantee === 'object' && 'service' in grantee && grantee.service === service ? 'reached' : 'none';
  if (identityProvider !== undefined) return 'none';
  switch (grantee) {
    case 'everyone':
      return 'reached';
    case 'authenticated':
      return accountId === undefined ? 'none' : 'reached';
    case 'anonymous':
      return accountId === undefined ? 'reached' : 'none';
    default:
      return 'canonicalId' in grantee && accountId !== undefined && grantee.canonicalId === canonicalId
        ? 'account'
        : 'none';
  }
}
