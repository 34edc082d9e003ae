import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { SignedRequest } from '#auth/canonical-request.ts';

/** A request's head as it came from the socket, before anything is known about it. */
export interface ReceivedRequest extends SignedRequest {
  /** `host` as received. */
  readonly host: string;
  /** The bucket that a virtual-hosted request names in its host. */
  readonly bucketFromHost: string | undefined;
  /** The bucket whose website the host names. */
  readonly websiteFromHost: string | undefined;
  /** What stands before the path where the host names an API: `/_aws/execute-api/ID`. */
  readonly prefixFromHost: string | undefined;
  readonly sourceIp: string;
  /** The port of this server that the connection came in by. */
  readonly port: number | undefined;
  readonly isSecure: boolean;
  /** Headers by their lower-case names; several of one name are joined by `,`. */
  readonly mergedHeaders: Readonly<Record<string, string>>;
  /** A header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
}

/**
 * @param domains host names under which buckets may stand: `bucket.s3.DOMAIN`, `bucket.s3.REGION.DOMAIN`
 */
export function readRequest(message: IncomingMessage, domains: readonly string[]): ReceivedRequest {
  const headers: (readonly [string, string])[] = [];
  const merged: Record<string, string> = Object.create(null);
  const raw = message.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    headers.push([name, value]);
    const before = merged[name];
    merged[name] = before === undefined ? value : `${before},${value}`;
  }
  // A client behind a proxy names the whole address (RFC 9112, 3.2.2); the host that counts is the signed one.
  const target = (message.url ?? '/').replace(/^https?:\/\/[^/?#]*(?=[/?#]|$)/i, '') || '/';
  const question = target.indexOf('?');
  const host = merged['host'] ?? '';
  return {
    method: message.method ?? 'GET',
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    headers,
    host,
    bucketFromHost: bucketOfHost(host, domains),
    websiteFromHost: websiteOfHost(host, domains),
    prefixFromHost: prefixOfHost(host, domains),
    sourceIp: (message.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
    port: message.socket.localPort,
    isSecure: 'encrypted' in message.socket && message.socket.encrypted === true,
    mergedHeaders: merged,
    header: (name) => merged[name],
  };
}

/** `bucket.s3.localhost:4566`, `bucket.s3.eu-west-1.localhost` → `bucket`. Buckets may have dots in their names. */
function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (isIP(name) !== 0 || name.startsWith('[')) return undefined;
  for (const domain of domains) {
    if (!name.endsWith(`.${domain}`)) continue;
    const front = name.slice(0, -domain.length - 1);
    const match = /^(.+)\.s3(?:[.-](?:[a-z]{2,8}(?:-[a-z0-9]+){1,4}))?$/.exec(front);
    if (match?.[1] !== undefined) return match[1];
  }
  return undefined;
}

/** `bucket.s3-website.localhost`, `bucket.s3-website-eu-west-1.localhost`, `bucket.s3-website.eu-west-1.localhost` → `bucket`. */
function websiteOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const domain = domains.find((candidate) => name.endsWith(`.${candidate}`));
  if (domain === undefined) return undefined;
  const front = name.slice(0, -domain.length - 1);
  return /^(.+)\.s3-website(?:[.-][a-z]{2,8}(?:-[a-z0-9]+){1,4})?$/.exec(front)?.[1];
}

/** `coffer.execute-api.eu-west-1.amazonaws.com`, `coffer.execute-api.localhost:4566` → `/_aws/execute-api/coffer`. */
function prefixOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const domain = ['amazonaws.com', ...domains].find((candidate) => name.endsWith(`.${candidate}`));
  if (domain === undefined) return undefined;
  const match = /^([a-z0-9]{1,32})\.execute-api(?:\.([a-z]{2,8}(?:-[a-z0-9]+){1,4}))?$/.exec(
    name.slice(0, -domain.length - 1),
  );
  return match?.[1] === undefined ? undefined : `/_aws/execute-api/${match[1]}`;
}
