import type { AccessRefusal, Authority } from '#kernel/door.ts';
import type { Region } from '#kernel/ids.ts';
import type { SpekeVersion } from '#media/cpix/document.ts';

/** The key provider that comes with this installation, which is asked through the door instead of a socket. */
export interface OwnProvider {
  /** @returns undefined for an address of somebody else's; the Region where the address names it */
  find(url: string): { readonly region?: Region } | undefined;
  /** @throws ServiceError as it answers */
  requestContentKeys(document: string, version: SpekeVersion, authority: Authority): Promise<Buffer>;
  /** What of a request would be refused. */
  refusals(authority: Authority): Promise<readonly AccessRefusal[]>;
}
