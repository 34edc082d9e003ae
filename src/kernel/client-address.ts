import type { RequestSource } from './operation.ts';

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/**
 * The address under which a client reached us, for answers that send it on: `http://127.0.0.1:4566`.
 *
 * Behind a proxy that speaks TLS the scheme is the one that the proxy tells. The producer SDKs in C leave the port out
 * of `Host`, whatever it is: without a proxy, a `Host` without a port means the port that they connected to.
 */
export function addressSeenBy(source: RequestSource): string {
  const told = source.header('x-forwarded-proto')?.split(',', 1)[0]?.trim().toLowerCase();
  const scheme = told === 'https' || told === 'http' ? told : source.isSecure ? 'https' : 'http';
  const hasPort = /:\d+$/.test(source.host);
  const isDirect = PROXY_HEADERS.every((name) => source.header(name) === undefined);
  const { port } = source;
  if (hasPort || !isDirect || port === undefined || port === DEFAULT_PORTS[scheme]) return `${scheme}://${source.host}`;
  return `${scheme}://${source.host}:${port}`;
}

const PROXY_HEADERS = ['x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host', 'forwarded', 'via'] as const;
