import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { type ByteRange, CiphertextError, openRanged, type WholeObjectCipher } from './ranged-decryption.ts';

const LENGTHS = [1, 15, 16, 17, 31, 32, 100_003];

/** What somebody uploads: the whole file through OpenSSL, with GCM the tag behind it. */
function encrypt({ mode, key, iv }: WholeObjectCipher, plaintext: Buffer): Buffer {
  const bits = key.length * 8;
  if (mode === 'gcm') {
    const cipher = createCipheriv(`aes-${bits as 128}-gcm`, key, iv);
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }
  const vector = mode === 'ctr' ? Buffer.concat([iv, Buffer.alloc(16 - iv.length)]) : iv;
  const cipher = createCipheriv(`aes-${bits}-${mode}`, key, vector);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

function readerOf(object: Buffer, ranges: ByteRange[] = []) {
  return async (range: ByteRange): Promise<Buffer> => {
    assert.ok(range.offset >= 0 && range.offset + range.length <= object.length, JSON.stringify(range));
    ranges.push(range);
    return object.subarray(range.offset, range.offset + range.length);
  };
}

async function openAt(cipher: WholeObjectCipher, object: Buffer, offset: number, length: number): Promise<Buffer> {
  const decryptor = await openRanged(cipher, object.length, readerOf(object));
  const { offset: start, length: covered } = decryptor.cover(offset, length);
  const target = Buffer.alloc(length);
  decryptor.open(object.subarray(start, start + covered), offset, target);
  return target;
}

const CASES = (['ctr', 'cbc', 'gcm'] as const).flatMap((mode) =>
  [16, 24, 32].flatMap((keyLength) =>
    (mode === 'cbc' ? [16] : [12, 16]).map((ivLength) => ({ mode, keyLength, ivLength })),
  ),
);

describe('an encrypted object', () => {
  for (const { mode, keyLength, ivLength } of CASES) {
    test(`opens at any place: AES-${keyLength * 8}-${mode.toUpperCase()} with ${ivLength} bytes of vector`, async () => {
      for (const size of LENGTHS) {
        const cipher = { mode, key: randomBytes(keyLength), iv: randomBytes(ivLength) };
        const plaintext = randomBytes(size);
        const object = encrypt(cipher, plaintext);
        const decryptor = await openRanged(cipher, object.length, readerOf(object));
        assert.equal(decryptor.size, size);
        for (let round = 0; round < 50; round++) {
          const offset = Math.floor(Math.random() * size);
          const length = 1 + Math.floor(Math.random() * Math.min(70, size - offset));
          const { offset: start, length: covered } = decryptor.cover(offset, length);
          const target = new Uint8Array(new SharedArrayBuffer(length));
          decryptor.open(object.subarray(start, start + covered), offset, target);
          assert.deepEqual(Buffer.from(target), plaintext.subarray(offset, offset + length), `${offset}+${length}`);
        }
      }
    });
  }

  test('opens over the end of a counter: CTR carries, GCM begins anew', async () => {
    const plaintext = randomBytes(4096);
    const ctr = { mode: 'ctr' as const, key: randomBytes(32), iv: Buffer.alloc(16, 0xff) };
    assert.deepEqual(await openAt(ctr, encrypt(ctr, plaintext), 0, 4096), plaintext);
    assert.deepEqual(await openAt(ctr, encrypt(ctr, plaintext), 1001, 3000), plaintext.subarray(1001, 4001));
    // From this vector follows a first counter that ends in ffffffe1: 31 blocks on, its 32 bits begin anew.
    const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    const gcm = { mode: 'gcm' as const, key, iv: GCM_VECTOR_NEAR_ITS_END };
    const object = encrypt(gcm, plaintext);
    assert.deepEqual(await openAt(gcm, object, 0, 4096), plaintext);
    assert.deepEqual(await openAt(gcm, object, 777, 2222), plaintext.subarray(777, 2999));
    assert.deepEqual(await openAt(gcm, object, 4000, 96), plaintext.subarray(4000));
  });

  test('leaves the caller its key, and does not need it any more', async () => {
    const cipher = { mode: 'ctr' as const, key: randomBytes(16), iv: randomBytes(16) };
    const object = encrypt(cipher, Buffer.from('a film'));
    const decryptor = await openRanged(cipher, object.length, readerOf(object));
    cipher.key.fill(0);
    cipher.iv.fill(0);
    const target = Buffer.alloc(6);
    decryptor.open(object, 0, target);
    assert.equal(target.toString(), 'a film');
  });
});

describe('what is refused', () => {
  const key = randomBytes(32);
  const iv = randomBytes(16);
  const plaintext = randomBytes(9_000_000);

  test('a GCM object of which one byte, the tag, the key or the vector is another', async () => {
    const cipher = { mode: 'gcm' as const, key, iv };
    const object = encrypt(cipher, plaintext);
    const ranges: ByteRange[] = [];
    await openRanged(cipher, object.length, readerOf(object, ranges));
    const read = ranges.reduce((sum, { length }) => sum + length, 0);
    assert.equal(read, object.length, 'all of it is read, once');
    assert.ok(ranges.every(({ length }) => length <= 4 * 1024 * 1024));
    for (const at of [0, 4_500_000, object.length - 17, object.length - 1]) {
      const changed = Buffer.from(object);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await assert.rejects(openRanged(cipher, changed.length, readerOf(changed)), CiphertextError);
    }
    const read1 = readerOf(object);
    await assert.rejects(openRanged({ ...cipher, key: randomBytes(32) }, object.length, read1), /tag is wrong/);
    await assert.rejects(openRanged({ ...cipher, iv: randomBytes(16) }, object.length, read1), /tag is wrong/);
    await assert.rejects(openRanged(cipher, 15, read1), /too short/);
    await assert.rejects(openRanged(cipher, 2 ** 36, read1), /longer than AES-GCM allows/);
  });

  test('a CBC object of parts of blocks, or with wrong padding', async () => {
    const cipher = { mode: 'cbc' as const, key, iv };
    const object = encrypt(cipher, plaintext.subarray(0, 1000));
    await assert.rejects(openRanged(cipher, 0, readerOf(object)), /whole blocks/);
    await assert.rejects(openRanged(cipher, 999, readerOf(object)), /whole blocks/);
    for (const last of [0, 17, 255]) {
      // A block whose plaintext ends in this byte: encrypted without padding.
      const raw = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
      const odd = raw.update(Buffer.alloc(32, last));
      await assert.rejects(openRanged(cipher, odd.length, readerOf(odd)), /padding/);
    }
  });

  test('by the error of a read, when a read fails', async () => {
    const failing = async (): Promise<Buffer> => {
      throw new Error('The network is down.');
    };
    for (const mode of ['cbc', 'gcm'] as const) {
      await assert.rejects(openRanged({ mode, key, iv }, 9_600_000, failing), /network is down/);
    }
  });
});

const GCM_VECTOR_NEAR_ITS_END = Buffer.from('c74bfaf195c398bee0c7d6e54769ce91', 'hex');
