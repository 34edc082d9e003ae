import {
  CreatePolicy$,
  type CreatePolicyRequest,
  type CreatePolicyResponse,
  DeletePolicy$,
  type DeletePolicyRequest,
  GetPolicy$,
  type GetPolicyRequest,
  type GetPolicyResponse,
  ListEntitiesForPolicy$,
  type ListEntitiesForPolicyRequest,
  type ListEntitiesForPolicyResponse,
  ListPolicies$,
  type ListPoliciesRequest,
  type ListPoliciesResponse,
  type Policy,
} from '@aws-sdk/client-iam';
import type { AccountId } from '#kernel/ids.ts';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { type AwsManagedPolicy, awsManagedPolicies } from '../domain/aws-managed-policies.ts';
import { nameKey, policyArn, uniqueId } from '../domain/identifiers.ts';
import { pageOfList } from '../domain/page.ts';
import { checkManagedPolicy } from '../domain/policy-text.ts';
import { tagList, tagMap } from '../domain/tags.ts';
import { alreadyExists, deleteConflict } from '../errors.ts';
import type { IamQueries, PolicyRecord } from '../store.ts';
import { putTags } from './principals.ts';
import { checkQuota } from './quotas.ts';
import { accessToPolicy, callerAccount, checkAttachable, creationTime, getOwnPolicy, required } from './targets.ts';

interface UsageCounts {
  readonly attachments: number;
  readonly boundaries: number;
}

export const unused: UsageCounts = { attachments: 0, boundaries: 0 };

/** How often the policies of an account, and AWS's in it, are used; by ARN. */
export async function countUsage(queries: IamQueries, account: AccountId): Promise<Map<string, UsageCounts>> {
  const attached = await queries
    .selectFrom('iam_attachment')
    .select(({ fn }) => ['policy_arn as arn', fn.countAll<number>().as('uses')])
    .where('account', '=', account)
    .groupBy('policy_arn')
    .execute();
  const bounding = await queries
    .selectFrom('iam_principal')
    .select(({ fn }) => ['boundary_arn as arn', fn.countAll<number>().as('uses')])
    .where('account', '=', account)
    .where('boundary_arn', 'is not', null)
    .groupBy('boundary_arn')
    .execute();
  const counts = new Map<string, UsageCounts>();
  for (const { arn, uses } of attached) counts.set(arn, { attachments: uses, boundaries: 0 });
  for (const { arn, uses } of bounding) {
    if (arn !== null) counts.set(arn, { ...(counts.get(arn) ?? unused), boundaries: uses });
  }
  return counts;
}

export function customerPolicy(record: PolicyRecord, usage: UsageCounts): Policy {
  return {
    PolicyName: record.name,
    PolicyId: record.id,
    Arn: record.arn,
    Path: record.path,
    DefaultVersionId: `v${record.default_version}`,
    AttachmentCount: usage.attachments,
    PermissionsBoundaryUsageCount: usage.boundaries,
    IsAttachable: true,
    CreateDate: new Date(record.created_at),
    UpdateDate: new Date(record.updated_at),
  };
}

export function awsPolicy(policy: AwsManagedPolicy, usage: UsageCounts): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.versionId,
    AttachmentCount: usage.attachments,
    PermissionsBoundaryUsageCount: usage.boundaries,
    IsAttachable: true,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
  };
}

export const createPolicy = operation<IamContext, CreatePolicyRequest, CreatePolicyResponse>(CreatePolicy$, {
  authorize(input, call) {
    const name = required(input.PolicyName, 'PolicyName');
    const resource = policyArn({ account: callerAccount(call), path: input.Path ?? '/', name });
    const requestTags = tagMap(input.Tags);
    const create = { action: 'iam:CreatePolicy', resource, requestTags };
    return input.Tags?.length ? [create, { action: 'iam:TagPolicy', resource, requestTags }] : [create];
  },
  async handle(input, call, iam) {
    const account = callerAccount(call);
    const tags = tagMap(input.Tags);
    const name = required(input.PolicyName, 'PolicyName');
    const document = required(input.PolicyDocument, 'PolicyDocument');
    checkManagedPolicy(document);
    const now = creationTime(call);
    const path = input.Path ?? '/';
    const record: PolicyRecord = {
      id: uniqueId('ANPA', iam.randomness),
      account,
      arn: policyArn({ account, path, name }),
      name,
      name_key: nameKey(name),
      path,
      description: input.Description ?? null,
      default_version: 1,
      last_version: 1,
      created_at: now,
      updated_at: now,
    };
    await iam.store.write(async (transaction) => {
      const taken = await transaction
        .selectFrom('iam_policy')
        .select('id')
        .where('account', '=', account)
        .where('name_key', '=', record.name_key)
        .executeTakeFirst();
      if (taken !== undefined) {
        throw alreadyExists(`A policy called ${name} already exists. Duplicate names are not allowed.`);
      }
      await checkQuota(transaction, account, 'Policies');
      await transaction.insertInto('iam_policy').values(record).execute();
      const version = { policy_id: record.id, version: 1, document, created_at: now };
      await transaction.insertInto('iam_policy_version').values(version).execute();
      await putTags(transaction, account, record.id, tags);
    });
    const Tags = input.Tags?.length ? { Tags: tagList(tags) } : {};
    return { Policy: { ...customerPolicy(record, unused), ...Tags } };
  },
});

export const getPolicy = operation<IamContext, GetPolicyRequest, GetPolicyResponse>(GetPolicy$, {
  authorize: (input, call, iam) => accessToPolicy('iam:GetPolicy', input.PolicyArn, call, iam),
  async handle(input, call, iam) {
    const account = callerAccount(call);
    const arn = required(input.PolicyArn, 'PolicyArn');
    const usage = (await countUsage(iam.store.read, account)).get(arn) ?? unused;
    const aws = awsManagedPolicies.get(arn);
    if (aws !== undefined) return { Policy: { ...awsPolicy(aws, usage), Description: aws.description, Tags: [] } };
    const record = await getOwnPolicy(iam.store.read, account, arn);
    const Tags = tagList(await iam.store.tagsOf(record.id));
    const description = record.description === null ? {} : { Description: record.description };
    return { Policy: { ...customerPolicy(record, usage), ...description, Tags } };
  },
});

export const deletePolicy = operation<IamContext, DeletePolicyRequest, object>(DeletePolicy$, {
  authorize: (input, call, iam) => accessToPolicy('iam:DeletePolicy', input.PolicyArn, call, iam),
  async handle(input, call, iam) {
    const account = callerAccount(call);
    await iam.store.write(async (transaction) => {
      const record = await getOwnPolicy(transaction, account, required(input.PolicyArn, 'PolicyArn'));
      const { attachments, boundaries } = (await countUsage(transaction, account)).get(record.arn) ?? unused;
      if (attachments + boundaries > 0) throw deleteConflict('Cannot delete a policy attached to entities.');
      const versions = await transaction
        .selectFrom('iam_policy_version')
        .select('version')
        .where('policy_id', '=', record.id)
        .execute();
      if (versions.length > 1) {
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. " +
            'The default version is deleted with the policy.',
        );
      }
      await transaction.deleteFrom('iam_tag').where('owner_id', '=', record.id).execute();
      await transaction.deleteFrom('iam_policy').where('id', '=', record.id).execute();
    });
    return {};
  },
});

export const listPolicies = operation<IamContext, ListPoliciesRequest, ListPoliciesResponse>(ListPolicies$, {
  authorize: (_input, call) => [
    { action: 'iam:ListPolicies', resource: policyArn({ account: callerAccount(call), path: '/', name: '' }) },
  ],
  async handle(input, call, iam) {
    const account = callerAccount(call);
    const counts = await countUsage(iam.store.read, account);
    const usageOf = (arn: string) => counts.get(arn) ?? unused;
    const policies: Policy[] = [];
    if (input.Scope !== 'Local') {
      for (const policy of awsManagedPolicies.values()) policies.push(awsPolicy(policy, usageOf(policy.arn)));
    }
    if (input.Scope !== 'AWS') {
      const rows = await iam.store.read.selectFrom('iam_policy').selectAll().where('account', '=', account).execute();
      for (const row of rows) policies.push(customerPolicy(row, usageOf(row.arn)));
    }
    const listed = policies.filter((policy) => isListed(policy, input));
    const { items, ...rest } = pageOfList(listed, input, (policy) => policy.Arn ?? '');
    return { Policies: [...items], ...rest };
  },
});

function isListed(policy: Policy, input: ListPoliciesRequest): boolean {
  const { AttachmentCount: attachments = 0, PermissionsBoundaryUsageCount: boundaries = 0, Path: path = '/' } = policy;
  if (!path.startsWith(input.PathPrefix ?? '/')) return false;
  if (input.OnlyAttached === true && attachments === 0) return false;
  if (input.PolicyUsageFilter === 'PermissionsPolicy') return attachments > 0;
  if (input.PolicyUsageFilter === 'PermissionsBoundary') return boundaries > 0;
  return true;
}

export const listEntitiesForPolicy = operation<IamContext, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse>(
  ListEntitiesForPolicy$,
  {
    authorize: (input, call, iam) => accessToPolicy('iam:ListEntitiesForPolicy', input.PolicyArn, call, iam),
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const arn = required(input.PolicyArn, 'PolicyArn');
      await checkAttachable(iam.store.read, account, arn);
      const filter = input.PolicyUsageFilter;
      const rows = await iam.store.read
        .selectFrom('iam_principal')
        .select(['id', 'kind', 'name', 'path'])
        .where('account', '=', account)
        .where((builder) => {
          const asBoundary = builder('boundary_arn', '=', arn);
          const asPermissions = builder.exists(
            builder
              .selectFrom('iam_attachment')
              .select('policy_arn')
              .whereRef('principal_id', '=', 'iam_principal.id')
              .where('policy_arn', '=', arn),
          );
          if (filter === 'PermissionsBoundary') return asBoundary;
          return filter === 'PermissionsPolicy' ? asPermissions : builder.or([asBoundary, asPermissions]);
        })
        .execute();
      const kindOf = {
        User: 'user',
        Group: 'group',
        Role: 'role',
        LocalManagedPolicy: '',
        AWSManagedPolicy: '',
      } as const;
      const listed = rows.filter(
        (row) =>
          row.path.startsWith(input.PathPrefix ?? '/') &&
          (input.EntityFilter === undefined || row.kind === kindOf[input.EntityFilter]),
      );
      const { items, ...rest } = pageOfList(listed, input, (row) => `${row.kind}/${row.name}`);
      const ofKind = (kind: string) => items.filter((row) => row.kind === kind);
      return {
        PolicyGroups: ofKind('group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
        PolicyUsers: ofKind('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
        PolicyRoles: ofKind('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
        ...rest,
      };
    },
  },
);
