import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeyStream } from './key-stream.ts';

/** The cipher as the protocol's text has it: the sequence number at byte 10, the salt's first 14 bytes against it. */
function reference(key: Buffer, salt: Buffer, sequence: number, payload: Buffer): Buffer {
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(sequence, 10);
  for (let at = 0; at < 14; at++) counter[at] = (counter[at] as number) ^ (salt[at] as number);
  return createCipheriv(`aes-${key.length * 8}-ctr`, key, counter).update(payload);
}

describe('the keystream', () => {
  it('is AES-CTR for every key length, sequence number, payload length and order of packets', () => {
    const sequences = fc.array(
      fc.oneof(fc.nat(64), fc.nat(0x7fff_ffff), fc.integer({ min: 0x7fff_ffe0, max: 0x7fff_ffff })),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(16, 24, 32),
        sequences,
        fc.integer({ min: 1, max: 1456 }),
        fc.nat(5),
        (bytes, order, length, offset) => {
          const [key, salt] = [randomBytes(bytes), randomBytes(16)];
          const stream = new KeyStream(key, salt);
          for (const sequence of order) {
            const payload = randomBytes(length + offset).subarray(offset);
            const expected = reference(key, salt, sequence, payload);
            stream.apply(sequence, payload);
            assert.ok(payload.equals(expected), `${sequence}`);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes back what it did', () => {
    const stream = new KeyStream(randomBytes(16), randomBytes(16));
    const payload = Buffer.alloc(1316, 0x47);
    stream.apply(5, payload);
    assert.ok(!payload.equals(Buffer.alloc(1316, 0x47)));
    stream.apply(5, payload);
    assert.ok(payload.equals(Buffer.alloc(1316, 0x47)));
  });
});
