import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { malformedPolicy } from '../errors.ts';
import { findPrincipal, type IamQueries } from '../store.ts';
import { parseIamArn } from './identifiers.ts';
import { meantService } from './service-principals.ts';

interface TrustDocument {
  readonly Statement: TrustStatement | readonly TrustStatement[];
}

interface TrustStatement {
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Replaces the ARNs of users and roles in a trust policy by the unique ids that they stand for now, so that whoever
 * takes the name of a deleted principal later does not inherit its trust.
 *
 * @param document valid already
 * @throws ServiceError MalformedPolicyDocument when a principal does not exist, or is a service's misspelled name
 */
export async function bindTrustPolicy(document: string, queries: IamQueries): Promise<string> {
  const policy = JSON.parse(document) as TrustDocument;
  const statements = [policy.Statement].flat() as readonly TrustStatement[];
  const bound: TrustStatement[] = [];
  for (const statement of statements) {
    const { Principal: principal } = statement;
    checkServices(principal, document);
    if (typeof principal !== 'object' || principal['AWS'] === undefined) {
      bound.push(statement);
      continue;
    }
    const ids: string[] = [];
    for (const name of [principal['AWS']].flat() as readonly string[])
      ids.push(await bindPrincipal(name, document, queries));
    bound.push({ ...statement, Principal: { ...principal, AWS: ids } });
  }
  return JSON.stringify({ ...policy, Statement: bound });
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
