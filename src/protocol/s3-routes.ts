import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import { ServiceError } from '#kernel/service-error.ts';
import { DecodeFailure } from './decode-failure.ts';
import { percentDecode, type QueryParameters } from './query-parameters.ts';
import { httpTraitOf } from './rest-routes.ts';

/** What of a request says which of S3's operations it is. */
export interface S3Request {
  readonly method: string;
  /** As received, still percent-encoded, without the query. */
  readonly path: string;
  /** A request header by its lower-case name. */
  header(name: string): string | undefined;
  /** Set when the host named the bucket: then the whole path is the key. */
  readonly bucketFromHost?: string | undefined;
}

export interface S3Match {
  /** `PREFLIGHT` for what browsers ask before a request of another origin's page. */
  readonly operation: string;
  /** Decoded: `Bucket` and `Key`; without a `Key` where a form in the body has it. */
  readonly labels: Readonly<Record<string, string>>;
}

type Level = 'SERVICE' | 'BUCKET' | 'OBJECT';

/** No operation of the API: it is answered without a signature. */
export const PREFLIGHT = 'OPTIONS';

interface Route {
  readonly operation: string;
  readonly queryLiterals: ReadonlyMap<string, string | undefined>;
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  /** All query parameters that the operation knows. */
  readonly knownQuery: ReadonlySet<string>;
}

/** Operations that are told by something else than bucket, method and query: another host, or a path of their own. */
const APART = new Set(['ListDirectoryBuckets', 'WriteGetObjectResponse']);

/** Headers that make another operation of the same method and query. */
const TELLING_HEADERS = new Set(['x-amz-copy-source', 'x-amz-rename-source']);

/** Query parameters that belong to some operations only: with another operation they would be silently ignored. */
const TELLING_PARAMETERS = ['uploadId', 'partNumber'];

/** Compiles the choice of S3's operations, which no path alone tells apart. */
export function compileS3Routes(
  schemas: readonly StaticOperationSchema[],
): (request: S3Request, query: QueryParameters) => S3Match {
  const routes = new Map<string, Route[]>();
  const subresources = new Set<string>();
  for (const schema of schemas) {
    if (APART.has(schema[2])) continue;
    const trait = httpTraitOf(schema);
    const key = `${levelOf(schema)} ${trait.method}`;
    const group = routes.get(key) ?? [];
    group.push(routeOf(schema, trait.queryLiterals));
    routes.set(key, group);
    for (const [name, value] of trait.queryLiterals) if (value === undefined) subresources.add(name);
  }
  for (const group of routes.values()) group.sort((a, b) => weightOf(b) - weightOf(a));

  return (request, query) => {
    if (
      request.path === '/WriteGetObjectResponse' &&
      request.method === 'POST' &&
      request.bucketFromHost === undefined
    ) {
      return { operation: 'WriteGetObjectResponse', labels: {} };
    }
    const { level, labels } = locate(request);
    if (request.method === PREFLIGHT && level !== 'SERVICE') return { operation: PREFLIGHT, labels };
    const asked = [...query.keys()].filter((name) => subresources.has(name));
    const group = routes.get(`${level} ${request.method}`) ?? [];
    for (const route of group) {
      if (!fits(route, request, query)) continue;
      const stray = asked.filter((name) => !route.queryLiterals.has(name));
      if (stray.length === 0) {
        refuseStrayParameters(route, query);
        return { operation: route.operation, labels };
      }
      if (route.queryLiterals.size > 0 && asked.length > 1) throw conflictingParameters(asked);
    }
    if (level === 'BUCKET' && request.method === 'POST' && asked.length === 0)
      return { operation: 'PutObject', labels };
    throw methodNotAllowed(request.method, level, asked, routes);
  };
}

function levelOf(schema: StaticOperationSchema): Level {
  const input = NormalizedSchema.of(schema[4]);
  const labels = new Set<string>();
  for (const [name, member] of input.isStructSchema() ? input.structIterator() : []) {
    if (member.getMergedTraits().httpLabel) labels.add(name);
  }
  if (labels.has('Key')) return 'OBJECT';
  return labels.has('Bucket') ? 'BUCKET' : 'SERVICE';
}

function routeOf(schema: StaticOperationSchema, queryLiterals: Route['queryLiterals']): Route {
  const input = NormalizedSchema.of(schema[4]);
  const structure: unknown = input.getSchema();
  const requiredCount = Array.isArray(structure) ? Number(structure[6] ?? 0) : 0;
  const requiredQuery: string[] = [];
  const requiredHeaders: string[] = [];
  const knownQuery = new Set<string>(queryLiterals.keys());
  let index = 0;
  for (const [, member] of input.isStructSchema() ? input.structIterator() : []) {
    const { httpQuery, httpHeader } = member.getMergedTraits();
    if (httpQuery !== undefined) {
      knownQuery.add(httpQuery);
      if (index < requiredCount) requiredQuery.push(httpQuery);
    }
    const header = httpHeader?.toLowerCase();
    if (header !== undefined && index < requiredCount && TELLING_HEADERS.has(header)) requiredHeaders.push(header);
    index += 1;
  }
  return { operation: schema[2], queryLiterals, requiredQuery, requiredHeaders, knownQuery };
}

/** The operation that asks for most is tried first. */
function weightOf(route: Route): number {
  return route.queryLiterals.size + route.requiredQuery.length + route.requiredHeaders.length;
}

function fits(route: Route, request: S3Request, query: QueryParameters): boolean {
  for (const [name, value] of route.queryLiterals) {
    const given = query.get(name);
    if (given === undefined || (value !== undefined && given[0] !== value)) return false;
  }
  for (const name of route.requiredQuery) if (!query.has(name)) return false;
  for (const name of route.requiredHeaders) if (request.header(name) === undefined) return false;
  return true;
}

/**
 * Splits the path into bucket and key. The key is everything after the slash, exactly: doubled slashes, dots and
 * trailing slashes belong to it.
 *
 * @throws DecodeFailure when an escape is broken or is not UTF-8
 */
function locate({ path, bucketFromHost }: S3Request): { level: Level; labels: Record<string, string> } {
  const rest = path.startsWith('/') ? path.slice(1) : path;
  let bucket = bucketFromHost;
  let key = rest;
  if (bucket === undefined) {
    const slash = rest.indexOf('/');
    bucket = percentDecode(slash < 0 ? rest : rest.slice(0, slash));
    key = slash < 0 ? '' : rest.slice(slash + 1);
    if (rest === '') return { level: 'SERVICE', labels: {} };
    if (bucket === '') throw new DecodeFailure('The path names no bucket');
  }
  if (key === '') return { level: 'BUCKET', labels: { Bucket: bucket } };
  return { level: 'OBJECT', labels: { Bucket: bucket, Key: percentDecode(key) } };
}

function refuseStrayParameters(route: Route, query: QueryParameters): void {
  for (const name of TELLING_PARAMETERS) {
    if (!query.has(name) || route.knownQuery.has(name)) continue;
    throw new ServiceError('InvalidArgument', 400, 'This operation does not accept a query-string.', {
      members: { ArgumentName: name, ArgumentValue: query.get(name)?.[0] ?? '' },
    });
  }
}

function conflictingParameters(names: readonly string[]): ServiceError {
  const list = [...names].sort().join(', ');
  return new ServiceError('InvalidArgument', 400, `Conflicting query string parameters: ${list}`, {
    members: { ArgumentName: 'ResourceType', ArgumentValue: names[0] ?? '' },
  });
}

function methodNotAllowed(
  method: string,
  level: Level,
  asked: readonly string[],
  routes: ReadonlyMap<string, readonly Route[]>,
): ServiceError {
  const [subresource] = asked;
  const allowed: string[] = [];
  for (const [key, group] of routes) {
    const [groupLevel, groupMethod = ''] = key.split(' ');
    const isKnown = group.some(({ queryLiterals }) =>
      subresource === undefined ? queryLiterals.size === 0 : queryLiterals.has(subresource),
    );
    if (groupLevel === level && isKnown) allowed.push(groupMethod);
  }
  return new ServiceError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    members: { Method: method.slice(0, 32), ResourceType: subresource?.toUpperCase() ?? level },
    ...(allowed.length === 0 ? {} : { headers: { Allow: allowed.sort().join(', ') } }),
  });
}
