import {
  CreatePolicyVersion$,
  type CreatePolicyVersionRequest,
  type CreatePolicyVersionResponse,
  DeletePolicyVersion$,
  type DeletePolicyVersionRequest,
  GetPolicyVersion$,
  type GetPolicyVersionRequest,
  type GetPolicyVersionResponse,
  ListPolicyVersions$,
  type ListPolicyVersionsRequest,
  type ListPolicyVersionsResponse,
  SetDefaultPolicyVersion$,
  type SetDefaultPolicyVersionRequest,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { awsManagedPolicies } from '../domain/aws-managed-policies.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { checkManagedPolicy, encodeDocument } from '../domain/policy-text.ts';
import { deleteConflict, limitExceeded, noSuchEntity } from '../errors.ts';
import type { IamQueries, PolicyRecord, PolicyVersionRecord } from '../store.ts';
import { accessToPolicy, callerAccount, creationTime, getOwnPolicy, required } from './targets.ts';

const MAX_VERSIONS = 5;

async function getVersion(
  queries: IamQueries,
  policy: PolicyRecord,
  versionId: string | undefined,
): Promise<PolicyVersionRecord> {
  const given = required(versionId, 'VersionId');
  const version = /^v([1-9]\d{0,8})$/.exec(given)?.[1];
  const found = await queries
    .selectFrom('iam_policy_version')
    .selectAll()
    .where('policy_id', '=', policy.id)
    .where('version', '=', Number(version ?? 0))
    .executeTakeFirst();
  if (found === undefined) {
    throw noSuchEntity(`Policy ${policy.arn} version ${given} does not exist or is not attachable.`);
  }
  return found;
}

export const createPolicyVersion = operation<IamContext, CreatePolicyVersionRequest, CreatePolicyVersionResponse>(
  CreatePolicyVersion$,
  {
    authorize: (input, call, iam) => accessToPolicy('iam:CreatePolicyVersion', input.PolicyArn, call, iam),
    async handle(input, call, iam) {
      const arn = required(input.PolicyArn, 'PolicyArn');
      const document = required(input.PolicyDocument, 'PolicyDocument');
      const now = creationTime(call);
      const isDefault = input.SetAsDefault === true;
      const version = await iam.store.write(async (transaction) => {
        const policy = await getOwnPolicy(transaction, callerAccount(call), arn);
        checkManagedPolicy(document);
        const versions = await transaction
          .selectFrom('iam_policy_version')
          .select('version')
          .where('policy_id', '=', policy.id)
          .execute();
        if (versions.length >= MAX_VERSIONS) {
          throw limitExceeded(
            `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must ` +
              'delete an existing version.',
          );
        }
        const next = policy.last_version + 1;
        await transaction
          .insertInto('iam_policy_version')
          .values({ policy_id: policy.id, version: next, document, created_at: now })
          .execute();
        await transaction
          .updateTable('iam_policy')
          .set({ last_version: next, updated_at: now, ...(isDefault && { default_version: next }) })
          .where('id', '=', policy.id)
          .execute();
        return next;
      });
      return {
        PolicyVersion: { VersionId: `v${version}`, IsDefaultVersion: isDefault, CreateDate: new Date(now) },
      };
    },
  },
);

export const getPolicyVersion = operation<IamContext, GetPolicyVersionRequest, GetPolicyVersionResponse>(
  GetPolicyVersion$,
  {
    authorize: (input, call, iam) => accessToPolicy('iam:GetPolicyVersion', input.PolicyArn, call, iam),
    async handle(input, call, iam) {
      const arn = required(input.PolicyArn, 'PolicyArn');
      const aws = awsManagedPolicies.get(arn);
      if (aws !== undefined) {
        const VersionId = required(input.VersionId, 'VersionId');
        if (VersionId !== aws.versionId) {
          throw noSuchEntity(`Policy ${arn} version ${VersionId} does not exist or is not attachable.`);
        }
        const CreateDate = new Date(aws.updatedAt);
        return {
          PolicyVersion: { Document: encodeDocument(aws.document), VersionId, IsDefaultVersion: true, CreateDate },
        };
      }
      const policy = await getOwnPolicy(iam.store.read, callerAccount(call), arn);
      const version = await getVersion(iam.store.read, policy, input.VersionId);
      return { PolicyVersion: { Document: encodeDocument(version.document), ...versionOutput(policy, version) } };
    },
  },
);

function versionOutput(policy: PolicyRecord, version: Pick<PolicyVersionRecord, 'version' | 'created_at'>) {
  return {
    VersionId: `v${version.version}`,
    IsDefaultVersion: version.version === policy.default_version,
    CreateDate: new Date(version.created_at),
  };
}

export const listPolicyVersions = operation<IamContext, ListPolicyVersionsRequest, ListPolicyVersionsResponse>(
  ListPolicyVersions$,
  {
    authorize: (input, call, iam) => accessToPolicy('iam:ListPolicyVersions', input.PolicyArn, call, iam),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const arn = required(input.PolicyArn, 'PolicyArn');
      const aws = awsManagedPolicies.get(arn);
      if (aws !== undefined) {
        const only = {
          VersionId: aws.versionId,
          IsDefaultVersion: true,
          CreateDate: new Date(aws.updatedAt),
        };
        return { Versions: [only], IsTruncated: false };
      }
      const policy = await getOwnPolicy(iam.store.read, callerAccount(call), arn);
      const rows = await iam.store.read
        .selectFrom('iam_policy_version')
        .select(['version', 'created_at'])
        .where('policy_id', '=', policy.id)
        .where('version', '<', page.after === '' ? Number.MAX_SAFE_INTEGER : Number(page.after))
        .orderBy('version', 'desc')
        .limit(page.limit + 1)
        .execute();
      const { items, ...rest } = cutPage(rows, page, (row) => String(row.version));
      return { Versions: items.map((row) => versionOutput(policy, row)), ...rest };
    },
  },
);

export const deletePolicyVersion = operation<IamContext, DeletePolicyVersionRequest, object>(DeletePolicyVersion$, {
  authorize: (input, call, iam) => accessToPolicy('iam:DeletePolicyVersion', input.PolicyArn, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const arn = required(input.PolicyArn, 'PolicyArn');
      const policy = await getOwnPolicy(transaction, callerAccount(call), arn);
      const { version } = await getVersion(transaction, policy, input.VersionId);
      if (version === policy.default_version) {
        throw deleteConflict('Cannot delete the default version of a policy.');
      }
      await transaction
        .deleteFrom('iam_policy_version')
        .where('policy_id', '=', policy.id)
        .where('version', '=', version)
        .execute();
    });
    return {};
  },
});

export const setDefaultPolicyVersion = operation<IamContext, SetDefaultPolicyVersionRequest, object>(
  SetDefaultPolicyVersion$,
  {
    authorize: (input, call, iam) => accessToPolicy('iam:SetDefaultPolicyVersion', input.PolicyArn, call, iam),
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const arn = required(input.PolicyArn, 'PolicyArn');
        const policy = await getOwnPolicy(transaction, callerAccount(call), arn);
        const { version } = await getVersion(transaction, policy, input.VersionId);
        await transaction
          .updateTable('iam_policy')
          .set({ default_version: version, updated_at: creationTime(call) })
          .where('id', '=', policy.id)
          .execute();
      });
      return {};
    },
  },
);
