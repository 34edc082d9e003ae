import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import type { Authority } from '#kernel/door.ts';
import type { Region } from '#kernel/ids.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { GroupKey } from '#media/content-encryption.ts';
import { type KeyOrder, keyOrders } from '../domain/key-orders.ts';
import { type AskProvider, orderKeys } from './content-keys.ts';
import type { OwnProvider } from './own-provider.ts';
import { postDocument, type SpekeAccess } from './post-document.ts';
import { spekeError } from './speke-error.ts';

/** In whose name keys are asked for, and how this server reaches those who have them. */
export interface KeyOrderParts {
  readonly authority: Authority;
  readonly own: OwnProvider;
  readonly access: SpekeAccess;
}

/**
 * Asks for the content keys of all groups that have a key provider. The caller overwrites them.
 *
 * @returns in the groups' order; undefined for groups without one
 * @throws TranscodeError 1091
 */
export async function orderContentKeys(
  settings: JobSettings,
  parts: KeyOrderParts,
): Promise<(readonly GroupKey[] | undefined)[]> {
  const keys: (readonly GroupKey[] | undefined)[] = [];
  try {
    for (const order of keyOrders(settings)) {
      keys.push(order && (await orderKeys(order, askerOf(order, parts))));
    }
    return keys;
  } catch (error) {
    forgetKeys(keys);
    throw error;
  }
}

export function forgetKeys(keys: readonly (readonly GroupKey[] | undefined)[]): void {
  for (const group of keys) for (const { key } of group ?? []) key.fill(0);
}

/** The authority for this installation's own provider; undefined where a job's provider is somebody else's. */
export function ownAuthority(url: string, { own, authority }: Pick<KeyOrderParts, 'own' | 'authority'>) {
  const found = own.find(url);
  return found && { ...authority, region: found.region ?? authority.region };
}

const API_GATEWAY = /^[a-z0-9-]+\.execute-api\.([a-z]{2,8}(?:-[a-z0-9]+){1,4})\.amazonaws\.com(?:\.cn)?$/;

function askerOf({ url }: KeyOrder, parts: KeyOrderParts): AskProvider {
  const authority = ownAuthority(url, parts);
  if (authority !== undefined) {
    return async (document, version) => {
      try {
        return await parts.own.requestContentKeys(document, version, authority);
      } catch (error) {
        if (!(error instanceof ServiceError) || !error.isClientFault) throw error;
        throw spekeError(url, `${error.code}: ${error.message}`);
      }
    };
  }
  // An API's Region stands in its host name; of other hosts it is the job's.
  const region = API_GATEWAY.exec(new URL(url).hostname)?.[1] ?? parts.authority.region;
  return (document, version) => postDocument({ url, region: region as Region }, version, document, parts.access);
}
