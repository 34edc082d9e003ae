import { decodePageToken, encodePageToken, type PagePlace } from './page-token.ts';

const DEFAULT_PAGE = 20;

interface PageRequest<Item> {
  readonly placeOf: (item: Item) => PagePlace;
  readonly by: 'name' | 'created_at';
  readonly isAscending: boolean;
  readonly limit: number | undefined;
  readonly token: string | undefined;
}

export function pageLimit(limit: number | undefined): number {
  return limit ?? DEFAULT_PAGE;
}

/** One page of a list that is at hand as a whole. */
export function pageOf<Item>(
  all: readonly Item[],
  request: PageRequest<Item>,
): { readonly items: Item[]; readonly nextToken: string | undefined } {
  const { placeOf, by, isAscending, token } = request;
  const compare = (a: PagePlace, b: PagePlace): number => {
    const byTime = by === 'created_at' ? a.createdAt - b.createdAt : 0;
    const order = byTime !== 0 ? byTime : a.id < b.id ? -1 : Number(a.id > b.id);
    return isAscending ? order : -order;
  };
  const after = token === undefined ? undefined : decodePageToken(token);
  const rest = all
    .toSorted((a, b) => compare(placeOf(a), placeOf(b)))
    .filter((item) => after === undefined || compare(placeOf(item), after) > 0);
  return { items: rest.slice(0, pageLimit(request.limit)), nextToken: nextTokenOf(rest, request.limit, placeOf) };
}

/** @param found a page and, if there are more, at least one item beyond it */
export function nextTokenOf<Item>(
  found: readonly Item[],
  limit: number | undefined,
  placeOf: (item: Item) => PagePlace,
): string | undefined {
  const last = found[pageLimit(limit) - 1];
  return found.length > pageLimit(limit) && last !== undefined ? encodePageToken(placeOf(last)) : undefined;
}
