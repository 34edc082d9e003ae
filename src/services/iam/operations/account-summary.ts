import { GetAccountSummary$, type GetAccountSummaryResponse, type SummaryKeyType } from '@aws-sdk/client-iam';
import type { AccountId } from '#kernel/ids.ts';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { KINDS, MAX_ATTACHMENTS } from '../domain/principal-kind.ts';
import type { IamQueries } from '../store.ts';
import { ACCOUNT_QUOTAS, countEntities } from './quotas.ts';
import { callerAccount } from './targets.ts';

/** What does not depend on the account: the quotas on what one of its entities may have. */
const FIXED: Partial<Record<SummaryKeyType, number>> = {
  AccessKeysPerUserQuota: 2,
  AssumeRolePolicySizeQuota: 2048,
  AttachedPoliciesPerGroupQuota: MAX_ATTACHMENTS,
  AttachedPoliciesPerRoleQuota: MAX_ATTACHMENTS,
  AttachedPoliciesPerUserQuota: MAX_ATTACHMENTS,
  GlobalEndpointTokenVersion: 2,
  GroupPolicySizeQuota: KINDS.group.inlineLimit,
  GroupsPerUserQuota: 10,
  PolicySizeQuota: 6144,
  PolicyVersionsInUseQuota: 10_000,
  RolePolicySizeQuota: KINDS.role.inlineLimit,
  SigningCertificatesPerUserQuota: 2,
  UserPolicySizeQuota: KINDS.user.inlineLimit,
  VersionsPerPolicyQuota: 5,
  // The root user signs in with access keys alone, and signs nothing else.
  AccountPasswordPresent: 0,
  AccountSigningCertificatesPresent: 0,
};

async function countOf(query: { executeTakeFirst(): Promise<{ count: number } | undefined> }): Promise<number> {
  return (await query.executeTakeFirst())?.count ?? 0;
}

function policyVersionsInUse(queries: IamQueries, account: AccountId): Promise<number> {
  const attached = queries
    .selectFrom('iam_attachment')
    .select(({ fn }) => fn.count<number>('policy_arn').distinct().as('count'))
    .where('account', '=', account);
  return countOf(attached);
}

async function mfaDevices(
  queries: IamQueries,
  account: AccountId,
  which: 'any' | 'in use' | 'of root',
): Promise<number> {
  let query = queries
    .selectFrom('iam_mfa_device')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account', '=', account);
  if (which !== 'any') query = query.where('enabled_at', 'is not', null);
  if (which === 'of root') query = query.where('user_id', 'is', null);
  return countOf(query);
}

function providers(
  queries: IamQueries,
  account: AccountId,
  table: 'iam_oidc_provider' | 'iam_saml_provider',
): Promise<number> {
  return countOf(
    queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('account', '=', account),
  );
}

async function rootKeys(queries: IamQueries, account: AccountId): Promise<number> {
  const key = await queries
    .selectFrom('iam_access_key')
    .select('id')
    .where('account', '=', account)
    .where('user_id', 'is', null)
    .executeTakeFirst();
  return key === undefined ? 0 : 1;
}

export const getAccountSummary = operation<IamContext, object, GetAccountSummaryResponse>(GetAccountSummary$, {
  authorize: () => [{ action: 'iam:GetAccountSummary', resource: '*' }],
  async handle(_input, call, iam) {
    const account = callerAccount(call);
    const queries = iam.store.read;
    const SummaryMap: Partial<Record<SummaryKeyType, number>> = { ...FIXED };
    for (const entity of ['Users', 'Groups', 'Roles', 'Policies', 'InstanceProfiles', 'ServerCertificates'] as const) {
      SummaryMap[entity] = await countEntities(queries, account, entity);
      SummaryMap[`${entity}Quota`] = ACCOUNT_QUOTAS[entity];
    }
    SummaryMap.PolicyVersionsInUse = await policyVersionsInUse(queries, account);
    SummaryMap.AccountAccessKeysPresent = await rootKeys(queries, account);
    SummaryMap.Providers =
      (await providers(queries, account, 'iam_oidc_provider')) +
      (await providers(queries, account, 'iam_saml_provider'));
    SummaryMap.MFADevices = await mfaDevices(queries, account, 'any');
    SummaryMap.MFADevicesInUse = await mfaDevices(queries, account, 'in use');
    SummaryMap.AccountMFAEnabled = (await mfaDevices(queries, account, 'of root')) > 0 ? 1 : 0;
    return { SummaryMap: SummaryMap as Record<SummaryKeyType, number> };
  },
});
