import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';

/** The `http` trait of a REST operation, taken apart. */
export interface HttpTrait {
  readonly method: string;
  /** Between the slashes of the path: literals and labels. */
  readonly segments: readonly PathSegment[];
  /** Parameters that must be there; the value `undefined` means any. Without `x-id`, which only the SDKs send. */
  readonly queryLiterals: ReadonlyMap<string, string | undefined>;
  readonly status: number;
}

interface PathSegment {
  readonly kind: 'literal' | 'label' | 'greedy';
  /** The text of a literal, the member of a label. */
  readonly text: string;
}

/** @throws Error when the operation has no `http` trait */
export function httpTraitOf(schema: StaticOperationSchema): HttpTrait {
  const { http } = NormalizedSchema.of(schema).getOwnTraits();
  if (http === undefined) throw new Error(`${schema[2]} has no HTTP binding.`);
  const [method, uri, status] = http;
  const [path = '', query = ''] = uri.split('?');
  const segments = path
    .split('/')
    .slice(1)
    .map((text): PathSegment => {
      if (!text.startsWith('{')) return { kind: 'literal', text };
      const isGreedy = text.endsWith('+}');
      return { kind: isGreedy ? 'greedy' : 'label', text: text.slice(1, isGreedy ? -2 : -1) };
    });
  const queryLiterals = new Map<string, string | undefined>();
  for (const literal of query.split('&')) {
    const [name = '', value] = literal.split('=');
    if (name !== '' && name !== 'x-id') queryLiterals.set(name, value);
  }
  return { method, segments, queryLiterals, status };
}

export function successStatusOf(schema: StaticOperationSchema): number {
  return httpTraitOf(schema).status;
}

interface Route {
  readonly operation: string;
  readonly trait: HttpTrait;
}

export interface RestMatch {
  readonly operation: string;
  /** Still percent-encoded. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Makes a matcher of REST paths: literals go before labels, from left to right.
 *
 * @returns the match for a method and a raw path; `allowed` lists the methods that the path knows when none matches
 */
export function compileRestRoutes(
  schemas: readonly StaticOperationSchema[],
): (method: string, path: string) => RestMatch | { readonly allowed: readonly string[] } {
  const routes = schemas.map((schema): Route => ({ operation: schema[2], trait: httpTraitOf(schema) }));
  routes.sort((a, b) => (specificity(a) < specificity(b) ? -1 : 1));
  return (method, path) => {
    const segments = path.split('/').slice(1);
    const allowed = new Set<string>();
    for (const { operation, trait } of routes) {
      const labels = matchSegments(trait.segments, segments);
      if (labels === undefined) continue;
      if (trait.method === method) return { operation, labels };
      allowed.add(trait.method);
    }
    return { allowed: [...allowed] };
  };
}

/** Sorts before others what has literals where they have labels. */
function specificity({ trait }: Route): string {
  return trait.segments.map(({ kind }) => (kind === 'literal' ? '0' : kind === 'label' ? '1' : '2')).join('');
}

function matchSegments(
  pattern: readonly PathSegment[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (let index = 0; index < pattern.length; index++) {
    const expected = pattern[index];
    if (expected === undefined) return undefined;
    if (expected.kind === 'greedy') {
      const rest = segments.slice(index).join('/');
      if (rest === '') return undefined;
      labels[expected.text] = rest;
      return labels;
    }
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (expected.kind === 'literal' ? segment !== expected.text : segment === '') return undefined;
    if (expected.kind === 'label') labels[expected.text] = segment;
  }
  return segments.length === pattern.length ? labels : undefined;
}
