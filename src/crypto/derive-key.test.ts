import assert from 'node:assert/strict';
import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deriveKey } from './derive-key.ts';

// Made with another implementation (cryptography 48.0.0, Python): HKDF-SHA256, key 00…1f, salt 20…3f, info 1,500 × "i".
const LONG = 'ef7a43e483f1c543cd46a6780e9f68f4bf06fcd11f0b1ce932c9369cb5040f2e';

const bytes = (from: number) => Uint8Array.from({ length: 32 }, (_, index) => from + index);

test('derives as Node does, and beyond its limit as another implementation does', () => {
  const [key, salt] = [randomBytes(32), randomBytes(32)];
  for (const length of [0, 1, 1023, 1024]) {
    const info = randomBytes(length);
    const expected = Buffer.from(hkdfSync('sha256', key, salt, info, 32));
    assert.deepEqual(deriveKey(key, salt, info), expected);
  }
  const info = Buffer.alloc(1500, 'i');
  assert.equal(deriveKey(bytes(0), bytes(32), info).toString('hex'), LONG);
  assert.equal(deriveKey(createSecretKey(bytes(0)), bytes(32), info).toString('hex'), LONG);
});
