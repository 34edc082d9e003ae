import {
  type GrantListEntry,
  ListGrants$,
  type ListGrantsRequest,
  type ListGrantsResponse,
  ListRetirableGrants$,
  type ListRetirableGrantsRequest,
} from '@aws-sdk/client-kms';
import { parseArn } from '#kernel/arn.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { readPage } from '../domain/pagination.ts';
import { accessDenied, invalidArn, validation } from '../errors.ts';
import type { GrantRecord } from '../grant-store.ts';
import { GrantPrincipals, principalFilter } from './grant-principals.ts';
import { checkGrantId, grantListEntry, isForService } from './grant-requests.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

/** Whoever asks for more than 100 gets as many, and a marker (KMS API, ListGrants). */
const USUAL = { limit: 50, most: 100 };

export const listGrants = operation<KmsContext, ListGrantsRequest, ListGrantsResponse>(ListGrants$, {
  async authorize(input, call, kms) {
    const located = await locateByKeyId(input.KeyId, call, kms, 'kms:ListGrants');
    return [keyAccess(call, located, 'kms:ListGrants', { context: isForService(call) })];
  },
  async handle(input, call, kms) {
    const { GrantId, GranteePrincipal, GranteeServicePrincipal } = input;
    if (GranteePrincipal !== undefined && GranteeServicePrincipal !== undefined) {
      throw validation('Specify either GranteePrincipal or GranteeServicePrincipal, but not both.');
    }
    requireService('GranteeServicePrincipal', GranteeServicePrincipal, call);
    const { key } = await locateByKeyId(input.KeyId, call, kms, 'kms:ListGrants');
    const id = GrantId === undefined ? undefined : checkGrantId(GrantId);
    const grantee = await principalFilter(GranteePrincipal ?? GranteeServicePrincipal, kms.principals);
    return answer(input, kms, async (after, count) =>
      grantee === undefined ? [] : kms.store.grants.listOfKey(key, { id, grantee }, after, count),
    );
  },
});

export const listRetirableGrants = operation<KmsContext, ListRetirableGrantsRequest, ListGrantsResponse>(
  ListRetirableGrants$,
  {
    authorize: () => [{ action: 'kms:ListRetirableGrants', resource: '*' }],
    async handle(input, call, kms) {
      const { RetiringPrincipal, RetiringServicePrincipal } = input;
      if ((RetiringPrincipal === undefined) === (RetiringServicePrincipal === undefined)) {
        throw validation('Specify either RetiringPrincipal or RetiringServicePrincipal, but not both.');
      }
      requireService('RetiringServicePrincipal', RetiringServicePrincipal, call);
      if (RetiringPrincipal !== undefined) requireOwnAccount(RetiringPrincipal, call);
      const principal = await principalFilter(RetiringPrincipal ?? RetiringServicePrincipal, kms.principals);
      return answer(input, kms, async (after, count) =>
        principal === undefined ? [] : kms.store.grants.listRetirable(call.region, principal, after, count),
      );
    },
  },
);

/** "This filter is only usable by callers in a service principal" (KMS API). */
function requireService(member: string, service: string | undefined, { caller }: Call): void {
  if (service === undefined || (caller.type === 'service' && caller.service === service)) return;
  throw validation(`${member} can only be specified by that service.`);
}

/** The principal must be of the caller's account; the keys can be anybody's. */
function requireOwnAccount(principal: string, call: Call): void {
  const arn = parseArn(principal);
  if (arn === undefined) throw invalidArn(`Invalid arn ${principal}`);
  if (arn.account !== callerAccount(call.caller, 'kms:ListRetirableGrants')) {
    throw accessDenied('RetiringPrincipal must be a principal of your own account.');
  }
}

async function answer(
  input: Pick<ListGrantsRequest, 'Limit' | 'Marker'>,
  { principals }: KmsContext,
  read: (after: string, count: number) => Promise<readonly GrantRecord[]>,
): Promise<ListGrantsResponse> {
  const { items, ...page } = await readPage(input, USUAL, read, (grant) => grant.id);
  const present = new GrantPrincipals(principals);
  const Grants: GrantListEntry[] = [];
  for (const grant of items) Grants.push(grantListEntry(await present.named(grant)));
  return { Grants, ...page };
}
