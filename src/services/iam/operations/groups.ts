import {
  AddUserToGroup$,
  type AddUserToGroupRequest,
  CreateGroup$,
  type CreateGroupRequest,
  type CreateGroupResponse,
  DeleteGroup$,
  type DeleteGroupRequest,
  GetGroup$,
  type GetGroupRequest,
  type GetGroupResponse,
  ListGroups$,
  ListGroupsForUser$,
  type ListGroupsForUserRequest,
  type ListGroupsForUserResponse,
  type ListGroupsRequest,
  type ListGroupsResponse,
  RemoveUserFromGroup$,
  type RemoveUserFromGroupRequest,
  UpdateGroup$,
  type UpdateGroupRequest,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { nameKey, principalArn } from '../domain/identifiers.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { noSuchEntity, quotaExceeded } from '../errors.ts';
import {
  checkNameIsFree,
  createPrincipal,
  deletePrincipal,
  groupOutput,
  listPrincipals,
  userOutput,
} from './principals.ts';
import { accessToPrincipal, callerAccount, getPrincipal, required } from './targets.ts';

const MAX_GROUPS = 10;

export const createGroup = operation<IamContext, CreateGroupRequest, CreateGroupResponse>(CreateGroup$, {
  authorize: (input, call) => {
    const name = required(input.GroupName, 'GroupName');
    const resource = principalArn('group', { account: callerAccount(call), path: input.Path ?? '/', name });
    return [{ action: 'iam:CreateGroup', resource }];
  },
  async handle(input, call, iam) {
    const given = { kind: 'group', name: required(input.GroupName, 'GroupName'), path: input.Path } as const;
    return {
      Group: groupOutput(await iam.store.write((transaction) => createPrincipal(transaction, given, call, iam))),
    };
  },
});

export const getGroup = operation<IamContext, GetGroupRequest, GetGroupResponse>(GetGroup$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:GetGroup', 'group', input.GroupName, call, iam),
  async handle(input, call, iam) {
    const page = pageOf(input);
    const group = await getPrincipal(iam.store.read, callerAccount(call), 'group', input.GroupName);
    const rows = await iam.store.read
      .selectFrom('iam_membership')
      .innerJoin('iam_principal', 'iam_principal.id', 'iam_membership.user_id')
      .selectAll('iam_principal')
      .where('group_id', '=', group.id)
      .where('name_key', '>', page.after)
      .orderBy('name_key')
      .limit(page.limit + 1)
      .execute();
    const { items, ...rest } = cutPage(rows, page, (row) => row.name_key);
    return { Group: groupOutput(group), Users: items.map((user) => userOutput(user)), ...rest };
  },
});

export const updateGroup = operation<IamContext, UpdateGroupRequest, object>(UpdateGroup$, {
  async authorize(input, call, iam) {
    const requests = await accessToPrincipal('iam:UpdateGroup', 'group', input.GroupName, call, iam);
    const account = callerAccount(call);
    const group = await iam.store.findPrincipal(account, 'group', required(input.GroupName, 'GroupName'));
    const path = input.NewPath ?? group?.path ?? '/';
    const name = input.NewGroupName ?? group?.name ?? required(input.GroupName, 'GroupName');
    const renamed = principalArn('group', { account, path, name });
    if (renamed !== requests[0]?.resource) requests.push({ action: 'iam:UpdateGroup', resource: renamed });
    return requests;
  },
  async handle(input, call, iam) {
    const account = callerAccount(call);
    await iam.store.write(async (transaction) => {
      const group = await getPrincipal(transaction, account, 'group', input.GroupName);
      const name = input.NewGroupName ?? group.name;
      if (nameKey(name) !== group.name_key) await checkNameIsFree(transaction, account, 'group', name);
      await transaction
        .updateTable('iam_principal')
        .set({ name, name_key: nameKey(name), path: input.NewPath ?? group.path })
        .where('id', '=', group.id)
        .execute();
    });
    return {};
  },
});

export const deleteGroup = operation<IamContext, DeleteGroupRequest, object>(DeleteGroup$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:DeleteGroup', 'group', input.GroupName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const group = await getPrincipal(transaction, callerAccount(call), 'group', input.GroupName);
      await deletePrincipal(transaction, group);
    });
    return {};
  },
});

export const listGroups = operation<IamContext, ListGroupsRequest, ListGroupsResponse>(ListGroups$, {
  authorize: (input, call) => [
    {
      action: 'iam:ListGroups',
      resource: principalArn('group', { account: callerAccount(call), path: input.PathPrefix ?? '/', name: '' }),
    },
  ],
  async handle(input, call, iam) {
    const { items, ...rest } = await listPrincipals('group', input, call, iam);
    return { Groups: items.map(groupOutput), ...rest };
  },
});

export const addUserToGroup = operation<IamContext, AddUserToGroupRequest, object>(AddUserToGroup$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:AddUserToGroup', 'group', input.GroupName, call, iam),
  async handle(input, call, iam) {
    const account = callerAccount(call);
    await iam.store.write(async (transaction) => {
      const group = await getPrincipal(transaction, account, 'group', input.GroupName);
      const user = await getPrincipal(transaction, account, 'user', input.UserName);
      const groups = await transaction
        .selectFrom('iam_membership')
        .select('group_id')
        .where('user_id', '=', user.id)
        .execute();
      if (groups.some((row) => row.group_id === group.id)) return;
      if (groups.length >= MAX_GROUPS) throw quotaExceeded('GroupsPerUser', MAX_GROUPS);
      await transaction.insertInto('iam_membership').values({ group_id: group.id, user_id: user.id }).execute();
    });
    return {};
  },
});

export const removeUserFromGroup = operation<IamContext, RemoveUserFromGroupRequest, object>(RemoveUserFromGroup$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:RemoveUserFromGroup', 'group', input.GroupName, call, iam),
  async handle(input, call, iam) {
    const account = callerAccount(call);
    await iam.store.write(async (transaction) => {
      const group = await getPrincipal(transaction, account, 'group', input.GroupName);
      const user = await getPrincipal(transaction, account, 'user', input.UserName);
      const removed = await transaction
        .deleteFrom('iam_membership')
        .where('group_id', '=', group.id)
        .where('user_id', '=', user.id)
        .executeTakeFirst();
      if (removed.numDeletedRows === 0n) {
        throw noSuchEntity(`The user with name ${user.name} cannot be found in group ${group.name}.`);
      }
    });
    return {};
  },
});

export const listGroupsForUser = operation<IamContext, ListGroupsForUserRequest, ListGroupsForUserResponse>(
  ListGroupsForUser$,
  {
    authorize: (input, call, iam) => accessToPrincipal('iam:ListGroupsForUser', 'user', input.UserName, call, iam),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const user = await getPrincipal(iam.store.read, callerAccount(call), 'user', input.UserName);
      const rows = await iam.store.read
        .selectFrom('iam_membership')
        .innerJoin('iam_principal', 'iam_principal.id', 'iam_membership.group_id')
        .selectAll('iam_principal')
        .where('user_id', '=', user.id)
        .where('name_key', '>', page.after)
        .orderBy('name_key')
        .limit(page.limit + 1)
        .execute();
      const { items, ...rest } = cutPage(rows, page, (row) => row.name_key);
      return { Groups: items.map(groupOutput), ...rest };
    },
  },
);
