import { ServiceError } from '#kernel/service-error.ts';
import type { CompiledOperation, CompiledService } from './compiled-service.ts';
import { DecodeFailure } from './decode-failure.ts';
import { parseQuery, percentDecode, type QueryParameters } from './query-parameters.ts';
import { compileRestRoutes } from './rest-routes.ts';
import { compileS3Routes, PREFLIGHT } from './s3-routes.ts';

/** What of a request says which operation it is. */
export interface RoutedRequest {
  readonly method: string;
  /** As received, still percent-encoded, without the query. */
  readonly path: string;
  /** As received, without the question mark. */
  readonly query: string;
  /** A request header by its lower-case name. */
  header(name: string): string | undefined;
  /** The bucket that a virtual-hosted address names. */
  readonly bucketFromHost?: string | undefined;
  /** What stands before the path where the host names an API: `/_aws/execute-api/ID`. */
  readonly prefixFromHost?: string | undefined;
  /** The service's name in the signature's scope; absent for anonymous requests. */
  readonly signingName?: string | undefined;
  /** awsQuery: the form's parameters, where the gateway has read it. */
  readonly form?: QueryParameters | undefined;
}

export interface RoutingMatch {
  readonly service: CompiledService;
  readonly operation: CompiledOperation;
  /** Decoded labels of the path. */
  readonly labels: Readonly<Record<string, string>>;
  /** For `decode`: the query string's parameters, with the form's where it was given. */
  readonly query: QueryParameters;
}

/** Why a request leads to no operation, ready to be written in the form of `service`. */
export interface RoutingFailure {
  /**
   * `form-needed`: an awsQuery service whose Action must stand in the form; read it and match again.
   * `preflight`: what a browser asks of the bucket in `labels`, which leads to no operation.
   */
  readonly kind: 'refused' | 'form-needed' | 'preflight';
  readonly labels?: Readonly<Record<string, string>>;
  readonly service: CompiledService;
  readonly error: ServiceError;
}

export interface Router {
  match(request: RoutedRequest): RoutingMatch | RoutingFailure;
}

type Target = { readonly operation: string; readonly labels: Readonly<Record<string, string>> };
type Matcher = (request: RoutedRequest, query: QueryParameters) => Target | ServiceError | 'form-needed' | undefined;

interface Entry {
  readonly service: CompiledService;
  readonly match: Matcher;
}

const NO_LABELS: Readonly<Record<string, string>> = {};

/**
 * Finds a request's operation as AWS does: the service by the signature's scope, then by `X-Amz-Target` or `Action`;
 * within it by target, action, or path and query. What nothing else claims is S3's.
 */
export function createRouter(services: readonly CompiledService[]): Router {
  const entries = services.map((service): Entry => ({ service, match: matcherOf(service) }));
  const last = entries.find(({ service: { service } }) => isFallback(service)) ?? entries[0];
  if (last === undefined) throw new Error('There are no services to route to.');
  const bySigningName = new Map<string, Entry[]>();
  const apart = entries.filter(({ service: { service } }) => service.requiredHeader !== undefined);
  for (const entry of entries) {
    if (apart.includes(entry)) continue;
    for (const name of entry.service.service.signingNames) {
      bySigningName.set(name, [...(bySigningName.get(name) ?? []), entry]);
    }
  }

  const unsigned = entries.flatMap((entry) => {
    const names = new Set(entry.service.service.unsignedOperations);
    const schemas = entry.service.service.schemas.filter((schema) => names.has(schema[2]));
    return schemas.length === 0 ? [] : [{ entry, match: compileRestRoutes(schemas) }];
  });

  const candidatesFor = (request: RoutedRequest, query: QueryParameters): readonly Entry[] => {
    const own = apart.find((entry) => isOwn(entry.service.service, request));
    if (own !== undefined) return [own];
    if (request.signingName !== undefined) return bySigningName.get(request.signingName) ?? [];
    const target = request.header('x-amz-target');
    if (target !== undefined) {
      const [prefix] = target.split('.');
      const byTarget = entries.filter(({ service }) => service.service.targetPrefix === prefix);
      if (byTarget.length > 0) return byTarget;
    }
    // An unsigned form can only be an awsQuery call: S3's own forms are multipart.
    if (isForm(request) && request.form === undefined) {
      return entries.filter(({ service }) => service.service.protocol === 'awsQuery').slice(0, 1);
    }
    const action = parameter('Action', request, query);
    if (action !== undefined && request.path === '/') {
      const version = parameter('Version', request, query);
      const byAction = entries.filter(
        ({ service }) => service.service.protocol === 'awsQuery' && service.service.apiVersion === version,
      );
      if (byAction.length > 0) return byAction;
    }
    const { method, bucketFromHost } = request;
    const path = routedPath(request);
    const beneath = entries.find(
      ({ service: { service } }) =>
        service.pathPrefix && service.requiredHeader === undefined && path.startsWith(service.pathPrefix),
    );
    if (beneath !== undefined && bucketFromHost === undefined) return [beneath];
    const open = unsigned.find(({ match }) => 'operation' in match(method, path));
    return [open === undefined || bucketFromHost !== undefined ? last : open.entry];
  };

  return {
    match(request) {
      let owner = last;
      try {
        if (!request.path.startsWith('/')) throw new DecodeFailure('The target is no path');
        const query = parseQuery(request.query);
        const candidates = candidatesFor(request, query);
        const [first] = candidates;
        if (first === undefined) return { kind: 'refused', service: last.service, error: unknownService(request) };
        owner = first;
        for (const { service, match } of candidates) {
          const found = match(request, query);
          if (found === undefined) continue;
          if (found === 'form-needed') return { kind: found, service, error: unknownOperation(service, '') };
          if (found instanceof ServiceError) return { kind: 'refused', service, error: found };
          const { labels } = found;
          if (found.operation === PREFLIGHT) {
            return { kind: 'preflight', service, labels, error: unknownOperation(service, PREFLIGHT) };
          }
          const operation = service.operations.get(found.operation);
          if (operation === undefined) {
            return { kind: 'refused', service, error: unknownOperation(service, found.operation) };
          }
          return {
            service,
            operation,
            labels,
            query: request.form === undefined ? query : joined(query, request.form),
          };
        }
        return { kind: 'refused', service: first.service, error: unknownOperation(first.service, '') };
      } catch (error) {
        if (error instanceof ServiceError) return { kind: 'refused', service: owner.service, error };
        if (error instanceof DecodeFailure)
          return { kind: 'refused', service: owner.service, error: invalidUri(owner.service) };
        throw error;
      }
    },
  };
}

function isForm({ method, path, bucketFromHost, ...request }: RoutedRequest): boolean {
  const type = request.header('content-type') ?? '';
  return (
    method === 'POST' &&
    path === '/' &&
    bucketFromHost === undefined &&
    type.startsWith('application/x-www-form-urlencoded')
  );
}

function parameter(name: string, request: RoutedRequest, query: QueryParameters): string | undefined {
  return query.get(name)?.[0] ?? request.form?.get(name)?.[0];
}

function joined(query: QueryParameters, form: QueryParameters): QueryParameters {
  if (query.size === 0) return form;
  const all = new Map(query);
  for (const [name, values] of form) all.set(name, [...(all.get(name) ?? []), ...values]);
  return all;
}

function matcherOf(compiled: CompiledService): Matcher {
  const { protocol, schemas, targetPrefix = '' } = compiled.service;
  switch (protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1':
      return (request) => {
        const target = request.header('x-amz-target') ?? '';
        const dot = target.lastIndexOf('.');
        const prefix = target.slice(0, dot);
        // botocore writes CloudTrail's prefix with its name space in front.
        return prefix === targetPrefix || prefix.endsWith(`.${targetPrefix}`)
          ? { operation: target.slice(dot + 1), labels: NO_LABELS }
          : undefined;
      };
    case 'awsQuery':
      return (request, query) => {
        const action = parameter('Action', request, query);
        if (action !== undefined) return { operation: action, labels: NO_LABELS };
        return request.form === undefined && request.method === 'POST' ? 'form-needed' : undefined;
      };
    case 'restJson1': {
      const match = compileRestRoutes(schemas);
      return (request) => {
        const found = match(request.method, routedPath(request));
        return targetOf(compiled, found);
      };
    }
    case 'restXml': {
      if (compiled.service.requiredHeader !== undefined) {
        const match = compileRestRoutes(schemas);
        return (request) => targetOf(compiled, match(request.method, request.path));
      }
      const match = compileS3Routes(schemas);
      return (request, query) => match(request, query);
    }
  }
}

function targetOf(compiled: CompiledService, found: ReturnType<ReturnType<typeof compileRestRoutes>>) {
  if ('allowed' in found) return compiled.service.errors.unknownRoute?.(found.allowed);
  const labels: Record<string, string> = {};
  for (const [name, raw] of Object.entries(found.labels)) labels[name] = percentDecode(raw);
  return { operation: found.operation, labels };
}

/** Whether what no service claims is this one's. */
export function isFallback({ protocol, requiredHeader }: CompiledService['service']): boolean {
  return protocol === 'restXml' && requiredHeader === undefined;
}

/** Whether a request is one of a service that shares its address with another one. */
function isOwn(
  { requiredHeader = '', pathPrefix = '', signingNames }: CompiledService['service'],
  request: RoutedRequest,
) {
  const { signingName, bucketFromHost, path } = request;
  if (bucketFromHost !== undefined || !path.startsWith(pathPrefix)) return false;
  const isSigned = signingName === undefined || signingNames.includes(signingName);
  return isSigned && request.header(requiredHeader) !== undefined;
}

/** With the API in front that the host names, so that both forms of an address lead to one operation. */
function routedPath({ path, prefixFromHost = '' }: RoutedRequest): string {
  return prefixFromHost + normalizedPath(path);
}

/**
 * INVARIANT: routed is what was signed. The signature is over the path without dot segments and empty ones (all
 * services but S3), so such segments must not lead elsewhere.
 */
function normalizedPath(path: string): string {
  if (!/\/(?:\/|\.{1,2}(?:\/|$))/.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

/** The scope of the signature names a service that this installation does not have. */
function unknownService({ signingName = '' }: RoutedRequest): ServiceError {
  return new ServiceError('UnknownService', 404, `The service '${signingName.slice(0, 64)}' is not known here.`);
}

function unknownOperation({ service }: CompiledService, operation: string): ServiceError {
  const name = operation.slice(0, 128);
  switch (service.protocol) {
    case 'awsQuery':
      return operation === ''
        ? new ServiceError('MissingAction', 400, 'The request must contain the parameter Action.')
        : new ServiceError(
            'InvalidAction',
            400,
            `Could not find operation ${name} for version ${service.apiVersion ?? ''}`,
          );
    case 'restJson1':
      return new ServiceError('UnknownOperationException', 404, 'The requested operation is not known.');
    default:
      return new ServiceError('UnknownOperationException', 400, `The operation '${name}' is not known.`);
  }
}

function invalidUri({ service }: CompiledService): ServiceError {
  return service.protocol === 'restXml'
    ? new ServiceError('InvalidURI', 400, "Couldn't parse the specified URI.")
    : service.errors.malformed('The path or the query can not be decoded.');
}
