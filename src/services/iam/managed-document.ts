import { awsManagedPolicies } from './domain/aws-managed-policies.ts';
import type { IamStore } from './store.ts';

/** The default version of a managed policy, of the customer or of AWS, in JSON; `undefined` when there is none. */
export async function findManagedDocument(store: IamStore, arn: string): Promise<string | undefined> {
  const aws = awsManagedPolicies.get(arn);
  if (aws !== undefined) return aws.document;
  const row = await store.read
    .selectFrom('iam_policy')
    .innerJoin('iam_policy_version', (join) =>
      join
        .onRef('iam_policy_version.policy_id', '=', 'iam_policy.id')
        .onRef('iam_policy_version.version', '=', 'iam_policy.default_version'),
    )
    .select('iam_policy_version.document')
    .where('iam_policy.arn', '=', arn)
    .executeTakeFirst();
  return row?.document;
}
