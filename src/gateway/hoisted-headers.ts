import type { Claim } from '#auth/claim.ts';
import type { ReceivedRequest } from './received-request.ts';

/** Parameters that carry the signature itself. */
const OF_THE_SIGNATURE = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);

/**
 * S3 does not look at checksums in the query, and must not: the JavaScript SDK puts there that of the body which it had
 * when it signed, which is none.
 */
const CHECKSUM = /^x-amz-(?:sdk-)?checksum-/;

/**
 * Signers move `x-amz-` headers into the query of a presigned address, where S3 takes them for the headers that they
 * were. A header of the same name goes before.
 */
export function withHoistedHeaders(request: ReceivedRequest, claim: Claim | undefined): ReceivedRequest {
  if (claim?.form !== 'query' || claim.scope.service !== 's3') return request;
  const merged: Record<string, string> = Object.assign(Object.create(null), request.mergedHeaders);
  for (const [name, value] of new URLSearchParams(request.query)) {
    const header = name.toLowerCase();
    if (!header.startsWith('x-amz-') || OF_THE_SIGNATURE.has(header) || CHECKSUM.test(header)) continue;
    // As bytes, like the headers that came as such.
    merged[header] ??= Buffer.from(value, 'utf8').toString('latin1');
  }
  return { ...request, mergedHeaders: merged, header: (name) => merged[name] };
}
