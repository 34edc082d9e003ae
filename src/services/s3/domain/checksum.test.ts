import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHECKSUM_NAMES, combineChecksums, compositeChecksum, isChecksumText, startChecksum } from './checksum.ts';

function checksumOf(name: (typeof CHECKSUM_NAMES)[number], ...pieces: readonly Uint8Array[]): string {
  const checksum = startChecksum(name);
  for (const piece of pieces) checksum.update(piece);
  return checksum.digest();
}

test('gives the published check values of "123456789"', () => {
  const text = Buffer.from('123456789');
  assert.equal(checksumOf('CRC32', text), 'y/Q5Jg==');
  assert.equal(checksumOf('CRC32C', text), '4waSgw==');
  assert.equal(checksumOf('CRC64NVME', text), 'rosUhgp5mIg=');
  assert.equal(checksumOf('SHA256', text), createHash('sha256').update(text).digest('base64'));
});

test('gives xxHash’s own values, with seed 0 and the big end first', () => {
  const hex = (name: (typeof CHECKSUM_NAMES)[number], text: string): string =>
    Buffer.from(checksumOf(name, Buffer.from(text)), 'base64').toString('hex');
  assert.deepEqual([hex('XXHASH64', ''), hex('XXHASH64', 'a')], ['ef46db3751d8e999', 'd24ec4f1a98c6e5b']);
  assert.deepEqual([hex('XXHASH3', ''), hex('XXHASH3', 'a')], ['2d06800538d394c2', 'e6c632b61e964e1f']);
  assert.equal(hex('XXHASH128', ''), '99aa06d3014798d86001c324468d497f');
  assert.equal(hex('XXHASH128', 'a'), 'a96faf705af16834e6c632b61e964e1f');
});

test('computes many at once, each by itself', () => {
  for (const name of CHECKSUM_NAMES) {
    const [one, other] = [startChecksum(name), startChecksum(name)];
    for (let turn = 0; turn < 9; turn += 1) {
      one.update(Buffer.alloc(100_003, turn));
      other.update(Buffer.alloc(turn, 'b'));
    }
    const whole = Buffer.concat(Array.from({ length: 9 }, (_, turn) => Buffer.alloc(100_003, turn)));
    assert.equal(one.digest(), checksumOf(name, whole), name);
    assert.equal(other.digest(), checksumOf(name, Buffer.alloc(36, 'b')), name);
  }
});

test('does not depend on how the text is cut', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CHECKSUM_NAMES), fc.uint8Array(), fc.nat(50), (name, text, cut) => {
      const whole = checksumOf(name, text);
      assert.equal(checksumOf(name, text.subarray(0, cut), text.subarray(cut)), whole);
      assert.ok(isChecksumText(name, whole));
    }),
  );
});

test('combines the parts of an object into the value of the whole', () => {
  const parts = [Buffer.alloc(1000, 1), Buffer.alloc(1, 2), Buffer.alloc(70_000, 3)];
  for (const name of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
    const combined = combineChecksums(
      name,
      parts.map((part) => ({ value: checksumOf(name, part), size: part.length })),
    );
    assert.equal(combined, checksumOf(name, ...parts), name);
  }
  assert.throws(() => combineChecksums('SHA256', []), TypeError);
});

test('makes a composite value of the parts’ values and their number', () => {
  const values = [Buffer.from('a'), Buffer.from('b')].map((part) => checksumOf('SHA256', part));
  const bytes = Buffer.concat(values.map((value) => Buffer.from(value, 'base64')));
  assert.equal(compositeChecksum('SHA256', values), `${createHash('sha256').update(bytes).digest('base64')}-2`);
});

test('knows what has the form of a checksum', () => {
  assert.equal(isChecksumText('CRC32', 'AAAAAA=='), true);
  for (const text of ['', 'AAAAAAA=', 'AAAA', '!!!!!!==', 'AAAAAA==AAAAAA=='])
    assert.equal(isChecksumText('CRC32', text), false, text);
});
