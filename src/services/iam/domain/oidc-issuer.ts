import { formatArn } from '#kernel/arn.ts';

const MAX_LENGTH = 255;

/**
 * The issuer in a provider's URL, as tokens name it in `iss`; `undefined` for what is none: https, without a query, a
 * fragment or a password.
 *
 * @param trustedIssuers what the operator allows: there http is allowed, too
 */
export function readIssuer(url: string, trustedIssuers: readonly string[]): string | undefined {
  if (url.length > MAX_LENGTH || !URL.canParse(url)) return undefined;
  const { protocol, username, password, search, hash, host, pathname } = new URL(url);
  if (username !== '' || password !== '' || search !== '' || hash !== '' || /[?#@\s]/.test(url)) return undefined;
  if (protocol !== 'https:' && !(protocol === 'http:' && isTrustedIssuer(url, trustedIssuers))) return undefined;
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  return `${protocol}//${host}${path}`;
}

/** @param trustedIssuers origins, such as `http://127.0.0.1:9000` */
export function isTrustedIssuer(url: string, trustedIssuers: readonly string[]): boolean {
  return URL.canParse(url) && trustedIssuers.includes(new URL(url).origin);
}

/** How IAM tells an issuer, and how condition keys begin: without the scheme. */
export function issuerName(issuer: string): string {
  return issuer.replace(/^https?:\/\//, '');
}

export function oidcProviderArn(account: string, issuer: string): string {
  return formatArn({ service: 'iam', account, resource: `oidc-provider/${issuerName(issuer)}` });
}
