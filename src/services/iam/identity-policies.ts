import { type CompiledPolicy, compilePolicy } from '#policy/compile-policy.ts';
import { findManagedDocument } from './managed-document.ts';
import { parseIamArn } from './domain/identifiers.ts';
import type { IamStore, PrincipalRecord } from './store.ts';

/** A policy that a user, group or role has, itself or through a group. */
export interface IdentityPolicy {
  readonly name: string;
  /** Of managed policies. */
  readonly arn?: string;
  /** Who has it. */
  readonly owner: PrincipalRecord;
  readonly policy: CompiledPolicy;
}

/** Inline policies and then managed ones, the principal's own before those of its groups, in the order of names. */
export async function identityPoliciesOf(principal: PrincipalRecord, store: IamStore): Promise<IdentityPolicy[]> {
  const owners = [principal, ...(principal.kind === 'user' ? await groupsOf(principal, store) : [])];
  const policies: IdentityPolicy[] = [];
  for (const owner of owners) {
    const inline = await store.read
      .selectFrom('iam_inline_policy')
      .select(['name', 'document'])
      .where('principal_id', '=', owner.id)
      .orderBy('name')
      .execute();
    for (const { name, document } of inline) {
      policies.push({ name, owner, policy: compilePolicy(document, 'identity') });
    }
    const attached = await store.read
      .selectFrom('iam_attachment')
      .select('policy_arn')
      .where('principal_id', '=', owner.id)
      .orderBy('policy_arn')
      .execute();
    for (const { policy_arn: arn } of attached) {
      const document = await findManagedDocument(store, arn);
      const name = parseIamArn('policy', arn)?.name;
      if (document === undefined || name === undefined) continue;
      policies.push({ name, arn, owner, policy: compilePolicy(document, 'identity') });
    }
  }
  return policies;
}

function groupsOf(user: PrincipalRecord, store: IamStore): Promise<PrincipalRecord[]> {
  return store.read
    .selectFrom('iam_membership')
    .innerJoin('iam_principal', 'iam_principal.id', 'iam_membership.group_id')
    .selectAll('iam_principal')
    .where('iam_membership.user_id', '=', user.id)
    .orderBy('iam_principal.name_key')
    .execute();
}

/** The users of groups, in the order of their names. */
export function membersOf(groupIds: readonly string[], store: IamStore): Promise<PrincipalRecord[]> {
  return store.read
    .selectFrom('iam_membership')
    .innerJoin('iam_principal', 'iam_principal.id', 'iam_membership.user_id')
    .selectAll('iam_principal')
    .distinct()
    .where('iam_membership.group_id', 'in', groupIds)
    .orderBy('iam_principal.name_key')
    .execute();
}
