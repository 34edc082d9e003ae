/** An access that a policy has to allow. */
export interface WantedAccess {
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  /** The service through which a key is used: `kms:ViaService`. */
  readonly via?: string;
}

export interface LeastPolicy {
  readonly document: { readonly Version: '2012-10-17'; readonly Statement: readonly PolicyStatement[] };
  /** 0: nothing but the accesses. More: resources were put together with wildcards, so that it fits. */
  readonly generalised: 0 | 1 | 2;
  /** Characters without white space, as quotas count them. */
  readonly size: number;
  readonly fits: boolean;
}

interface PolicyStatement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, unknown>>;
}

/** Characters of all inline policies of a role. */
const QUOTA = 10_240;

/** The policy that allows these accesses, grouped, and nothing else as long as it fits into a role. */
export function leastPolicy(accesses: readonly WantedAccess[]): LeastPolicy {
  const levels = [0, 1, 2] as const;
  let policy: LeastPolicy | undefined;
  for (const generalised of levels) {
    const Statement = statementsFor(accesses, generalised);
    const document = { Version: '2012-10-17', Statement } as const;
    const size = JSON.stringify(document).length;
    policy = { document, generalised, size, fits: size <= QUOTA };
    if (policy.fits) break;
  }
  return policy ?? { document: { Version: '2012-10-17', Statement: [] }, generalised: 0, size: 0, fits: true };
}

function statementsFor(accesses: readonly WantedAccess[], level: 0 | 1 | 2): PolicyStatement[] {
  const resourcesOf = new Map<
    string,
    { readonly action: string; readonly via: string; readonly resources: string[] }
  >();
  for (const { action, resource, via = '' } of accesses) {
    const id = `${via}\n${action}`;
    const known = resourcesOf.get(id) ?? { action, via, resources: [] };
    known.resources.push(resource);
    resourcesOf.set(id, known);
  }
  // Actions on the same resources stand in one statement.
  const groups = new Map<
    string,
    { readonly via: string; readonly actions: string[]; readonly resources: readonly string[] }
  >();
  for (const { action, via, resources } of resourcesOf.values()) {
    const written = generalise(resources, level);
    const id = JSON.stringify([via, written]);
    const group = groups.get(id) ?? { via, actions: [], resources: written };
    group.actions.push(action);
    groups.set(id, group);
  }
  return [...groups.values()]
    .map(({ via, actions, resources }) => ({
      Effect: 'Allow' as const,
      Action: oneOrMany(actions.toSorted()),
      Resource: oneOrMany(resources),
      ...(via !== '' && { Condition: { StringEquals: { 'kms:ViaService': via } } }),
    }))
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? '') : values;
}

/** Level 1: what lies in one folder together becomes the folder; level 2: what lies in one bucket or is of one kind. */
function generalise(resources: readonly string[], level: 0 | 1 | 2): readonly string[] {
  const distinct = [...new Set(resources.map(escapeWildcards))].toSorted();
  if (level === 0 || distinct.includes('*')) return distinct.includes('*') && level > 0 ? ['*'] : distinct;
  const folders = Map.groupBy(distinct, (resource) => {
    const slash = level === 1 ? resource.lastIndexOf('/') : resource.indexOf('/');
    return slash === -1 ? resource : resource.slice(0, slash);
  });
  return [...folders].flatMap(([folder, within]) => (within.length === 1 ? within : [`${folder}/*`]));
}

/**
 * In a policy `*`, `?` and `${` are not themselves; in the name of an object they are. Actions on all resources of a kind are
 * asked for with a star at the end, which stays one; objects of S3 may be called that.
 */
function escapeWildcards(resource: string): string {
  if (/[:/]\*$/.test(resource) && !resource.startsWith('arn:aws:s3:::'))
    return `${escapeWildcards(resource.slice(0, -1))}*`;
  if (resource === '*') return resource;
  return resource.replace(/[*?]|\$(?=\{)/g, (character) => `\${${character}}`);
}
