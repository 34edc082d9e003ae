import { type ArnPattern, costOf, intersects } from '../facts/arn-pattern.ts';
import type { AuthorizationFacts, KeyType, ServiceFacts } from '../facts/authorization-facts.ts';
import { nearest } from '#policy/nearest.ts';
import { Work } from '../domain/work.ts';
import type { PolicyKind, ReadPolicy, ReadStatement, ReadValue } from '../domain/read-policy.ts';

/** Finding the nearest name among a service's takes about as long as so many steps. */
const STEPS_TO_FIND = 100_000;

/** A policy with the facts that its checks need, read beforehand: the checks themselves wait for nothing. */
export interface CheckedPolicy {
  readonly work: Work;
  readonly policy: ReadPolicy;
  readonly kind: PolicyKind;
  /** `AWS::S3::Bucket` and the like, where one was given. */
  readonly resourceType: string | undefined;
  readonly prefixes: ReadonlySet<string>;
  /** Those that the policy names, by prefix. */
  readonly services: ReadonlyMap<string, ServiceFacts>;
  /** Those that the policy names, by the key in lower case; `undefined` for keys that there are not. */
  readonly keys: ReadonlyMap<string, KeyType | undefined>;
}

/** An action of a policy, taken apart; `undefined` for `*` and for what has no colon. */
export function splitAction(text: string): { readonly prefix: string; readonly name: string } | undefined {
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { prefix: text.slice(0, colon), name: text.slice(colon + 1) };
}

/** Reads the facts of all services that a policy names. */
export async function gatherFacts(
  policy: ReadPolicy,
  kind: PolicyKind,
  resourceType: string | undefined,
  facts: AuthorizationFacts,
): Promise<CheckedPolicy> {
  const names = new Set<string>();
  const keyNames = new Set<string>();
  for (const { action, resource, conditions } of policy.statements) {
    for (const { text } of action?.values ?? []) names.add(splitAction(text)?.prefix.toLowerCase() ?? '');
    for (const { text } of resource?.values ?? []) names.add(text.split(':', 3)[2]?.toLowerCase() ?? '');
    for (const { name } of conditions) {
      keyNames.add(name.toLowerCase());
      names.add(name.split(':', 1)[0]?.toLowerCase() ?? '');
    }
  }
  const services = new Map<string, ServiceFacts>();
  for (const name of names) {
    const service = await facts.service(name);
    if (service !== undefined) services.set(name, service);
  }
  const keys = new Map<string, KeyType | undefined>();
  for (const name of keyNames) keys.set(name, await facts.keyType(name));
  return { work: new Work(), policy, kind, resourceType, prefixes: await facts.prefixes(), services, keys };
}

/** As `nearest`, within what work is left. */
export function meant(text: string, candidates: Iterable<string>, work: Work): string | undefined {
  return work.spend(STEPS_TO_FIND) ? nearest(text, candidates) : undefined;
}

/** As `intersects`, within what work is left. */
export function mayIntersect(a: ArnPattern, b: ArnPattern, work: Work): boolean {
  return !work.spend(costOf(a, b)) || intersects(a, b);
}

/** Compares with `*` and `?` as wildcards and without regard to case. Takes at most the product of the lengths. */
export function matchesWildcards(pattern: string, text: string): boolean {
  const [p, t] = [pattern.toLowerCase(), text.toLowerCase()];
  let [i, j, star, retry] = [0, 0, -1, 0];
  while (j < t.length) {
    if (p[i] === '*') {
      star = i++;
      retry = j;
    } else if (i < p.length && (p[i] === '?' || p[i] === t[j])) {
      i++;
      j++;
    } else if (star >= 0) {
      i = star + 1;
      j = ++retry;
    } else return false;
  }
  while (p[i] === '*') i++;
  return i === p.length;
}

export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

/** Whether a statement's Action element is about an action, such as `iam:PassRole`. */
export function namesAction({ action }: ReadStatement, name: string): ReadValue | undefined {
  return action?.values.find(({ text }) => matchesWildcards(text, name));
}
