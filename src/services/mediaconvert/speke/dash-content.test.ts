import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CpixError } from '#media/cpix/cpix-error.ts';
import { parsedDashContent } from './dash-content.ts';

describe('what a key provider says to DASH players', () => {
  test('has its prefixes declared where the provider has not', () => {
    assert.equal(
      parsedDashContent('<cenc:pssh>AA==</cenc:pssh>'),
      '<cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">AA==</cenc:pssh>',
    );
    const declared = '<cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">AA==</cenc:pssh>';
    assert.equal(parsedDashContent(declared), declared);
    assert.equal(parsedDashContent('<pssh/>'), '<pssh/>');
  });

  test('does not end the element that it stands in, nor declare entities', () => {
    for (const text of ['</ContentProtection>', '<a>', '<!-- --><a/>', '<!DOCTYPE a><a/>', 'a & b']) {
      assert.throws(() => parsedDashContent(text), CpixError, text);
    }
  });

  test('is read in one pass, as it is read where all of the platform runs', () => {
    const begin = performance.now();
    const text = parsedDashContent(`<a b="${'<a:b '.repeat(80_000)}"/>`);
    assert.ok(text.length > 80_000);
    assert.ok(parsedDashContent('<cenc:a/>'.repeat(40_000)).startsWith('<cenc:a xmlns:cenc='));
    assert.ok(performance.now() - begin < 10_000);
  });
});
