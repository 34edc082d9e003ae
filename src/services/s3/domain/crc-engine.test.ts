import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { crc32, crc32c, crc64Nvme } from './crc-engine.ts';

const CHECK = Buffer.from('123456789');

test('gives the published check values', () => {
  assert.equal(crc32.update(0n, CHECK), 0xcbf43926n);
  assert.equal(crc32c.update(0n, CHECK), 0xe3069283n);
  assert.equal(crc64Nvme.update(0n, CHECK), 0xae8b14860a799888n);
});

test('agrees with zlib on any data in any pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (data, cut) => {
      const [head, tail] = [data.subarray(0, cut), data.subarray(cut)];
      assert.equal(crc32.update(crc32.update(0n, head), tail), BigInt(zlibCrc32(data)));
    }),
  );
});

test('spans more than its working memory', () => {
  const data = Buffer.alloc(700_001, 'coffer');
  assert.equal(crc32.update(0n, data), BigInt(zlibCrc32(data)));
});

test('combines the values of two texts into that of both', () => {
  for (const algorithm of [crc32, crc32c, crc64Nvme]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 80 }), (first, second) => {
        const whole = algorithm.update(0n, Buffer.concat([first, second]));
        const combined = algorithm.combine(algorithm.update(0n, first), algorithm.update(0n, second), second.length);
        assert.equal(combined, whole);
      }),
    );
  }
});
