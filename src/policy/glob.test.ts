import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Glob } from './glob-symbols.ts';
import { matchesGlob } from './glob.ts';
import { matchesBySegments } from './segment-search.ts';
import { compileTemplate } from './template.ts';

const globOf = (text: string): Glob =>
  compileTemplate(text, { hasWildcards: true, hasVariables: false }).resolve(() => undefined) ?? [];

/** Row by row of the table: which beginnings of the text the pattern so far stands for. */
function isLike(pattern: string, text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, at) => at === 0);
  for (const symbol of pattern) {
    let hasBegun = false;
    row = row.map((before, at) => {
      hasBegun ||= before;
      if (symbol === '*') return hasBegun;
      return at > 0 && row[at - 1] === true && (symbol === '?' || symbol === text[at - 1]);
    });
  }
  return row.at(-1) === true;
}

test('wildcards match as a plain table says, by either search', () => {
  const text = (unit: fc.Arbitrary<string>, maxLength: number) => fc.string({ unit, maxLength });
  fc.assert(
    fc.property(
      text(fc.constantFrom('a', 'b', '*', '?'), 12),
      text(fc.constantFrom('a', 'b', '*'), 12),
      // Long enough for more than a word of bits.
      fc.constantFrom(1, 40),
      (pattern, value, times) => {
        const [longPattern, longValue] = [pattern, value].map((part) => part.replaceAll('a', 'a'.repeat(times)));
        const expected = isLike(longPattern ?? '', longValue ?? '');
        const glob = globOf(longPattern ?? '');
        assert.equal(matchesGlob(glob, longValue ?? ''), expected);
        assert.equal(matchesBySegments(glob, longValue ?? ''), expected);
      },
    ),
    { numRuns: 3000 },
  );
});

test('a hostile pattern and a hostile text take milliseconds', () => {
  const text = 'a'.repeat(16_000);
  const start = performance.now();
  for (const pattern of [
    `*${'a?'.repeat(4000)}b`,
    `*${'a'.repeat(8000)}b*`,
    `${'*a'.repeat(8000)}b`,
    `*${'?'.repeat(15_999)}b*`,
  ]) {
    assert.equal(matchesGlob(globOf(pattern), text), false);
  }
  assert.ok(performance.now() - start < 500, String(performance.now() - start));
});
