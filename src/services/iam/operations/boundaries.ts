import {
  DeleteRolePermissionsBoundary$,
  type DeleteRolePermissionsBoundaryRequest,
  DeleteUserPermissionsBoundary$,
  type DeleteUserPermissionsBoundaryRequest,
  PutRolePermissionsBoundary$,
  type PutRolePermissionsBoundaryRequest,
  PutUserPermissionsBoundary$,
  type PutUserPermissionsBoundaryRequest,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import type { PrincipalKind } from '../domain/principal-kind.ts';
import { noSuchEntity } from '../errors.ts';
import { checkModifiable } from './protected-roles.ts';
import {
  accessToPrincipal,
  callerAccount,
  checkAttachable,
  getPrincipal,
  required,
  type OperationSchema,
} from './targets.ts';

function putOperation<Input extends { readonly PermissionsBoundary: string | undefined }>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) =>
      accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam, {
        context: { 'iam:PermissionsBoundary': input.PermissionsBoundary },
      }),
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const arn = required(input.PermissionsBoundary, 'PermissionsBoundary');
      await iam.store.write(async (transaction) => {
        const principal = await getPrincipal(transaction, account, kind, nameOf(input));
        checkModifiable(principal);
        await checkAttachable(transaction, account, arn);
        await transaction
          .updateTable('iam_principal')
          .set({ boundary_arn: arn })
          .where('id', '=', principal.id)
          .execute();
      });
      return {};
    },
  });
}

function deleteOperation<Input>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) => accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam),
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const principal = await getPrincipal(transaction, callerAccount(call), kind, nameOf(input));
        checkModifiable(principal);
        if (principal.boundary_arn === null) {
          throw noSuchEntity(`The ${kind} with name ${principal.name} has no permissions boundary.`);
        }
        await transaction
          .updateTable('iam_principal')
          .set({ boundary_arn: null })
          .where('id', '=', principal.id)
          .execute();
      });
      return {};
    },
  });
}

export const putUserPermissionsBoundary = putOperation<PutUserPermissionsBoundaryRequest>(
  PutUserPermissionsBoundary$,
  'user',
  (input) => input.UserName,
);
export const putRolePermissionsBoundary = putOperation<PutRolePermissionsBoundaryRequest>(
  PutRolePermissionsBoundary$,
  'role',
  (input) => input.RoleName,
);
export const deleteUserPermissionsBoundary = deleteOperation<DeleteUserPermissionsBoundaryRequest>(
  DeleteUserPermissionsBoundary$,
  'user',
  (input) => input.UserName,
);
export const deleteRolePermissionsBoundary = deleteOperation<DeleteRolePermissionsBoundaryRequest>(
  DeleteRolePermissionsBoundary$,
  'role',
  (input) => input.RoleName,
);
