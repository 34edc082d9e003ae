import { commonPrefixOf, compareBytes, successorOfPrefix } from './key-range.ts';

/** One answer of a listing. */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The last key or common prefix of the answer. */
  readonly last: string | undefined;
  /** The last row, when it was the last thing listed. */
  readonly lastRow: Row | undefined;
}

/** Where folders are looked for: what has the prefix, and the delimiter behind it. */
export interface FolderSearch {
  readonly prefix: string;
  readonly delimiter: string;
  /** The first key that counts. */
  readonly from: string;
  /** The first that does not. */
  readonly end: string | undefined;
  readonly limit: number;
}

export interface ListingRequest<Row> {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** Keys up to this one, and everything under it when it is a common prefix, were listed before. */
  readonly after: string | undefined;
  readonly limit: number;
  /** Rows in the order of their keys, from a key (inclusive or not) to before `end`. */
  readonly fetch: (
    from: { readonly key: string; readonly isInclusive: boolean; readonly isFirst: boolean },
    end: string | undefined,
    limit: number,
  ) => Promise<readonly Row[]>;
  /**
   * The first key of each folder from a key on, as long as one folder follows another, in one step for all of them. They
   * need not be all: `fetch` finds what is left out.
   */
  readonly folders: (search: FolderSearch) => Promise<readonly string[]>;
  readonly keyOf: (row: Row) => string;
}

/** What is fetched at once: a whole answer, and one more, which tells whether there is more. */
const PAGE = 1001;
/** With a delimiter: at first, and behind a common prefix. It grows for as long as no common prefix comes. */
const FIRST_PAGE_OF_FOLDERS = 2;

/**
 * Lists keys and common prefixes together in byte order. Past a common prefix it jumps: a folder of a million keys
 * costs one step, which reads two of them.
 */
export async function list<Row>(request: ListingRequest<Row>): Promise<Listing<Row>> {
  const { prefix, delimiter, limit, keyOf } = request;
  const end = prefix === '' ? undefined : successorOfPrefix(prefix);
  const rows: Row[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  let lastRow: Row | undefined;
  let from: { key: string; isInclusive: boolean; isFirst: boolean } | undefined = startOf(request);
  if (limit === 0) return { rows, commonPrefixes, isTruncated: false, last, lastRow };
  const firstPage = delimiter === undefined || delimiter === '' ? PAGE : FIRST_PAGE_OF_FOLDERS;
  let bound = firstPage;
  for (;;) {
    if (from === undefined) return { rows, commonPrefixes, isTruncated: false, last, lastRow };
    const pageSize = Math.min(bound, limit - rows.length - commonPrefixes.length + 1);
    const page = await request.fetch(from, end, pageSize);
    let jump: string | undefined;
    for (const row of page) {
      const key = keyOf(row);
      const isFull = rows.length + commonPrefixes.length >= limit;
      if (isFull) return { rows, commonPrefixes, isTruncated: true, last, lastRow };
      const common = commonPrefixOf(key, prefix, delimiter);
      if (common === undefined) {
        rows.push(row);
        last = key;
        lastRow = row;
        continue;
      }
      commonPrefixes.push(common);
      last = common;
      lastRow = undefined;
      jump = common;
      break;
    }
    if (jump !== undefined) {
      let next = successorOfPrefix(jump);
      const left = limit - rows.length - commonPrefixes.length;
      const isMore = next !== undefined && delimiter !== undefined;
      const more = isMore ? await request.folders({ prefix, delimiter, from: next ?? '', end, limit: left + 1 }) : [];
      for (const key of more) {
        if (rows.length + commonPrefixes.length >= limit) {
          return { rows, commonPrefixes, isTruncated: true, last, lastRow };
        }
        const common = commonPrefixOf(key, prefix, delimiter);
        if (common === undefined) break;
        commonPrefixes.push(common);
        last = common;
        next = successorOfPrefix(common);
      }
      bound = firstPage;
      from = next === undefined ? undefined : { key: next, isInclusive: true, isFirst: false };
      continue;
    }
    if (page.length < pageSize) return { rows, commonPrefixes, isTruncated: false, last, lastRow };
    bound = Math.min(PAGE, bound * 2);
    const lastOfPage = page.at(-1);
    from = lastOfPage === undefined ? undefined : { key: keyOf(lastOfPage), isInclusive: false, isFirst: false };
  }
}

function startOf<Row>(
  request: ListingRequest<Row>,
): { key: string; isInclusive: boolean; isFirst: boolean } | undefined {
  const { prefix, delimiter, after } = request;
  if (after === undefined || compareBytes(after, prefix) < 0) return { key: prefix, isInclusive: true, isFirst: true };
  const common = after.startsWith(prefix) ? commonPrefixOf(after, prefix, delimiter) : undefined;
  // What was listed as a common prefix is done with as a whole.
  if (common === undefined || common !== after) return { key: after, isInclusive: false, isFirst: true };
  const next = successorOfPrefix(common);
  return next === undefined ? undefined : { key: next, isInclusive: true, isFirst: false };
}

/** How keys are written in an answer: as they are, or percent-encoded where the request wants it. */
export function keyWriter(encodingType: string | undefined): (key: string) => string {
  if (encodingType !== 'url') return (key) => key;
  // As S3 does it: slashes stay, and a space is a plus sign.
  return (key) =>
    encodeURIComponent(key)
      .replaceAll('%2F', '/')
      .replaceAll('%20', '+')
      .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
