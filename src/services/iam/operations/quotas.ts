import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import { quotaExceeded } from '../errors.ts';
import type { IamQueries } from '../store.ts';

/** What an account may have of each: AWS's default quotas, by the names of its account summary. */
export const ACCOUNT_QUOTAS = {
  Users: 5000,
  Groups: 300,
  Roles: 1000,
  Policies: 1500,
  InstanceProfiles: 1000,
  ServerCertificates: 20,
} as const;

export type CountedEntity = keyof typeof ACCOUNT_QUOTAS;

const COUNTS: Readonly<Record<CountedEntity, (account: AccountId) => ReturnType<typeof sql<{ count: number }>>>> = {
  Users: (account) => principals(account, 'user'),
  Groups: (account) => principals(account, 'group'),
  Roles: (account) => principals(account, 'role'),
  Policies: (account) => sql`SELECT count(*) AS count FROM iam_policy WHERE account = ${account}`,
  InstanceProfiles: (account) => sql`SELECT count(*) AS count FROM iam_instance_profile WHERE account = ${account}`,
  ServerCertificates: (account) => sql`SELECT count(*) AS count FROM iam_server_certificate WHERE account = ${account}`,
};

function principals(account: AccountId, kind: string) {
  return sql<{
    count: number;
  }>`SELECT count(*) AS count FROM iam_principal WHERE account = ${account} AND kind = ${kind}`;
}

/**
 * How many there are. The rows' seals are not looked at: with thousands of them that would take longer than the rest of
 * the call, and a wrong number opens nothing to anybody.
 */
export async function countEntities(queries: IamQueries, account: AccountId, entity: CountedEntity): Promise<number> {
  const { rows } = await COUNTS[entity](account).execute(queries);
  return rows[0]?.count ?? 0;
}

/** To be asked before one more is made. @throws ServiceError LimitExceeded */
export async function checkQuota(queries: IamQueries, account: AccountId, entity: CountedEntity): Promise<void> {
  const limit = ACCOUNT_QUOTAS[entity];
  if ((await countEntities(queries, account, entity)) >= limit) throw quotaExceeded(`${entity}PerAccount`, limit);
}
