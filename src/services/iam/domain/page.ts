import { validation } from '../errors.ts';

const DEFAULT_MAX_ITEMS = 100;

interface PageRequest {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

/** Where a page begins and how long it is. */
export interface Page {
  /** The key of the last item of the page before; empty for the first page. */
  readonly after: string;
  readonly limit: number;
}

/** @throws ServiceError ValidationError for a marker that did not come from here */
export function pageOf(input: PageRequest): Page {
  const limit = input.MaxItems ?? DEFAULT_MAX_ITEMS;
  if (input.Marker === undefined) return { after: '', limit };
  const after = Buffer.from(input.Marker, 'base64url').toString();
  if (after === '' || markerOf(after) !== input.Marker) throw validation('Invalid Marker.');
  return { after, limit };
}

/**
 * Cuts a page out of items that were read with one more than the limit.
 * @param keyOf what orders the items
 */
export function cutPage<Item>(
  items: readonly Item[],
  { limit }: Page,
  keyOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly IsTruncated: boolean; readonly Marker?: string } {
  const last = items[limit - 1];
  if (items.length <= limit || last === undefined) return { items, IsTruncated: false };
  return { items: items.slice(0, limit), IsTruncated: true, Marker: markerOf(keyOf(last)) };
}

/** A page of a list that is whole in memory and ordered by `keyOf`. */
export function pageOfList<Item>(
  items: readonly Item[],
  input: PageRequest,
  keyOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly IsTruncated: boolean; readonly Marker?: string } {
  const page = pageOf(input);
  const rest = items.filter((item) => keyOf(item) > page.after).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return cutPage(rest, page, keyOf);
}

function markerOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}
