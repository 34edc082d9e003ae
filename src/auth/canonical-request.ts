import { createHash } from 'node:crypto';
import { encodeUriComponent, recodeUriComponent } from './uri-encoding.ts';

/** What of a request its signature covers. Headers are as received: names in lower case, in order, not merged. */
export interface SignedRequest {
  readonly method: string;
  /** As received, still percent-encoded, without the query. */
  readonly path: string;
  /** As received, without the question mark. */
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * The canonical request of SigV4 (IAM user guide, "Create a signed AWS API request").
 *
 * @param omittedQuery the parameter that carries the signature itself, for presigned requests
 * @returns `undefined` when a signed header is not in the request
 */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
  isS3: boolean,
  omittedQuery?: string,
): string | undefined {
  const headers = canonicalHeaders(request.headers, signedHeaders);
  if (headers === undefined) return undefined;
  return [
    request.method,
    isS3 ? canonicalS3Path(request.path) : canonicalPath(request.path),
    canonicalQuery(request.query, omittedQuery),
    headers,
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** S3 signs the path encoded once, and neither removes dots nor joins slashes. */
function canonicalS3Path(path: string): string {
  return path.split('/').map(recodeUriComponent).join('/');
}

/** All other services sign the path normalised and encoded once more. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(encodeUriComponent(segment));
  }
  const isFolder = kept.length > 0 && path.endsWith('/');
  return `/${kept.join('/')}${isFolder ? '/' : ''}`;
}

function canonicalQuery(query: string, omitted: string | undefined): string {
  if (query === '') return '';
  const pairs: string[] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = recodeUriComponent(equals < 0 ? part : part.slice(0, equals));
    if (name === omitted) continue;
    pairs.push(`${name}=${equals < 0 ? '' : recodeUriComponent(part.slice(equals + 1))}`);
  }
  // By name and then by value: '=' sorts below every encoded character but '-' and '.', so names must be compared alone.
  return pairs.sort(byNameAndValue).join('&');
}

function byNameAndValue(left: string, right: string): number {
  const leftEquals = left.indexOf('=');
  const rightEquals = right.indexOf('=');
  const leftName = left.slice(0, leftEquals);
  const rightName = right.slice(0, rightEquals);
  if (leftName !== rightName) return leftName < rightName ? -1 : 1;
  const leftValue = left.slice(leftEquals);
  const rightValue = right.slice(rightEquals);
  return leftValue < rightValue ? -1 : leftValue > rightValue ? 1 : 0;
}

function canonicalHeaders(headers: SignedRequest['headers'], signed: readonly string[]): string | undefined {
  let result = '';
  for (const name of signed) {
    let value: string | undefined;
    for (const [candidate, raw] of headers) {
      if (candidate !== name) continue;
      const trimmed = raw.trim().replace(/ {2,}/g, ' ');
      value = value === undefined ? trimmed : `${value},${trimmed}`;
    }
    if (value === undefined) return undefined;
    result += `${name}:${value}\n`;
  }
  return result;
}
