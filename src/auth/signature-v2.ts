import { createHmac } from 'node:crypto';
import { AuthFailure } from './auth-failure.ts';
import type { SignedRequest } from './canonical-request.ts';
import type { Claim } from './claim.ts';
import { isSameSignature } from './signing-key.ts';
import { decodeUriComponent } from './uri-encoding.ts';

// Signature version 2, for presigned addresses alone: the AWS CLI (version 1) and boto3 still make these when nothing is
// configured. A header of that version is refused, as by S3's newer regions.

/** Parameters that are part of the resource (S3 developer guide, "Signing and authenticating REST requests"). */
const SIGNED_PARAMETERS = new Set([
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'delete',
  'inventory',
  'lifecycle',
  'location',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'partNumber',
  'policy',
  'replication',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'select',
  'select-type',
  'storageClass',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

/** What may stand in the query beside them. Anything else is not signed, and could have been added on the way. */
const OWN_PARAMETERS = new Set(['AWSAccessKeyId', 'Signature', 'Expires', 'content-type', 'content-md5', 'x-id']);

type Parameters = readonly (readonly [name: string, value: string | undefined])[];

/** @returns `undefined` when the query is not presigned in this version */
export function readPresignedV2(request: SignedRequest): Claim | undefined {
  const parameters = parametersOf(request.query);
  const find = (name: string) => parameters.find(([candidate]) => candidate === name)?.[1];
  const accessKeyId = find('AWSAccessKeyId');
  const signature = find('Signature');
  if (accessKeyId === undefined || signature === undefined) return undefined;
  const expires = find('Expires');
  if (expires === undefined || !/^\d{1,12}$/.test(expires)) {
    throw new AuthFailure(
      'missing-token',
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    );
  }
  const stray = parameters.find(
    ([name]) => !SIGNED_PARAMETERS.has(name) && !OWN_PARAMETERS.has(name) && !/^x-amz-/i.test(name),
  );
  if (stray !== undefined) throw mismatch(accessKeyId);
  return {
    version: 'AWS',
    form: 'query',
    scope: { accessKeyId, date: '', region: '', service: 's3' },
    signedHeaders: [],
    signature,
    timestamp: expires,
    signedAt: Number(expires) * 1000,
    expires: 0,
    sessionToken: find('x-amz-security-token'),
    contentSha256: undefined,
  };
}

/**
 * INVARIANT: returns only when the signature is the one that the secret makes over the request.
 *
 * @throws AuthFailure
 */
export function verifyV2(claim: Claim, request: SignedRequest, secretAccessKey: string): void {
  const text = stringToSign(claim, request);
  const expected = createHmac('sha1', secretAccessKey).update(Buffer.from(text, 'latin1')).digest('base64');
  if (!isSameSignature(expected, claim.signature)) throw mismatch(claim.scope.accessKeyId);
}

function stringToSign(claim: Claim, request: SignedRequest): string {
  const parameters = parametersOf(request.query);
  const values = new Map<string, string[]>();
  const headers = [
    ...request.headers,
    ...parameters.map(([name, value]) => [name.toLowerCase(), value ?? ''] as const),
  ];
  for (const [name, value] of headers) {
    if (name.startsWith('x-amz-'))
      values.set(name, [...(values.get(name) ?? []), value.replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
  const amzHeaders = [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, all]) => `${name}:${all.join(',')}\n`);
  const resource = parameters
    .filter(([name]) => SIGNED_PARAMETERS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === undefined ? name : `${name}=${value}`))
    .join('&');
  const bucket = request.bucketFromHost === undefined ? '' : `/${request.bucketFromHost}`;
  const header = (wanted: string) => request.headers.find(([name]) => name === wanted)?.[1] ?? '';
  return [
    request.method,
    header('content-md5'),
    header('content-type'),
    claim.timestamp,
    `${amzHeaders.join('')}${bucket}${request.path}${resource === '' ? '' : `?${resource}`}`,
  ].join('\n');
}

function parametersOf(query: string): Parameters {
  const decode = (text: string) => decodeUriComponent(text.replaceAll('+', '%20'));
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [decode(part), undefined] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

function mismatch(accessKeyId: string): AuthFailure {
  return new AuthFailure(
    'signature-mismatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    { AWSAccessKeyId: accessKeyId },
  );
}
