import { invalidMarker } from '../errors.ts';

/** Markers are opaque to clients: the last item's name in base64url behind a version. */
function encodeMarker(last: string): string {
  return Buffer.from(`1:${last}`).toString('base64url');
}

/** @throws ServiceError InvalidMarkerException */
export function decodeMarker(marker: string | undefined): string {
  if (marker === undefined) return '';
  const text = Buffer.from(marker, 'base64url').toString();
  if (!text.startsWith('1:')) throw invalidMarker();
  return text.slice(2);
}

/**
 * Reads one page of a list, for a request with a limit and a marker.
 *
 * @param read reads at most `count` items after the one of a name, in the order of their names
 * @throws ServiceError InvalidMarkerException
 */
export async function readPage<Item>(
  { Limit, Marker }: { readonly Limit?: number | undefined; readonly Marker?: string | undefined },
  usual: { readonly limit: number; readonly most?: number },
  read: (after: string, count: number) => Promise<readonly Item[]>,
  nameOf: (item: Item) => string,
): Promise<Page<Item>> {
  const limit = Math.min(Limit ?? usual.limit, usual.most ?? Number.POSITIVE_INFINITY);
  return pageOf(await read(decodeMarker(Marker), limit + 1), limit, nameOf);
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

/** Cuts a list that was read one longer than wanted. */
export function pageOf<Item>(items: readonly Item[], limit: number, nameOf: (item: Item) => string): Page<Item> {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return items.length > limit && last !== undefined
    ? { items: page, Truncated: true, NextMarker: encodeMarker(nameOf(last)) }
    : { items: page, Truncated: false };
}
