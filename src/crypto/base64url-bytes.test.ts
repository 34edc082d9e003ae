import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64Url, encodeBase64Url } from './base64url-bytes.ts';

test('says bytes as Node does, and reads them back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64Url(bytes);
      assert.equal(text.toString(), Buffer.from(bytes).toString('base64url'));
      assert.deepEqual(decodeBase64Url(text), Buffer.from(bytes));
    }),
  );
});

test('reads nothing but the one text that stands for some bytes', () => {
  for (const text of ['A', 'AB', 'AAA=', 'AA+A', 'AA A', 'AAAAA']) {
    assert.equal(decodeBase64Url(Buffer.from(text)), undefined, text);
  }
});
