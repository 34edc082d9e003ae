import { hash } from 'node:crypto';
import { encodeUriComponent, recodeUriComponent } from './uri-encoding.ts';

/** What of a request its signature covers. Headers are as received: names in lower case, in order, not merged. */
export interface SignedRequest {
  readonly method: string;
  /** As received, still percent-encoded, without the query. */
  readonly path: string;
  /** As received, without the question mark. */
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The bucket that a virtual-hosted request names in its host. */
  readonly bucketFromHost?: string | undefined;
}

/**
 * The canonical request of SigV4 (IAM user guide, "Create a signed AWS API request").
 *
 * One character of the result is one byte.
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

/** @param canonical one character a byte, so that headers count with the bytes that were received */
export function canonicalHash(canonical: string): string {
  return sha256Hex(Buffer.from(canonical, 'latin1'));
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** S3 signs the path encoded once, and neither removes dots nor joins slashes. */
function canonicalS3Path(path: string): string {
  return path.split('/').map(recodeUriComponent).join('/');
}

/** All other services sign the path normalised (RFC 3986, 6) and encoded once more. */
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

/**
 * A part of the query, where `+` stands for a space.
 *
 * INVARIANT: what is signed is what `protocol/query-parameters.ts` reads, or a signed plus could become a space.
 */
function recodeQueryPart(text: string): string {
  return recodeUriComponent(text.includes('+') ? text.replaceAll('+', '%20') : text);
}

function canonicalQuery(query: string, omitted: string | undefined): string {
  if (query === '') return '';
  const pairs: string[] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = recodeQueryPart(equals < 0 ? part : part.slice(0, equals));
    if (name === omitted) continue;
    pairs.push(`${name}=${equals < 0 ? '' : recodeQueryPart(part.slice(equals + 1))}`);
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
      // Not `trim()`: it would take the last byte of a character in UTF-8 for a space.
      const trimmed = raw.replace(/^[ \t]+|[ \t]+$/g, '').replace(/[ \t]+/g, ' ');
      value = value === undefined ? trimmed : `${value},${trimmed}`;
    }
    if (value === undefined) return undefined;
    result += `${name}:${value}\n`;
  }
  return result;
}
