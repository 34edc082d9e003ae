import type { SignedRequest } from './canonical-request.ts';
import { type Claim, headerOf } from './claim.ts';
import { UNSIGNED_PAYLOAD } from './payload-plan.ts';

/** SHA-256 of no bytes. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** One way to understand what a client has signed. */
export interface Reading {
  readonly request: SignedRequest;
  /** What stands for the payload's hash. */
  readonly declared: string;
}

/**
 * What clients may have signed that send a body without end, likeliest first. The producer libraries of Kinesis Video
 * Streams differ: those for C, C++ and Go sign the hash of an empty body and say so in no header; that for Java signs
 * `UNSIGNED-PAYLOAD`, with a header that is not signed, and the host without its port. All of them sign method, path,
 * query, time and the headers that say what the body is for.
 */
export function endlessReadings(claim: Claim, request: SignedRequest): Reading[] {
  const header = headerOf(request, 'x-amz-content-sha256') ?? claim.contentSha256;
  // A header that is signed means what it says.
  const isSaid = header !== undefined && claim.signedHeaders.includes('x-amz-content-sha256');
  const declared = isSaid ? [header] : [...new Set([header ?? EMPTY_SHA256, EMPTY_SHA256, UNSIGNED_PAYLOAD])];
  const requests = [request];
  const host = headerOf(request, 'host');
  const bare = host?.replace(/:\d+$/, '');
  if (bare !== undefined && bare !== host) {
    const headers = request.headers.map(([name, value]) => [name, name === 'host' ? bare : value] as const);
    requests.push({ ...request, headers });
  }
  return requests.flatMap((each) => declared.map((hash) => ({ request: each, declared: hash })));
}
