import {
  CreateRole$,
  type CreateRoleRequest,
  type CreateRoleResponse,
  DeleteRole$,
  type DeleteRoleRequest,
  GetRole$,
  type GetRoleRequest,
  type GetRoleResponse,
  ListRoles$,
  type ListRolesRequest,
  type ListRolesResponse,
  UpdateAssumeRolePolicy$,
  type UpdateAssumeRolePolicyRequest,
  UpdateRole$,
  UpdateRoleDescription$,
  type UpdateRoleDescriptionRequest,
  type UpdateRoleDescriptionResponse,
  type UpdateRoleRequest,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { principalArn } from '../domain/identifiers.ts';
import { checkTrustPolicy } from '../domain/policy-text.ts';
import { tagMap } from '../domain/tags.ts';
import { bindTrustPolicy } from '../domain/trust-policy.ts';
import { invalidInput } from '../errors.ts';
import { createPrincipal, deletePrincipal, listPrincipals, roleLastUsed, roleOutput } from './principals.ts';
import { checkModifiable, SERVICE_ROLE_PATH } from './protected-roles.ts';
import { accessToPrincipal, callerAccount, getPrincipal, required } from './targets.ts';

const DEFAULT_MAX_SESSION = 3600;

export const createRole = operation<IamContext, CreateRoleRequest, CreateRoleResponse>(CreateRole$, {
  authorize(input, call) {
    const name = required(input.RoleName, 'RoleName');
    const resource = principalArn('role', { account: callerAccount(call), path: input.Path ?? '/', name });
    const requestTags = tagMap(input.Tags);
    const create = {
      action: 'iam:CreateRole',
      resource,
      requestTags,
      context: { 'iam:PermissionsBoundary': input.PermissionsBoundary },
    };
    return input.Tags?.length ? [create, { action: 'iam:TagRole', resource, requestTags }] : [create];
  },
  async handle(input, call, iam) {
    const tags = tagMap(input.Tags);
    const trustPolicy = required(input.AssumeRolePolicyDocument, 'AssumeRolePolicyDocument');
    if (input.Path?.startsWith(SERVICE_ROLE_PATH) === true) {
      throw invalidInput(`The path ${SERVICE_ROLE_PATH} is kept for service-linked roles.`);
    }
    checkTrustPolicy(trustPolicy);
    const record = await iam.store.write(async (transaction) => {
      const role = {
        trust_policy: trustPolicy,
        bound_trust_policy: await bindTrustPolicy(trustPolicy, transaction),
        description: input.Description ?? null,
        max_session: input.MaxSessionDuration ?? DEFAULT_MAX_SESSION,
      };
      const name = required(input.RoleName, 'RoleName');
      const given = { kind: 'role', name, path: input.Path, boundary: input.PermissionsBoundary, tags, role } as const;
      return createPrincipal(transaction, given, call, iam);
    });
    return { Role: roleOutput(record, tags) };
  },
});

export const getRole = operation<IamContext, GetRoleRequest, GetRoleResponse>(GetRole$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:GetRole', 'role', input.RoleName, call, iam),
  async handle(input, call, iam) {
    const role = await getPrincipal(iam.store.read, callerAccount(call), 'role', input.RoleName);
    const RoleLastUsed = roleLastUsed(await iam.lastUses.find(role.id));
    return { Role: { ...roleOutput(role, await iam.store.tagsOf(role.id)), RoleLastUsed } };
  },
});

export const updateRole = operation<IamContext, UpdateRoleRequest, object>(UpdateRole$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:UpdateRole', 'role', input.RoleName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const role = await getPrincipal(transaction, callerAccount(call), 'role', input.RoleName);
      // A service-linked role's description is the account's own.
      if (input.MaxSessionDuration !== undefined) checkModifiable(role);
      await transaction
        .updateTable('iam_principal')
        .set({
          description: input.Description ?? role.description,
          max_session: input.MaxSessionDuration ?? role.max_session,
        })
        .where('id', '=', role.id)
        .execute();
    });
    return {};
  },
});

export const updateRoleDescription = operation<IamContext, UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse>(
  UpdateRoleDescription$,
  {
    authorize: (input, call, iam) => accessToPrincipal('iam:UpdateRoleDescription', 'role', input.RoleName, call, iam),
    async handle(input, call, iam) {
      const description = required(input.Description, 'Description');
      const role = await iam.store.write(async (transaction) => {
        const found = await getPrincipal(transaction, callerAccount(call), 'role', input.RoleName);
        await transaction.updateTable('iam_principal').set({ description }).where('id', '=', found.id).execute();
        return { ...found, description };
      });
      return { Role: roleOutput(role, await iam.store.tagsOf(role.id)) };
    },
  },
);

export const updateAssumeRolePolicy = operation<IamContext, UpdateAssumeRolePolicyRequest, object>(
  UpdateAssumeRolePolicy$,
  {
    authorize: (input, call, iam) => accessToPrincipal('iam:UpdateAssumeRolePolicy', 'role', input.RoleName, call, iam),
    async handle(input, call, iam) {
      const document = required(input.PolicyDocument, 'PolicyDocument');
      await iam.store.write(async (transaction) => {
        const role = await getPrincipal(transaction, callerAccount(call), 'role', input.RoleName);
        checkModifiable(role);
        checkTrustPolicy(document);
        await transaction
          .updateTable('iam_principal')
          .set({ trust_policy: document, bound_trust_policy: await bindTrustPolicy(document, transaction) })
          .where('id', '=', role.id)
          .execute();
      });
      return {};
    },
  },
);

export const deleteRole = operation<IamContext, DeleteRoleRequest, object>(DeleteRole$, {
  authorize: (input, call, iam) => accessToPrincipal('iam:DeleteRole', 'role', input.RoleName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const role = await getPrincipal(transaction, callerAccount(call), 'role', input.RoleName);
      checkModifiable(role);
      await deletePrincipal(transaction, role);
    });
    return {};
  },
});

export const listRoles = operation<IamContext, ListRolesRequest, ListRolesResponse>(ListRoles$, {
  authorize: (input, call) => [
    {
      action: 'iam:ListRoles',
      resource: principalArn('role', { account: callerAccount(call), path: input.PathPrefix ?? '/', name: '' }),
    },
  ],
  async handle(input, call, iam) {
    const { items, ...rest } = await listPrincipals('role', input, call, iam);
    return { Roles: items.map((role) => roleOutput(role)), ...rest };
  },
});
