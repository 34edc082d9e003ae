import {
  AddRoleToInstanceProfile$,
  type AddRoleToInstanceProfileRequest,
  CreateInstanceProfile$,
  type CreateInstanceProfileRequest,
  type CreateInstanceProfileResponse,
  DeleteInstanceProfile$,
  type DeleteInstanceProfileRequest,
  GetInstanceProfile$,
  type GetInstanceProfileRequest,
  type GetInstanceProfileResponse,
  type InstanceProfile,
  ListInstanceProfiles$,
  ListInstanceProfilesForRole$,
  type ListInstanceProfilesForRoleRequest,
  type ListInstanceProfilesForRoleResponse,
  type ListInstanceProfilesRequest,
  type ListInstanceProfilesResponse,
  ListInstanceProfileTags$,
  type ListInstanceProfileTagsRequest,
  RemoveRoleFromInstanceProfile$,
  type RemoveRoleFromInstanceProfileRequest,
  TagInstanceProfile$,
  type TagInstanceProfileRequest,
  UntagInstanceProfile$,
  type UntagInstanceProfileRequest,
} from '@aws-sdk/client-iam';
import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { entityArn, nameKey, principalArn, uniqueId } from '../domain/identifiers.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { tagList, tagMap } from '../domain/tags.ts';
import { alreadyExists, deleteConflict, noSuchEntity, quotaExceeded } from '../errors.ts';
import type { InstanceProfileRecord } from '../records/instance-profiles.ts';
import type { IamQueries, PrincipalRecord } from '../store.ts';
import { accessToEntity, accessToList } from './named-entities.ts';
import { putTags, roleOutput } from './principals.ts';
import { checkModifiable } from './protected-roles.ts';
import { checkQuota } from './quotas.ts';
import { listTagsOperation, tagOperation, type Taggable, untagOperation } from './tags.ts';
import { accessToPrincipal, callerAccount, creationTime, getPrincipal, required } from './targets.ts';

/** Who takes the roles of instance profiles in AWS; here nobody does, but the right to pass one is asked for. */
const PASSED_TO = 'ec2.amazonaws.com';

function findProfile(queries: IamQueries, account: AccountId, name: string) {
  return queries
    .selectFrom('iam_instance_profile')
    .selectAll()
    .where('account', '=', account)
    .where('name_key', '=', nameKey(name))
    .executeTakeFirst();
}

/** @throws ServiceError NoSuchEntity */
async function getProfile(queries: IamQueries, call: Call, given: string | undefined): Promise<InstanceProfileRecord> {
  const name = required(given, 'InstanceProfileName');
  const found = await findProfile(queries, callerAccount(call), name);
  if (found === undefined) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return found;
}

async function access(
  action: string,
  given: string | undefined,
  call: Call,
  iam: IamContext,
  facts: Parameters<typeof accessToEntity>[6] = {},
) {
  const name = required(given, 'InstanceProfileName');
  const found = await findProfile(iam.store.read, callerAccount(call), name);
  return accessToEntity(`iam:${action}`, 'instance-profile', found, name, call, iam, facts);
}

export function profileOutput(
  record: InstanceProfileRecord,
  role: PrincipalRecord | undefined,
  tags?: Readonly<Record<string, string>>,
): InstanceProfile {
  return {
    Path: record.path,
    InstanceProfileName: record.name,
    InstanceProfileId: record.id,
    Arn: entityArn('instance-profile', record),
    CreateDate: new Date(record.created_at),
    Roles: role === undefined ? [] : [roleOutput(role)],
    ...(tags !== undefined && Object.keys(tags).length > 0 && { Tags: tagList(tags) }),
  };
}

/** With the roles that are in them. */
async function outputs(records: readonly InstanceProfileRecord[], queries: IamQueries): Promise<InstanceProfile[]> {
  const ids = records.flatMap(({ role_id: id }) => (id === null ? [] : [id]));
  const roles =
    ids.length === 0
      ? []
      : await queries
          .selectFrom('iam_principal')
          .selectAll()
          .where('id', 'in', [...new Set(ids)])
          .execute();
  return records.map((record) =>
    profileOutput(
      record,
      roles.find(({ id }) => id === record.role_id),
    ),
  );
}

const createInstanceProfile = operation<IamContext, CreateInstanceProfileRequest, CreateInstanceProfileResponse>(
  CreateInstanceProfile$,
  {
    authorize(input, call) {
      const name = required(input.InstanceProfileName, 'InstanceProfileName');
      const parts = { account: callerAccount(call), path: input.Path ?? '/', name };
      const resource = entityArn('instance-profile', parts);
      const requestTags = tagMap(input.Tags);
      const create = { action: 'iam:CreateInstanceProfile', resource, requestTags };
      return input.Tags?.length ? [create, { action: 'iam:TagInstanceProfile', resource, requestTags }] : [create];
    },
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const tags = tagMap(input.Tags);
      const name = required(input.InstanceProfileName, 'InstanceProfileName');
      const record: InstanceProfileRecord = {
        id: uniqueId('AIPA', iam.randomness),
        account,
        name,
        name_key: nameKey(name),
        path: input.Path ?? '/',
        role_id: null,
        created_at: creationTime(call),
      };
      await iam.store.write(async (transaction) => {
        if ((await findProfile(transaction, account, name)) !== undefined) {
          throw alreadyExists(`Instance Profile ${name} already exists.`);
        }
        await checkQuota(transaction, account, 'InstanceProfiles');
        await transaction.insertInto('iam_instance_profile').values(record).execute();
        await putTags(transaction, account, record.id, tags);
      });
      return { InstanceProfile: profileOutput(record, undefined, tags) };
    },
  },
);

const getInstanceProfile = operation<IamContext, GetInstanceProfileRequest, GetInstanceProfileResponse>(
  GetInstanceProfile$,
  {
    authorize: (input, call, iam) => access('GetInstanceProfile', input.InstanceProfileName, call, iam),
    async handle(input, call, iam) {
      const record = await getProfile(iam.store.read, call, input.InstanceProfileName);
      const role = record.role_id === null ? undefined : await iam.store.findPrincipalById(record.role_id);
      return { InstanceProfile: profileOutput(record, role, await iam.store.tagsOf(record.id)) };
    },
  },
);

const deleteInstanceProfile = operation<IamContext, DeleteInstanceProfileRequest, object>(DeleteInstanceProfile$, {
  authorize: (input, call, iam) => access('DeleteInstanceProfile', input.InstanceProfileName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const record = await getProfile(transaction, call, input.InstanceProfileName);
      if (record.role_id !== null) {
        throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
      }
      await transaction.deleteFrom('iam_tag').where('owner_id', '=', record.id).execute();
      await transaction.deleteFrom('iam_instance_profile').where('id', '=', record.id).execute();
    });
    return {};
  },
});

const listInstanceProfiles = operation<IamContext, ListInstanceProfilesRequest, ListInstanceProfilesResponse>(
  ListInstanceProfiles$,
  {
    authorize: (input, call) => accessToList('iam:ListInstanceProfiles', 'instance-profile', input.PathPrefix, call),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const prefix = input.PathPrefix ?? '/';
      const rows = await iam.store.read
        .selectFrom('iam_instance_profile')
        .selectAll()
        .where('account', '=', callerAccount(call))
        .where('name_key', '>', page.after)
        .where(sql<boolean>`substr(path, 1, ${prefix.length}) = ${prefix}`)
        .orderBy('name_key')
        .limit(page.limit + 1)
        .execute();
      const { items, ...rest } = cutPage(rows, page, (row) => row.name_key);
      return { InstanceProfiles: await outputs(items, iam.store.read), ...rest };
    },
  },
);

const listInstanceProfilesForRole = operation<
  IamContext,
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse
>(ListInstanceProfilesForRole$, {
  authorize: (input, call, iam) =>
    accessToPrincipal('iam:ListInstanceProfilesForRole', 'role', input.RoleName, call, iam),
  async handle(input, call, iam) {
    const page = pageOf(input);
    const role = await getPrincipal(iam.store.read, callerAccount(call), 'role', input.RoleName);
    const rows = await iam.store.read
      .selectFrom('iam_instance_profile')
      .selectAll()
      .where('role_id', '=', role.id)
      .where('name_key', '>', page.after)
      .orderBy('name_key')
      .limit(page.limit + 1)
      .execute();
    const { items, ...rest } = cutPage(rows, page, (row) => row.name_key);
    return { InstanceProfiles: items.map((row) => profileOutput(row, role)), ...rest };
  },
});

const addRoleToInstanceProfile = operation<IamContext, AddRoleToInstanceProfileRequest, object>(
  AddRoleToInstanceProfile$,
  {
    async authorize(input, call, iam) {
      const account = callerAccount(call);
      const name = required(input.RoleName, 'RoleName');
      const role = await iam.store.findPrincipal(account, 'role', name);
      return [
        ...(await access('AddRoleToInstanceProfile', input.InstanceProfileName, call, iam)),
        {
          action: 'iam:PassRole',
          resource: principalArn('role', role ?? { account, path: '/', name }),
          context: { 'iam:PassedToService': PASSED_TO },
        },
      ];
    },
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const profile = await getProfile(transaction, call, input.InstanceProfileName);
        const role = await getPrincipal(transaction, callerAccount(call), 'role', input.RoleName);
        checkModifiable(role);
        if (profile.role_id !== null) throw quotaExceeded('InstanceSessionsPerInstanceProfile', 1);
        await transaction
          .updateTable('iam_instance_profile')
          .set({ role_id: role.id })
          .where('id', '=', profile.id)
          .execute();
      });
      return {};
    },
  },
);

const removeRoleFromInstanceProfile = operation<IamContext, RemoveRoleFromInstanceProfileRequest, object>(
  RemoveRoleFromInstanceProfile$,
  {
    authorize: (input, call, iam) => access('RemoveRoleFromInstanceProfile', input.InstanceProfileName, call, iam),
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const profile = await getProfile(transaction, call, input.InstanceProfileName);
        const role = await getPrincipal(transaction, callerAccount(call), 'role', input.RoleName);
        if (profile.role_id !== role.id) {
          throw noSuchEntity(`The role with name ${role.name} cannot be found in instance profile ${profile.name}.`);
        }
        await transaction
          .updateTable('iam_instance_profile')
          .set({ role_id: null })
          .where('id', '=', profile.id)
          .execute();
      });
      return {};
    },
  },
);

const profileTags: Taggable<{ readonly InstanceProfileName: string | undefined }> = {
  access: (action, input, call, iam, facts) =>
    access(action.slice('iam:'.length), input.InstanceProfileName, call, iam, facts),
  idOf: async (queries, input, call) => (await getProfile(queries, call, input.InstanceProfileName)).id,
};

export const instanceProfileOperations = [
  createInstanceProfile,
  getInstanceProfile,
  deleteInstanceProfile,
  listInstanceProfiles,
  listInstanceProfilesForRole,
  addRoleToInstanceProfile,
  removeRoleFromInstanceProfile,
  tagOperation<TagInstanceProfileRequest>(TagInstanceProfile$, profileTags),
  untagOperation<UntagInstanceProfileRequest>(UntagInstanceProfile$, profileTags),
  listTagsOperation<ListInstanceProfileTagsRequest>(ListInstanceProfileTags$, profileTags),
];
