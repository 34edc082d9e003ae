import {
  CreateUser$,
  type CreateUserRequest,
  type CreateUserResponse,
  DeleteUser$,
  type DeleteUserRequest,
  GetUser$,
  type GetUserRequest,
  type GetUserResponse,
  ListUsers$,
  type ListUsersRequest,
  type ListUsersResponse,
  UpdateUser$,
  type UpdateUserRequest,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { nameKey, principalArn, rootArn } from '../domain/identifiers.ts';
import { tagMap } from '../domain/tags.ts';
import { validation } from '../errors.ts';
import { checkNameIsFree, createPrincipal, deletePrincipal, listPrincipals, userOutput } from './principals.ts';
import { accessToPrincipal, callerAccount, getPrincipal, required } from './targets.ts';

export const createUser = operation<IamContext, CreateUserRequest, CreateUserResponse>(CreateUser$, {
  authorize(input, call) {
    const account = callerAccount(call);
    const name = required(input.UserName, 'UserName');
    const resource = principalArn('user', { account, path: input.Path ?? '/', name });
    const requestTags = tagMap(input.Tags);
    const create = {
      action: 'iam:CreateUser',
      resource,
      requestTags,
      context: { 'iam:PermissionsBoundary': input.PermissionsBoundary },
    };
    return input.Tags?.length ? [create, { action: 'iam:TagUser', resource, requestTags }] : [create];
  },
  async handle(input, call, iam) {
    const tags = tagMap(input.Tags);
    const name = required(input.UserName, 'UserName');
    const given = { kind: 'user', name, path: input.Path, boundary: input.PermissionsBoundary, tags } as const;
    const user = await iam.store.write((transaction) => createPrincipal(transaction, given, call, iam));
    return { User: userOutput(user, tags) };
  },
});

export const getUser = operation<IamContext, GetUserRequest, GetUserResponse>(GetUser$, {
  async authorize(input, call, iam) {
    const { caller } = call;
    if (input.UserName !== undefined) return accessToPrincipal('iam:GetUser', 'user', input.UserName, call, iam);
    if (caller.type === 'root') return [{ action: 'iam:GetUser', resource: caller.arn }];
    if (caller.type === 'user') return accessToPrincipal('iam:GetUser', 'user', caller.userName, call, iam);
    throw validation('Must specify userName when calling with non-User credentials');
  },
  async handle(input, call, iam) {
    const { caller } = call;
    if (input.UserName === undefined && caller.type === 'root') {
      const account = await iam.store.findAccount(caller.accountId);
      return {
        User: {
          Path: undefined,
          UserName: undefined,
          UserId: caller.accountId,
          Arn: rootArn(caller.accountId),
          CreateDate: new Date(account?.created_at ?? call.now),
        },
      };
    }
    const name = input.UserName ?? (caller.type === 'user' ? caller.userName : undefined);
    const user = await getPrincipal(iam.store.read, callerAccount(call), 'user', name);
    return { User: userOutput(user, await iam.store.tagsOf(user.id)) };
  },
});

export const updateUser = operation<IamContext, UpdateUserRequest, object>(UpdateUser$, {
  async authorize(input, call, iam) {
    const [current] = await accessToPrincipal('iam:UpdateUser', 'user', input.UserName, call, iam);
    const requests = current === undefined ? [] : [current];
    const account = callerAccount(call);
    // The right is asked for under the old and the new name and path, so that nobody moves a user out of reach.
    const user = await iam.store.findPrincipal(account, 'user', required(input.UserName, 'UserName'));
    const path = input.NewPath ?? user?.path ?? '/';
    const name = input.NewUserName ?? user?.name ?? required(input.UserName, 'UserName');
    const renamed = principalArn('user', { account, path, name });
    if (renamed !== current?.resource) requests.push({ action: 'iam:UpdateUser', resource: renamed });
    return requests;
  },
  async handle(input, call, iam) {
    const account = callerAccount(call);
    await iam.store.write(async (transaction) => {
      const user = await getPrincipal(transaction, account, 'user', input.UserName);
      const name = input.NewUserName ?? user.name;
      if (nameKey(name) !== user.name_key) await checkNameIsFree(transaction, account, 'user', name);
      await transaction
        .updateTable('iam_principal')
        .set({ name, name_key: nameKey(name), path: input.NewPath ?? user.path })
        .where('id', '=', user.id)
        .execute();
    });
    return {};
  },
});

export const deleteUser = operation<IamContext, DeleteUserRequest, object>(DeleteUser$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:DeleteUser', 'user', input.UserName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      await deletePrincipal(transaction, await getPrincipal(transaction, callerAccount(call), 'user', input.UserName));
    });
    return {};
  },
});

export const listUsers = operation<IamContext, ListUsersRequest, ListUsersResponse>(ListUsers$, {
  authorize: (input, call) => [
    {
      action: 'iam:ListUsers',
      resource: principalArn('user', { account: callerAccount(call), path: input.PathPrefix ?? '/', name: '' }),
    },
  ],
  async handle(input, call, iam) {
    const { items, ...rest } = await listPrincipals('user', input, call, iam);
    return { Users: items.map((user) => userOutput(user)), ...rest };
  },
});
