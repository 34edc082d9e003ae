import { AuthFailure } from './auth-failure.ts';
import type { SignedRequest } from './canonical-request.ts';
import { readPresignedV2 } from './signature-v2.ts';
import { ALGORITHM, type CredentialScope, parseCredential } from './signing-key.ts';
import { decodeUriComponent } from './uri-encoding.ts';

/** What a request says of its signature, read but not verified. */
export interface Claim {
  /** `AWS` is signature version 2, which only presigned addresses of S3 may have. */
  readonly version: 'AWS4-HMAC-SHA256' | 'AWS';
  readonly form: 'header' | 'query';
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
  /** The timestamp in milliseconds since the epoch. */
  readonly signedAt: number;
  /** Seconds, for the query form. */
  readonly expires: number | undefined;
  readonly sessionToken: string | undefined;
  /** The payload's hash (or what stands for it) as a presigned address names it. */
  readonly contentSha256: string | undefined;
}

const MAX_PRESIGNED_SECONDS = 604_800;

/**
 * Reads the SigV4 claim of a request.
 *
 * @returns `undefined` for an anonymous request
 * @throws AuthFailure when there is a claim that is not in the right form
 */
export function readClaim(request: SignedRequest): Claim | undefined {
  refuseRepeatedHeaders(request);
  const authorization = headerOf(request, 'authorization');
  const isPresigned = /(^|&)X-Amz-(Algorithm|Signature|Credential)=/.test(request.query);
  if (authorization !== undefined) {
    if (isPresigned) {
      throw new AuthFailure(
        'two-mechanisms',
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
        { ArgumentName: 'Authorization', ArgumentValue: authorization },
      );
    }
    return readHeaderClaim(request, authorization);
  }
  if (isPresigned) return readQueryClaim(request);
  return readPresignedV2(request);
}

/** The service that a claim names, also one that cannot be read: in whose words it is refused. */
export function claimedService(request: SignedRequest): string | undefined {
  const text = headerOf(request, 'authorization') ?? decodeUriComponent(request.query);
  return /Credential=[^/,&\s]*\/[^/,&\s]*\/[^/,&\s]*\/([a-z0-9-]{1,64})(?:\/|$)/.exec(text)?.[1];
}

/** Of these a request has one: which of two would count differs between clients, proxies and servers. */
const SINGLE_HEADERS = new Set([
  'host',
  'authorization',
  'date',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-target',
]);

function refuseRepeatedHeaders(request: SignedRequest): void {
  const seen = new Set<string>();
  for (const [name] of request.headers) {
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new AuthFailure('repeated-header', `The header '${name}' must not be repeated.`);
    seen.add(name);
  }
}

function unsupportedSignature(): AuthFailure {
  return new AuthFailure(
    'unsupported-signature',
    `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
  );
}

export function headerOf(request: SignedRequest, name: string): string | undefined {
  let value: string | undefined;
  for (const [candidate, raw] of request.headers) {
    if (candidate === name) value = value === undefined ? raw : `${value},${raw}`;
  }
  return value;
}

function readHeaderClaim(request: SignedRequest, authorization: string): Claim {
  const space = authorization.indexOf(' ');
  const algorithm = space < 0 ? authorization : authorization.slice(0, space);
  if (algorithm === 'AWS' || (algorithm !== ALGORITHM && algorithm.startsWith('AWS4-'))) throw unsupportedSignature();
  if (algorithm !== ALGORITHM) {
    throw new AuthFailure('unsupported-scheme', 'Unsupported Authorization Type', {
      ArgumentName: 'Authorization',
      ArgumentValue: authorization,
    });
  }
  const fields = new Map<string, string>();
  for (const part of authorization.slice(space + 1).split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !fields.get(name));
  if (missing.length > 0) {
    throw new AuthFailure(
      'malformed',
      missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' '),
    );
  }
  const timestamp = headerOf(request, 'x-amz-date') ?? fromHttpDate(headerOf(request, 'date'));
  if (timestamp === undefined) {
    throw new AuthFailure(
      'malformed',
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    );
  }
  return makeClaim('header', {
    credential: fields.get('Credential') ?? '',
    signedHeaders: fields.get('SignedHeaders') ?? '',
    signature: fields.get('Signature') ?? '',
    timestamp,
    expires: undefined,
    sessionToken: headerOf(request, 'x-amz-security-token'),
    contentSha256: undefined,
  });
}

function readQueryClaim(request: SignedRequest): Claim {
  const query = new Map<string, string>();
  for (const part of request.query.split('&')) {
    const equals = part.indexOf('=');
    if (equals > 0) query.set(decodeUriComponent(part.slice(0, equals)), decodeUriComponent(part.slice(equals + 1)));
  }
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) {
    throw new AuthFailure('malformed-query', `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  for (const name of ['X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-SignedHeaders']) {
    if (!query.get(name)) throw incompleteQuery();
  }
  const claim = makeClaim('query', {
    credential: query.get('X-Amz-Credential') ?? '',
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
    signature: query.get('X-Amz-Signature') ?? '',
    timestamp: query.get('X-Amz-Date') ?? '',
    expires: readExpires(query.get('X-Amz-Expires')),
    sessionToken: query.get('X-Amz-Security-Token') ?? headerOf(request, 'x-amz-security-token'),
    contentSha256: query.get('X-Amz-Content-Sha256'),
  });
  if (claim.expires === undefined && claim.scope.service === 's3') throw incompleteQuery();
  return claim;
}

function incompleteQuery(): AuthFailure {
  return new AuthFailure(
    'malformed-query',
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, ' +
      'X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
  );
}

function readExpires(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,12}$/.test(text)) throw new AuthFailure('malformed-query', 'X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds < 0) throw new AuthFailure('malformed-query', 'X-Amz-Expires must be non-negative');
  if (seconds > MAX_PRESIGNED_SECONDS) {
    throw new AuthFailure(
      'malformed-query',
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_PRESIGNED_SECONDS} seconds`,
    );
  }
  return seconds;
}

function makeClaim(
  form: Claim['form'],
  parts: {
    readonly credential: string;
    readonly signedHeaders: string;
    readonly signature: string;
    readonly timestamp: string;
    readonly expires: number | undefined;
    readonly sessionToken: string | undefined;
    readonly contentSha256: string | undefined;
  },
): Claim {
  const kind = form === 'query' ? 'malformed-query' : 'malformed';
  const scope = parseCredential(parts.credential);
  if (scope === undefined) {
    throw new AuthFailure(
      kind,
      form === 'query'
        ? 'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        : 'The authorization header is malformed; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  const signedAt = parseTimestamp(parts.timestamp);
  if (signedAt === undefined) {
    throw new AuthFailure(kind, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (!parts.timestamp.startsWith(scope.date)) {
    throw new AuthFailure(
      form === 'query' ? 'wrong-scope-query' : 'wrong-scope',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${parts.timestamp.slice(0, 8)}', from '${parts.timestamp}'.`,
    );
  }
  const signedHeaders = parts.signedHeaders.toLowerCase().split(';');
  if (!signedHeaders.includes('host')) {
    throw new AuthFailure(kind, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const { credential: _credential, ...rest } = parts;
  return { ...rest, version: ALGORITHM, form, scope, signedHeaders, signedAt };
}

const TIMESTAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** The one that came last: many requests are signed in one second. */
let lastTimestamp: { readonly text: string; readonly time: number | undefined } = { text: '', time: undefined };

function parseTimestamp(text: string): number | undefined {
  if (text !== lastTimestamp.text) lastTimestamp = { text, time: readTimestamp(text) };
  return lastTimestamp.time;
}

function readTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const time = Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0);
  return formatTimestamp(time) === text ? time : undefined;
}

/** `YYYYMMDDTHHMMSSZ` */
export function formatTimestamp(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function fromHttpDate(date: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  if (TIMESTAMP.test(date)) return date;
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : formatTimestamp(time);
}
