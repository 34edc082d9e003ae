import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commonPrefixOf, compareBytes, successorOfPrefix } from './key-range.ts';
import { type FolderSearch, keyWriter, list } from './listing.ts';

const key = fc.string({
  unit: fc.constantFrom('a', 'b', '/', 'é', '\u{ffff}', '\u{1f600}', '\u{10ffff}', ' '),
  maxLength: 6,
});
const nonEmptyKey = key.filter((text) => text !== '');

/** What a listing should say, worked out from all keys at once. */
function expected(keys: readonly string[], prefix: string, delimiter: string | undefined): string[] {
  const names = keys
    .filter((item) => item.startsWith(prefix))
    .map((item) => commonPrefixOf(item, prefix, delimiter) ?? item);
  return [...new Set(names)].toSorted(compareBytes);
}

function source(keys: readonly string[]) {
  const sorted = keys.toSorted(compareBytes);
  return async (from: { key: string; isInclusive: boolean }, end: string | undefined, limit: number) =>
    sorted
      .filter((item) => compareBytes(item, from.key) > (from.isInclusive ? -1 : 0))
      .filter((item) => end === undefined || compareBytes(item, end) < 0)
      .slice(0, limit);
}

/** The first of each folder, up to the first key that is in none; now and then it tells of fewer than there are. */
function foldersOf(keys: readonly string[]) {
  return async ({ prefix, delimiter, from, end, limit }: FolderSearch): Promise<readonly string[]> => {
    const found: string[] = [];
    let before: string | undefined;
    for (const item of await source(keys)({ key: from, isInclusive: true }, end, Number.POSITIVE_INFINITY)) {
      const common = commonPrefixOf(item, prefix, delimiter);
      if (common === undefined) break;
      if (common !== before) found.push(item);
      before = common;
    }
    return found.slice(0, Math.min(limit, keys.length % 5));
  };
}

test('lists every key and common prefix once, in byte order, however it is divided into pages', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(nonEmptyKey, { maxLength: 30 }),
      key,
      fc.constantFrom(undefined, '/', 'a', '//'),
      fc.integer({ min: 1, max: 7 }),
      async (keys, prefix, delimiter, limit) => {
        const found: string[] = [];
        let after: string | undefined;
        for (;;) {
          const page = await list({
            prefix,
            delimiter,
            after,
            limit,
            fetch: source(keys),
            folders: foldersOf(keys),
            keyOf: (row) => row,
          });
          const names = [...page.rows, ...page.commonPrefixes].toSorted(compareBytes);
          assert.ok(names.length <= limit);
          found.push(...names);
          if (!page.isTruncated) break;
          assert.equal(page.last, names.at(-1));
          after = page.last;
        }
        assert.deepEqual(found, expected(keys, prefix, delimiter));
      },
    ),
    { numRuns: 500 },
  );
});

test('begins after any text, whether or not it is a key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(nonEmptyKey, { maxLength: 20 }), key, nonEmptyKey, async (keys, prefix, after) => {
      const page = await list({
        prefix,
        delimiter: undefined,
        after,
        limit: 1000,
        fetch: source(keys),
        folders: foldersOf(keys),
        keyOf: (row) => row,
      });
      const wanted = expected(keys, prefix, undefined).filter((item) => compareBytes(item, after) > 0);
      assert.deepEqual(page.rows, wanted);
    }),
  );
});

test('finds the end of a prefix', () => {
  assert.equal(successorOfPrefix('a/'), 'a0');
  assert.equal(successorOfPrefix('a\u{10ffff}'), 'b');
  assert.equal(successorOfPrefix('\u{10ffff}'), undefined);
  assert.equal(successorOfPrefix('\u{d7ff}'), '\u{e000}');
  fc.assert(
    fc.property(nonEmptyKey, key, (prefix, rest) => {
      const end = successorOfPrefix(prefix);
      assert.ok(end === undefined || compareBytes(prefix + rest, end) < 0);
    }),
  );
});

test('writes keys as S3 does when they are to be encoded', () => {
  const write = keyWriter('url');
  assert.equal(write("a b/c+d&é~'(1)*!"), 'a+b/c%2Bd%26%C3%A9%7E%27%281%29*%21');
  assert.equal(keyWriter(undefined)('a b'), 'a b');
});
