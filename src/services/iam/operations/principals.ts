import type { Group, Role, RoleLastUsed, User } from '@aws-sdk/client-iam';
import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Call } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { nameKey, principalArn, uniqueId } from '../domain/identifiers.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { encodeDocument } from '../domain/policy-text.ts';
import { KINDS, type PrincipalKind } from '../domain/principal-kind.ts';
import { tagList } from '../domain/tags.ts';
import { forgetInTrustPolicies } from '../domain/trust-policy.ts';
import { alreadyExists, deleteConflict } from '../errors.ts';
import type { LastUseRecord } from '../records/last-uses.ts';
import { findPrincipal, type IamQueries, type PrincipalRecord } from '../store.ts';
import { checkQuota } from './quotas.ts';
import { callerAccount, checkAttachable, creationTime } from './targets.ts';

const QUOTAS = { user: 'Users', group: 'Groups', role: 'Roles' } as const;

interface NewPrincipal {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly path: string | undefined;
  readonly boundary?: string | undefined;
  readonly tags?: Readonly<Record<string, string>>;
  readonly role?: Pick<PrincipalRecord, 'trust_policy' | 'bound_trust_policy' | 'description' | 'max_session'>;
}

/** Makes a user, group or role. @throws ServiceError EntityAlreadyExists, NoSuchEntity for its boundary */
export async function createPrincipal(
  transaction: IamQueries,
  given: NewPrincipal,
  call: Call,
  iam: IamContext,
): Promise<PrincipalRecord> {
  const account = callerAccount(call);
  await checkNameIsFree(transaction, account, given.kind, given.name);
  await checkQuota(transaction, account, QUOTAS[given.kind]);
  if (given.boundary !== undefined) await checkAttachable(transaction, account, given.boundary);
  const record: PrincipalRecord = {
    id: uniqueId(KINDS[given.kind].idPrefix, iam.randomness),
    account,
    kind: given.kind,
    name: given.name,
    name_key: nameKey(given.name),
    path: given.path ?? '/',
    created_at: creationTime(call),
    boundary_arn: given.boundary ?? null,
    ...(given.role ?? { trust_policy: null, bound_trust_policy: null, description: null, max_session: null }),
  };
  await transaction.insertInto('iam_principal').values(record).execute();
  await putTags(transaction, account, record.id, given.tags ?? {});
  return record;
}

/** @throws ServiceError EntityAlreadyExists */
export async function checkNameIsFree(
  queries: IamQueries,
  account: AccountId,
  kind: PrincipalKind,
  name: string,
): Promise<void> {
  const taken = await findPrincipal(queries, account, kind, name);
  if (taken !== undefined) throw alreadyExists(`${KINDS[kind].title} with name ${name} already exists.`);
}

/** Removes a user, group or role that nothing hangs on any more. @throws ServiceError DeleteConflict */
export async function deletePrincipal(transaction: IamQueries, record: PrincipalRecord): Promise<void> {
  const owner = record.id;
  const keys = await transaction
    .selectFrom('iam_access_key')
    .select('id')
    .where('user_id', '=', owner)
    .executeTakeFirst();
  if (keys !== undefined) throw deleteConflict('Cannot delete entity, must delete access keys first.');
  const login = await transaction
    .selectFrom('iam_login_profile')
    .select('user_id')
    .where('user_id', '=', owner)
    .executeTakeFirst();
  if (login !== undefined) throw deleteConflict('Cannot delete entity, must delete login profile first.');
  const signing = await transaction
    .selectFrom('iam_user_key')
    .select('kind')
    .where('user_id', '=', owner)
    .executeTakeFirst();
  if (signing !== undefined) {
    const what = signing.kind === 'ssh-public-key' ? 'SSH public keys' : 'signing certificates';
    throw deleteConflict(`Cannot delete entity, must delete ${what} first.`);
  }
  const inline = await transaction
    .selectFrom('iam_inline_policy')
    .select('name')
    .where('principal_id', '=', owner)
    .executeTakeFirst();
  if (inline !== undefined) throw deleteConflict('Cannot delete entity, must delete policies first.');
  const attached = await transaction
    .selectFrom('iam_attachment')
    .select('policy_arn')
    .where('principal_id', '=', owner)
    .executeTakeFirst();
  if (attached !== undefined) throw deleteConflict('Cannot delete entity, must detach all policies first.');
  const member = await transaction
    .selectFrom('iam_membership')
    .select('user_id')
    .where((builder) => builder.or([builder('user_id', '=', owner), builder('group_id', '=', owner)]))
    .executeTakeFirst();
  if (member !== undefined) throw deleteConflict('Cannot delete entity, must remove users from group first.');
  const device = await transaction
    .selectFrom('iam_mfa_device')
    .select('serial')
    .where('user_id', '=', owner)
    .executeTakeFirst();
  if (device !== undefined) throw deleteConflict('Cannot delete entity, must delete MFA device first.');
  const profile = await transaction
    .selectFrom('iam_instance_profile')
    .select('id')
    .where('role_id', '=', owner)
    .executeTakeFirst();
  if (profile !== undefined) {
    throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
  }
  await transaction.deleteFrom('iam_last_use').where('subject', '=', owner).execute();
  await transaction.deleteFrom('iam_tag').where('owner_id', '=', owner).execute();
  await transaction.deleteFrom('iam_principal').where('id', '=', owner).execute();
  await forgetInTrustPolicies(owner, transaction);
}

/** One page of an account's users, groups or roles, in the order of their names. */
export async function listPrincipals(
  kind: PrincipalKind,
  input: { PathPrefix?: string | undefined; Marker?: string | undefined; MaxItems?: number | undefined },
  call: Call,
  iam: IamContext,
) {
  const page = pageOf(input);
  const prefix = input.PathPrefix ?? '/';
  const rows = await iam.store.read
    .selectFrom('iam_principal')
    .selectAll()
    .where('account', '=', callerAccount(call))
    .where('kind', '=', kind)
    .where('name_key', '>', page.after)
    .where(sql<boolean>`substr(path, 1, ${prefix.length}) = ${prefix}`)
    .orderBy('name_key')
    .limit(page.limit + 1)
    .execute();
  return cutPage(rows, page, (row) => row.name_key);
}

/** Sets tags, over those of the same keys. */
export async function putTags(
  transaction: IamQueries,
  account: AccountId,
  owner: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [key, value] of Object.entries(tags)) {
    const row = { owner_id: owner, account, key_key: key.toLowerCase(), key, value };
    await transaction
      .insertInto('iam_tag')
      .values(row)
      .onConflict((conflict) => conflict.columns(['owner_id', 'key_key']).doUpdateSet({ key, value }))
      .execute();
  }
}

function boundaryOf(record: PrincipalRecord) {
  if (record.boundary_arn === null) return {};
  return {
    PermissionsBoundary: {
      PermissionsBoundaryType: 'PermissionsBoundaryPolicy' as const,
      PermissionsBoundaryArn: record.boundary_arn,
    },
  };
}

function tagsMember(tags: Readonly<Record<string, string>> | undefined) {
  return tags === undefined || Object.keys(tags).length === 0 ? {} : { Tags: tagList(tags) };
}

/** @param tags left out of lists, as in AWS */
export function userOutput(record: PrincipalRecord, tags?: Readonly<Record<string, string>>): User {
  return {
    Path: record.path,
    UserName: record.name,
    UserId: record.id,
    Arn: principalArn('user', record),
    CreateDate: new Date(record.created_at),
    // Lists leave boundary and tags out (API reference of ListUsers).
    ...(tags && boundaryOf(record)),
    ...tagsMember(tags),
  };
}

export function groupOutput(record: PrincipalRecord): Group {
  return {
    Path: record.path,
    GroupName: record.name,
    GroupId: record.id,
    Arn: principalArn('group', record),
    CreateDate: new Date(record.created_at),
  };
}

/** When a role was last used; with nothing in it for one that never was. */
export function roleLastUsed(use: LastUseRecord | undefined): RoleLastUsed {
  return use === undefined ? {} : { LastUsedDate: new Date(use.last_used_at), Region: use.region };
}

/** @param tags left out of lists, as in AWS */
export function roleOutput(record: PrincipalRecord, tags?: Readonly<Record<string, string>>): Role {
  return {
    Path: record.path,
    RoleName: record.name,
    RoleId: record.id,
    Arn: principalArn('role', record),
    CreateDate: new Date(record.created_at),
    AssumeRolePolicyDocument: encodeDocument(record.trust_policy ?? ''),
    ...(record.description !== null && { Description: record.description }),
    ...(record.max_session !== null && { MaxSessionDuration: record.max_session }),
    ...(tags && boundaryOf(record)),
    ...tagsMember(tags),
  };
}
