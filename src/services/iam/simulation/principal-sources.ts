import { awsManagedPolicies } from '../domain/aws-managed-policies.ts';
import { parseIamArn } from '../domain/identifiers.ts';
import { invalidInput, noSuchEntity } from '../errors.ts';
import { findManagedDocument } from '../managed-document.ts';
import { findPrincipal, type IamQueries, type IamStore, type PrincipalRecord } from '../store.ts';
import { type SimulatedPolicy, simulatedPolicy } from './simulated-policy.ts';

/** A user, group or role with all of its policies, as they stand. */
export interface PrincipalSource {
  readonly principal: PrincipalRecord;
  readonly identity: readonly SimulatedPolicy[];
  readonly boundary: SimulatedPolicy | undefined;
}

/** @throws ServiceError InvalidInput for what is no ARN of theirs, NoSuchEntity */
export async function findPrincipalByArn(queries: IamQueries, account: string, arn: string): Promise<PrincipalRecord> {
  for (const kind of ['user', 'group', 'role'] as const) {
    const parts = parseIamArn(kind, arn);
    if (parts === undefined) continue;
    const found = parts.account === account ? await findPrincipal(queries, account, kind, parts.name) : undefined;
    if (found === undefined || found.path !== parts.path) {
      throw noSuchEntity(`The ${kind} with name ${parts.name} cannot be found.`);
    }
    return found;
  }
  throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
}

/** A user's groups lend it their policies; `user_alice_reads` names the inline policy `reads` of the user `alice`. */
export async function readPrincipalSource(store: IamStore, principal: PrincipalRecord): Promise<PrincipalSource> {
  const owners = [principal, ...(principal.kind === 'user' ? await groupsOf(store, principal.id) : [])];
  const identity: SimulatedPolicy[] = [];
  const attached = new Set<string>();
  for (const owner of owners) {
    const inline = await store.read
      .selectFrom('iam_inline_policy')
      .selectAll()
      .where('principal_id', '=', owner.id)
      .orderBy('name')
      .execute();
    for (const { name, document } of inline) {
      identity.push(simulatedPolicy(`${owner.kind}_${owner.name}_${name}`, owner.kind, document, 'identity'));
    }
    const rows = await store.read
      .selectFrom('iam_attachment')
      .select('policy_arn')
      .where('principal_id', '=', owner.id)
      .orderBy('policy_arn')
      .execute();
    for (const { policy_arn: arn } of rows) attached.add(arn);
  }
  for (const arn of attached) identity.push(await readManaged(store, arn));
  const { boundary_arn: arn } = principal;
  return { principal, identity, boundary: arn === null ? undefined : await readManaged(store, arn) };
}

async function readManaged(store: IamStore, arn: string): Promise<SimulatedPolicy> {
  const document = await findManagedDocument(store, arn);
  if (document === undefined) throw noSuchEntity(`Policy ${arn} was not found.`);
  const name = parseIamArn('policy', arn)?.name ?? arn;
  return simulatedPolicy(name, awsManagedPolicies.has(arn) ? 'aws-managed' : 'user-managed', document, 'identity');
}

function groupsOf(store: IamStore, userId: string): Promise<PrincipalRecord[]> {
  return store.read
    .selectFrom('iam_membership')
    .innerJoin('iam_principal', 'iam_principal.id', 'iam_membership.group_id')
    .selectAll('iam_principal')
    .where('iam_membership.user_id', '=', userId)
    .orderBy('iam_principal.name_key')
    .execute();
}
