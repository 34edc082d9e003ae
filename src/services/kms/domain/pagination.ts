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

/** Cuts a list that was read one longer than wanted. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  nameOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly Truncated: boolean; readonly NextMarker?: string } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return items.length > limit && last !== undefined
    ? { items: page, Truncated: true, NextMarker: encodeMarker(nameOf(last)) }
    : { items: page, Truncated: false };
}
