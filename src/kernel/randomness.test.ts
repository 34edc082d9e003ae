import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBytes } from './randomness.ts';

test('random bytes are of the length asked for, and never the same', () => {
  const seen = new Set<string>();
  for (let round = 0; round < 20_000; round++) {
    const bytes = randomBytes(16);
    assert.equal(bytes.length, 16);
    seen.add(bytes.toString('hex'));
  }
  assert.equal(seen.size, 20_000);
  for (const length of [0, 1, 255, 256, 257, 4095, 4096, 4097, 100_000]) {
    assert.equal(randomBytes(length).length, length);
  }
});

test('what was handed out is not changed by what is drawn later', () => {
  const first = randomBytes(32);
  const copy = Buffer.from(first);
  for (let round = 0; round < 1000; round++) randomBytes(32).fill(0);
  assert.deepEqual(first, copy);
});

test('every bit of them is as often set as not', () => {
  const counts = Array.from({ length: 256 }, () => 0);
  const rounds = 20_000;
  for (let round = 0; round < rounds; round++) {
    for (const [index, byte] of randomBytes(32).entries()) {
      for (let bit = 0; bit < 8; bit++) counts[index * 8 + bit] = (counts[index * 8 + bit] ?? 0) + ((byte >> bit) & 1);
    }
  }
  // Seven standard deviations: once in a billion runs by chance.
  const margin = 7 * Math.sqrt(rounds / 4);
  for (const count of counts) assert.ok(Math.abs(count - rounds / 2) < margin, `${count} of ${rounds}`);
});
