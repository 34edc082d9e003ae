import {
  DeleteServiceLinkedRole$,
  type DeleteServiceLinkedRoleRequest,
  type DeleteServiceLinkedRoleResponse,
  GetServiceLinkedRoleDeletionStatus$,
  type GetServiceLinkedRoleDeletionStatusRequest,
  type GetServiceLinkedRoleDeletionStatusResponse,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { principalArn } from '../domain/identifiers.ts';
import { invalidInput, noSuchEntity } from '../errors.ts';
import { forgetOldTasks } from '../tasks.ts';
import { deletePrincipal } from './principals.ts';
import { isServiceLinked, SERVICE_ROLE_PATH } from './protected-roles.ts';
import { accessToPrincipal, callerAccount, getPrincipal, required } from './targets.ts';

/**
 * The role goes at once: what it would still be needed for makes it again. The status is kept for who asks for it.
 */
const deleteServiceLinkedRole = operation<IamContext, DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse>(
  DeleteServiceLinkedRole$,
  {
    authorize: (input, call, iam) =>
      accessToPrincipal('iam:DeleteServiceLinkedRole', 'role', input.RoleName, call, iam),
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const token = iam.randomness.uuid();
      const DeletionTaskId = await iam.store.write(async (transaction) => {
        const role = await getPrincipal(transaction, account, 'role', input.RoleName);
        if (!isServiceLinked(role)) throw invalidInput(`The role ${role.name} is not a service-linked role.`);
        await transaction.deleteFrom('iam_inline_policy').where('principal_id', '=', role.id).execute();
        await deletePrincipal(transaction, role);
        await forgetOldTasks(transaction, account, call.now);
        const id = `task${role.path}${role.name}/${token}`;
        await transaction
          .insertInto('iam_task')
          .values({
            id,
            account,
            kind: 'role-deletion',
            subject: principalArn('role', role),
            status: 'DONE',
            created_at: call.now,
            finished_at: call.now,
            request: '{}',
            result: null,
          })
          .execute();
        return id;
      });
      return { DeletionTaskId };
    },
  },
);

const getServiceLinkedRoleDeletionStatus = operation<
  IamContext,
  GetServiceLinkedRoleDeletionStatusRequest,
  GetServiceLinkedRoleDeletionStatusResponse
>(GetServiceLinkedRoleDeletionStatus$, {
  authorize(input, call) {
    // task/aws-service-role/SERVICE/ROLE/…
    const [, , service = '*', name = '*'] = required(input.DeletionTaskId, 'DeletionTaskId').split('/');
    const path = `${SERVICE_ROLE_PATH}${service}/`;
    const resource = principalArn('role', { account: callerAccount(call), path, name });
    return [{ action: 'iam:GetServiceLinkedRoleDeletionStatus', resource }];
  },
  async handle(input, call, iam) {
    const id = required(input.DeletionTaskId, 'DeletionTaskId');
    const task = await iam.store.read
      .selectFrom('iam_task')
      .select('status')
      .where('id', '=', id)
      .where('account', '=', callerAccount(call))
      .where('kind', '=', 'role-deletion')
      .executeTakeFirst();
    if (task === undefined) throw noSuchEntity(`Deletion task ${id} cannot be found.`);
    return { Status: 'SUCCEEDED' };
  },
});

export const serviceLinkedRoleDeletionOperations = [deleteServiceLinkedRole, getServiceLinkedRoleDeletionStatus];
