import {
  AttachGroupPolicy$,
  type AttachGroupPolicyRequest,
  AttachRolePolicy$,
  type AttachRolePolicyRequest,
  AttachUserPolicy$,
  type AttachUserPolicyRequest,
  DetachGroupPolicy$,
  type DetachGroupPolicyRequest,
  DetachRolePolicy$,
  type DetachRolePolicyRequest,
  DetachUserPolicy$,
  type DetachUserPolicyRequest,
  ListAttachedGroupPolicies$,
  type ListAttachedGroupPoliciesRequest,
  ListAttachedRolePolicies$,
  type ListAttachedRolePoliciesRequest,
  ListAttachedUserPolicies$,
  type ListAttachedUserPoliciesRequest,
  type ListAttachedUserPoliciesResponse,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { parseIamArn } from '../domain/identifiers.ts';
import { pageOfList } from '../domain/page.ts';
import { KINDS, MAX_ATTACHMENTS, type PrincipalKind } from '../domain/principal-kind.ts';
import { noSuchEntity, quotaExceeded } from '../errors.ts';
import { checkModifiable } from './protected-roles.ts';
import {
  accessToPrincipal,
  callerAccount,
  checkAttachable,
  getPrincipal,
  required,
  type OperationSchema,
} from './targets.ts';

/** Users, groups and roles take managed policies in the same way: these make the operations of one kind. */
interface PolicyInput {
  readonly PolicyArn: string | undefined;
}

function attachOperation<Input extends PolicyInput>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) =>
      accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam, {
        context: { 'iam:PolicyARN': input.PolicyArn },
      }),
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const arn = required(input.PolicyArn, 'PolicyArn');
      await iam.store.write(async (transaction) => {
        const principal = await getPrincipal(transaction, account, kind, nameOf(input));
        checkModifiable(principal);
        await checkAttachable(transaction, account, arn);
        const attached = await transaction
          .selectFrom('iam_attachment')
          .select('policy_arn')
          .where('principal_id', '=', principal.id)
          .execute();
        if (attached.some((row) => row.policy_arn === arn)) return;
        if (attached.length >= MAX_ATTACHMENTS) throw quotaExceeded(KINDS[kind].attachmentQuota, MAX_ATTACHMENTS);
        const row = { principal_id: principal.id, policy_arn: arn, account };
        await transaction.insertInto('iam_attachment').values(row).execute();
      });
      return {};
    },
  });
}

function detachOperation<Input extends PolicyInput>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) =>
      accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam, {
        context: { 'iam:PolicyARN': input.PolicyArn },
      }),
    async handle(input, call, iam) {
      const arn = required(input.PolicyArn, 'PolicyArn');
      await iam.store.write(async (transaction) => {
        const principal = await getPrincipal(transaction, callerAccount(call), kind, nameOf(input));
        checkModifiable(principal);
        const result = await transaction
          .deleteFrom('iam_attachment')
          .where('principal_id', '=', principal.id)
          .where('policy_arn', '=', arn)
          .executeTakeFirst();
        if (result.numDeletedRows === 0n) throw noSuchEntity(`Policy ${arn} was not found.`);
      });
      return {};
    },
  });
}

interface ListInput {
  readonly PathPrefix?: string | undefined;
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

function listOperation<Input extends ListInput>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, ListAttachedUserPoliciesResponse>(schema, {
    authorize: (input, call, iam) => accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam),
    async handle(input, call, iam) {
      const principal = await getPrincipal(iam.store.read, callerAccount(call), kind, nameOf(input));
      const rows = await iam.store.read
        .selectFrom('iam_attachment')
        .select('policy_arn')
        .where('principal_id', '=', principal.id)
        .execute();
      const policies = rows.flatMap(({ policy_arn: arn }) => {
        const parts = parseIamArn('policy', arn);
        const isListed = parts?.path.startsWith(input.PathPrefix ?? '/') === true;
        return isListed ? [{ PolicyName: parts.name, PolicyArn: arn }] : [];
      });
      const { items, ...rest } = pageOfList(policies, input, (policy) => policy.PolicyName);
      return { AttachedPolicies: [...items], ...rest };
    },
  });
}

const userName = (input: { readonly UserName: string | undefined }) => input.UserName;
const groupName = (input: { readonly GroupName: string | undefined }) => input.GroupName;
const roleName = (input: { readonly RoleName: string | undefined }) => input.RoleName;

export const attachUserPolicy = attachOperation<AttachUserPolicyRequest>(AttachUserPolicy$, 'user', userName);
export const attachGroupPolicy = attachOperation<AttachGroupPolicyRequest>(AttachGroupPolicy$, 'group', groupName);
export const attachRolePolicy = attachOperation<AttachRolePolicyRequest>(AttachRolePolicy$, 'role', roleName);
export const detachUserPolicy = detachOperation<DetachUserPolicyRequest>(DetachUserPolicy$, 'user', userName);
export const detachGroupPolicy = detachOperation<DetachGroupPolicyRequest>(DetachGroupPolicy$, 'group', groupName);
export const detachRolePolicy = detachOperation<DetachRolePolicyRequest>(DetachRolePolicy$, 'role', roleName);
export const listAttachedUserPolicies = listOperation<ListAttachedUserPoliciesRequest>(
  ListAttachedUserPolicies$,
  'user',
  userName,
);
export const listAttachedGroupPolicies = listOperation<ListAttachedGroupPoliciesRequest>(
  ListAttachedGroupPolicies$,
  'group',
  groupName,
);
export const listAttachedRolePolicies = listOperation<ListAttachedRolePoliciesRequest>(
  ListAttachedRolePolicies$,
  'role',
  roleName,
);
