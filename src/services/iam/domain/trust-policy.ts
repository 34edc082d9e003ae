import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { malformedPolicy } from '../errors.ts';
import { findPrincipal, type IamQueries } from '../store.ts';
import { parseIamArn, principalArn } from './identifiers.ts';
import { replacePrincipals } from './named-principals.ts';
import { meantService } from './service-principals.ts';

interface TrustDocument {
  readonly Statement: TrustStatement | readonly TrustStatement[];
}

interface TrustStatement {
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
}

const UNIQUE_ID = /^A(?:IDA|ROA)[A-Z0-9]+$/;

/**
 * Replaces the ARNs of users and roles in a trust policy by the unique ids that they stand for now, so that whoever
 * takes the name of a deleted principal later does not inherit its trust.
 *
 * @param document valid already
 * @throws ServiceError MalformedPolicyDocument when a principal does not exist, or is a service's misspelled name
 */
export async function bindTrustPolicy(document: string, queries: IamQueries): Promise<string> {
  const { Statement: statements } = JSON.parse(document) as TrustDocument;
  for (const { Principal } of [statements].flat()) checkServices(Principal, document);
  return await replacePrincipals(document, (name) => bindPrincipal(name, document, queries));
}

/**
 * To be called when a user or role was deleted: where trust policies name it, its unique id is shown from now on.
 * @param id AIDA… or AROA…
 */
export async function forgetInTrustPolicies(id: string, queries: IamQueries): Promise<void> {
  const roles = await queries
    .selectFrom('iam_principal')
    .selectAll()
    .where('kind', '=', 'role')
    .where('bound_trust_policy', 'like', `%${id}%`)
    .execute();
  for (const role of roles) {
    const trustPolicy = await replacePrincipals(role.bound_trust_policy ?? '', (name) => arnOfId(name, queries));
    await queries.updateTable('iam_principal').set({ trust_policy: trustPolicy }).where('id', '=', role.id).execute();
  }
}

/** The ARN that a user or role has now; `undefined` for what is not the unique id of one that there is. */
export async function arnOfId(id: string, queries: IamQueries): Promise<string | undefined> {
  if (!UNIQUE_ID.test(id)) return undefined;
  const found = await queries.selectFrom('iam_principal').selectAll().where('id', '=', id).executeTakeFirst();
  return found === undefined ? undefined : principalArn(found.kind, found);
}

async function bindPrincipal(name: string, document: string, queries: IamQueries): Promise<string> {
  for (const kind of ['user', 'role'] as const) {
    const parts = parseIamArn(kind, name);
    if (parts === undefined) continue;
    const found = await findPrincipal(queries, parts.account, kind, parts.name);
    if (found === undefined || found.name !== parts.name || found.path !== parts.path) {
      throw invalidPrincipal('AWS', name, 'there is no such user or role', document);
    }
    return found.id;
  }
  return name;
}

function checkServices(principal: TrustStatement['Principal'], document: string): void {
  if (typeof principal !== 'object') return;
  for (const name of [principal['Service'] ?? []].flat()) {
    const meant = meantService(name);
    if (meant !== undefined) throw invalidPrincipal('SERVICE', name, `did you mean '${meant}'?`, document);
  }
}

function invalidPrincipal(kind: 'AWS' | 'SERVICE', name: string, detail: string, document: string): Error {
  const wording = `Invalid principal in policy: "${kind}":"${name}"`;
  const at = Math.max(0, document.indexOf(JSON.stringify(name)));
  return malformedPolicy(new PolicyDocumentError('invalid-principal', wording, detail, document, at).message);
}
