/** Where the proxy of an endpoint is asked, where that is not the public address of its name. An operator's setting. */
export interface XksRoute {
  /** The endpoint's host, in lower case. */
  readonly host: string;
  /** Asked in its place; the host's own name, with a private address allowed, where there is none. */
  readonly address: URL | undefined;
}

const HOST = /^[a-z0-9.-]+$/;

/**
 * Reads `xks.example` (which may be at a private address), `xks.example=https://10.1.2.3:8443`, or, on this machine
 * alone, `xks.example=http://127.0.0.1:9000`.
 *
 * @throws RangeError
 */
export function readXksRoute(text: string): XksRoute {
  const [name = '', target, ...rest] = text.trim().split('=');
  const host = name.toLowerCase();
  const address = target === undefined ? undefined : URL.parse(target);
  if (HOST.test(host) && rest.length === 0 && address !== null && (address === undefined || isAddress(address))) {
    return { host, address };
  }
  throw new RangeError(
    `a list such as xks.example,other.example=https://10.1.2.3:8443,local.example=http://127.0.0.1:9000 is meant, not '${text}'.`,
  );
}

/** Without TLS only what does not leave this machine. */
function isAddress(url: URL): boolean {
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.href === `${url.origin}/` && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback));
}
