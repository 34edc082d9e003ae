import {
  DeleteGroupPolicy$,
  type DeleteGroupPolicyRequest,
  DeleteRolePolicy$,
  type DeleteRolePolicyRequest,
  DeleteUserPolicy$,
  type DeleteUserPolicyRequest,
  GetGroupPolicy$,
  type GetGroupPolicyRequest,
  type GetGroupPolicyResponse,
  GetRolePolicy$,
  type GetRolePolicyRequest,
  type GetRolePolicyResponse,
  GetUserPolicy$,
  type GetUserPolicyRequest,
  type GetUserPolicyResponse,
  ListGroupPolicies$,
  type ListGroupPoliciesRequest,
  ListRolePolicies$,
  type ListRolePoliciesRequest,
  ListUserPolicies$,
  type ListUserPoliciesRequest,
  type ListUserPoliciesResponse,
  PutGroupPolicy$,
  type PutGroupPolicyRequest,
  PutRolePolicy$,
  type PutRolePolicyRequest,
  PutUserPolicy$,
  type PutUserPolicyRequest,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { checkPolicyText, countedLength, encodeDocument } from '../domain/policy-text.ts';
import { KINDS, type PrincipalKind } from '../domain/principal-kind.ts';
import { limitExceeded, noSuchEntity } from '../errors.ts';
import type { IamQueries, PrincipalRecord } from '../store.ts';
import { checkModifiable } from './protected-roles.ts';
import { accessToPrincipal, callerAccount, getPrincipal, required, type OperationSchema } from './targets.ts';

interface NamedInput {
  readonly PolicyName: string | undefined;
}

function putOperation<Input extends NamedInput & { readonly PolicyDocument: string | undefined }>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) => accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam),
    async handle(input, call, iam) {
      const name = required(input.PolicyName, 'PolicyName');
      const document = required(input.PolicyDocument, 'PolicyDocument');
      await iam.store.write(async (transaction) => {
        const principal = await getPrincipal(transaction, callerAccount(call), kind, nameOf(input));
        checkModifiable(principal);
        await checkInlineSize(transaction, principal, name, document);
        checkPolicyText(document, 'identity');
        await transaction
          .insertInto('iam_inline_policy')
          .values({ principal_id: principal.id, name, document })
          .onConflict((conflict) => conflict.columns(['principal_id', 'name']).doUpdateSet({ document }))
          .execute();
      });
      return {};
    },
  });
}

/** All inline policies of a principal share one limit. */
async function checkInlineSize(
  queries: IamQueries,
  principal: PrincipalRecord,
  name: string,
  document: string,
): Promise<void> {
  const others = await queries
    .selectFrom('iam_inline_policy')
    .select('document')
    .where('principal_id', '=', principal.id)
    .where('name', '<>', name)
    .execute();
  const limit = KINDS[principal.kind].inlineLimit;
  const total = others.reduce((sum, other) => sum + countedLength(other.document), countedLength(document));
  if (total > limit) {
    throw limitExceeded(`Maximum policy size of ${limit} bytes exceeded for ${principal.kind} ${principal.name}`);
  }
}

async function getInline(queries: IamQueries, principal: PrincipalRecord, name: string): Promise<string> {
  const row = await queries
    .selectFrom('iam_inline_policy')
    .select('document')
    .where('principal_id', '=', principal.id)
    .where('name', '=', name)
    .executeTakeFirst();
  if (row === undefined) throw noSuchEntity(`The ${principal.kind} policy with name ${name} cannot be found.`);
  return row.document;
}

function getOperation<Input extends NamedInput, Output>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
  output: (facts: { PolicyName: string; PolicyDocument: string }, owner: string) => Output,
) {
  return operation<IamContext, Input, Output>(schema, {
    authorize: (input, call, iam) => accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam),
    async handle(input, call, iam) {
      const principal = await getPrincipal(iam.store.read, callerAccount(call), kind, nameOf(input));
      const PolicyName = required(input.PolicyName, 'PolicyName');
      const document = await getInline(iam.store.read, principal, PolicyName);
      return output({ PolicyName, PolicyDocument: encodeDocument(document) }, principal.name);
    },
  });
}

function deleteOperation<Input extends NamedInput>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) => accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam),
    async handle(input, call, iam) {
      const name = required(input.PolicyName, 'PolicyName');
      await iam.store.write(async (transaction) => {
        const principal = await getPrincipal(transaction, callerAccount(call), kind, nameOf(input));
        checkModifiable(principal);
        await getInline(transaction, principal, name);
        await transaction
          .deleteFrom('iam_inline_policy')
          .where('principal_id', '=', principal.id)
          .where('name', '=', name)
          .execute();
      });
      return {};
    },
  });
}

interface ListInput {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

function listOperation<Input extends ListInput>(
  schema: OperationSchema,
  kind: PrincipalKind,
  nameOf: (input: Input) => string | undefined,
) {
  return operation<IamContext, Input, ListUserPoliciesResponse>(schema, {
    authorize: (input, call, iam) => accessToPrincipal(`iam:${schema[2]}`, kind, nameOf(input), call, iam),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const principal = await getPrincipal(iam.store.read, callerAccount(call), kind, nameOf(input));
      const rows = await iam.store.read
        .selectFrom('iam_inline_policy')
        .select('name')
        .where('principal_id', '=', principal.id)
        .where('name', '>', page.after)
        .orderBy('name')
        .limit(page.limit + 1)
        .execute();
      const { items, ...rest } = cutPage(rows, page, (row) => row.name);
      return { PolicyNames: items.map((row) => row.name), ...rest };
    },
  });
}

const userName = (input: { readonly UserName: string | undefined }) => input.UserName;
const groupName = (input: { readonly GroupName: string | undefined }) => input.GroupName;
const roleName = (input: { readonly RoleName: string | undefined }) => input.RoleName;

export const putUserPolicy = putOperation<PutUserPolicyRequest>(PutUserPolicy$, 'user', userName);
export const putGroupPolicy = putOperation<PutGroupPolicyRequest>(PutGroupPolicy$, 'group', groupName);
export const putRolePolicy = putOperation<PutRolePolicyRequest>(PutRolePolicy$, 'role', roleName);
export const getUserPolicy = getOperation<GetUserPolicyRequest, GetUserPolicyResponse>(
  GetUserPolicy$,
  'user',
  userName,
  (facts, UserName) => ({ UserName, ...facts }),
);
export const getGroupPolicy = getOperation<GetGroupPolicyRequest, GetGroupPolicyResponse>(
  GetGroupPolicy$,
  'group',
  groupName,
  (facts, GroupName) => ({ GroupName, ...facts }),
);
export const getRolePolicy = getOperation<GetRolePolicyRequest, GetRolePolicyResponse>(
  GetRolePolicy$,
  'role',
  roleName,
  (facts, RoleName) => ({ RoleName, ...facts }),
);
export const deleteUserPolicy = deleteOperation<DeleteUserPolicyRequest>(DeleteUserPolicy$, 'user', userName);
export const deleteGroupPolicy = deleteOperation<DeleteGroupPolicyRequest>(DeleteGroupPolicy$, 'group', groupName);
export const deleteRolePolicy = deleteOperation<DeleteRolePolicyRequest>(DeleteRolePolicy$, 'role', roleName);
export const listUserPolicies = listOperation<ListUserPoliciesRequest>(ListUserPolicies$, 'user', userName);
export const listGroupPolicies = listOperation<ListGroupPoliciesRequest>(ListGroupPolicies$, 'group', groupName);
export const listRolePolicies = listOperation<ListRolePoliciesRequest>(ListRolePolicies$, 'role', roleName);
