import type { Claim } from '#auth/claim.ts';
import type { Authority } from '#kernel/door.ts';
import type { RequestSource } from '#kernel/operation.ts';
import type { ReceivedRequest } from './received-request.ts';

/** How a request from a socket looked. */
export function sourceOf(request: ReceivedRequest, claim: Claim | undefined, now: number): RequestSource {
  const contentSha256 = request.header('x-amz-content-sha256');
  return {
    sourceIp: request.sourceIp,
    userAgent: request.header('user-agent') ?? '',
    isSecure: request.isSecure,
    method: request.method,
    path: request.path,
    host: request.host,
    ...(request.port === undefined ? {} : { port: request.port }),
    authType: claim === undefined ? 'ANONYMOUS' : claim.form === 'query' ? 'REST-QUERY-STRING' : 'REST-HEADER',
    ...(claim === undefined ? {} : { signatureVersion: claim.version }),
    // A signature of version 2 does not say when it was made.
    ...(claim === undefined || claim.version === 'AWS' ? {} : { signatureAge: now - claim.signedAt }),
    ...(contentSha256 === undefined ? {} : { contentSha256 }),
    header: request.header,
  };
}

/** A call between services has no request of its own; it keeps what is known of the one that led to it. */
export function internalSource(authority: Authority): RequestSource {
  return {
    sourceIp: authority.sourceIp ?? authority.via.at(-1) ?? 'coffer.internal',
    userAgent: authority.userAgent ?? authority.via.at(-1) ?? 'coffer.internal',
    isSecure: authority.isSecure ?? true,
    method: 'POST',
    path: '/',
    host: 'coffer.internal',
    authType: 'INTERNAL',
    header: () => undefined,
  };
}
