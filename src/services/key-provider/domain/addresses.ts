import { addressSeenBy } from '#kernel/client-address.ts';
import type { Region } from '#kernel/ids.ts';
import type { RequestSource } from '#kernel/operation.ts';

/** The one API of an installation, and its one stage: they stand in addresses and in ARNs. */
export const API_ID = 'coffer';
export const STAGE = 'speke';

/** In front of every path of the provider, where the host does not name the API. */
export const PATH_PREFIX = '/_aws/execute-api/';
export const STAGE_PATH = `${PATH_PREFIX}${API_ID}/${STAGE}`;
/** Beneath the stage: where CPIX documents are sent. */
export const DOCUMENTS_PATH = 'copyProtection';

/** An address that is this installation's own key provider. */
export interface OwnAddress {
  /** As the host names it; absent where it does not. */
  readonly region?: Region;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const VIRTUAL_HOST = /^([a-z0-9-]+)\.execute-api(?:\.([a-z]{2,8}(?:-[a-z0-9]+){1,4}))?$/;

/**
 * Tells whether a `spekeKeyProvider.url` is this installation's own key provider, in either form:
 * `https://coffer.execute-api.REGION.amazonaws.com/speke/copyProtection`, or
 * `https://HOST/_aws/execute-api/coffer/speke/copyProtection`.
 *
 * @param domains names under which the installation is reached, beside loopback
 * @returns `undefined` for every other address
 */
export function ownAddressOf(url: string, domains: readonly string[]): OwnAddress | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.search !== '' || parsed.hash !== '') return undefined;
  const { hostname, pathname } = parsed;
  const domain = ['amazonaws.com', ...domains].find((candidate) => hostname.endsWith(`.${candidate}`));
  const virtual = domain === undefined ? null : VIRTUAL_HOST.exec(hostname.slice(0, -domain.length - 1));
  if (virtual !== null) {
    if (virtual[1] !== API_ID || pathname !== `/${STAGE}/${DOCUMENTS_PATH}`) return undefined;
    return virtual[2] === undefined ? {} : { region: virtual[2] as Region };
  }
  const isOwnHost = LOOPBACK.has(hostname) || domains.includes(hostname);
  return isOwnHost && pathname === `${STAGE_PATH}/${DOCUMENTS_PATH}` ? {} : undefined;
}

/** The address of the stage as players can reach it: without a slash at its end. */
export type StageAddress = string;

/**
 * @param configured what the operator says that players use; wins over all else
 * @param endpoint where the server listens, for requests that did not come from a socket
 */
export function stageAddress(
  source: RequestSource,
  configured: string | undefined,
  endpoint: string | undefined,
): StageAddress {
  if (configured !== undefined) return `${configured}${STAGE_PATH}`;
  if (source.authType === 'INTERNAL') return `${endpoint ?? 'http://127.0.0.1:4566'}${STAGE_PATH}`;
  const isVirtual = !source.path.startsWith(PATH_PREFIX);
  return `${addressSeenBy(source)}${isVirtual ? `/${STAGE}` : STAGE_PATH}`;
}

/** What a player asks for a ClearKey licence; `?token=…` goes behind it. */
export function licenceAddress(stage: StageAddress, contentId: string): string {
  return `${stage}/play/${encodeURIComponent(contentId)}/licence`;
}

/** What a player asks for the 16 bytes of a key; `?token=…` goes behind it. */
export function keyAddress(stage: StageAddress, contentId: string, kid: string): string {
  return `${stage}/play/${encodeURIComponent(contentId)}/keys/${kid}`;
}
