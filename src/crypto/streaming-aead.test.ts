import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecryptionError } from './decryption-error.ts';
import {
  ciphertextLength,
  openStream,
  plaintextLength,
  SegmentOpener,
  SegmentSealer,
  StreamEncryptor,
  STREAM_HEADER_LENGTH,
} from './streaming-aead.ts';

interface Vector {
  readonly name: string;
  readonly segmentSize: number;
  readonly key: string;
  readonly associatedData: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../test/vectors/streaming-aead.json', import.meta.url), 'utf8'),
) as { readonly vectors: readonly Vector[] };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const SEGMENT = 128;
const KEY = Buffer.alloc(32, 7);
const AAD = Buffer.from('what it is');

function encrypt(plaintext: Uint8Array, pieces: readonly number[] = [], head?: Uint8Array, vector?: Vector): Buffer {
  const sealer = new SegmentSealer(
    vector === undefined ? KEY : hex(vector.key),
    vector === undefined ? AAD : hex(vector.associatedData),
    vector?.segmentSize ?? SEGMENT,
    head,
  );
  const encryptor = new StreamEncryptor(sealer);
  const output: Buffer[] = [];
  let offset = 0;
  for (const size of pieces) {
    output.push(...encryptor.update(plaintext.subarray(offset, offset + size)));
    offset += size;
  }
  output.push(...encryptor.update(plaintext.subarray(offset)), ...encryptor.end());
  return Buffer.concat(output);
}

test('agrees with the vectors of another implementation, both ways', () => {
  assert.ok(vectors.length >= 7);
  for (const vector of vectors) {
    const ciphertext = hex(vector.ciphertext);
    const head = ciphertext.subarray(1, STREAM_HEADER_LENGTH);
    assert.equal(encrypt(hex(vector.plaintext), [], head, vector).toString('hex'), vector.ciphertext, vector.name);
    const opened = openStream(hex(vector.key), hex(vector.associatedData), vector.segmentSize, ciphertext);
    assert.equal(opened.toString('hex'), vector.plaintext, vector.name);
  }
});

test('gives back any text that came in any pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.array(fc.nat(150), { maxLength: 8 }), (plaintext, pieces) => {
      const ciphertext = encrypt(plaintext, pieces);
      assert.equal(ciphertext.length, ciphertextLength(plaintext.length, SEGMENT));
      assert.equal(plaintextLength(ciphertext.length, SEGMENT), plaintext.length);
      assert.deepEqual(openStream(KEY, AAD, SEGMENT, ciphertext), Buffer.from(plaintext));
    }),
  );
});

test('refuses every changed byte', () => {
  const ciphertext = encrypt(randomBytes(300));
  for (let position = 0; position < ciphertext.length; position++) {
    const changed = Buffer.from(ciphertext);
    changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8));
    assert.throws(() => openStream(KEY, AAD, SEGMENT, changed), DecryptionError, `byte ${position}`);
  }
});

test('refuses every truncation, also between segments', () => {
  for (const size of [0, 1, 71, 72, 73, 184, 185, 300]) {
    const ciphertext = encrypt(randomBytes(size));
    for (let length = 0; length < ciphertext.length; length++) {
      assert.throws(
        () => openStream(KEY, AAD, SEGMENT, ciphertext.subarray(0, length)),
        DecryptionError,
        `${size} cut to ${length}`,
      );
    }
  }
});

test('refuses what was added, swapped or taken from another stream', () => {
  const plaintext = randomBytes(300);
  const ciphertext = encrypt(plaintext);
  const other = encrypt(plaintext);
  const [first, second, rest] = [ciphertext.subarray(0, 128), ciphertext.subarray(128, 256), ciphertext.subarray(256)];
  const wrong = [
    Buffer.concat([ciphertext, Buffer.of(0)]),
    Buffer.concat([ciphertext, rest]),
    Buffer.concat([first, second, second, rest]),
    Buffer.concat([first, other.subarray(128, 256), rest]),
    Buffer.concat([second, first, rest]),
    Buffer.concat([first, rest]),
  ];
  for (const [index, text] of wrong.entries()) {
    assert.throws(() => openStream(KEY, AAD, SEGMENT, text), DecryptionError, `case ${index}`);
  }
});

test('refuses another key, other associated data and another segment size', () => {
  const ciphertext = encrypt(randomBytes(300));
  assert.throws(() => openStream(randomBytes(32), AAD, SEGMENT, ciphertext), DecryptionError);
  assert.throws(() => openStream(KEY, Buffer.from('something else'), SEGMENT, ciphertext), DecryptionError);
  assert.throws(() => openStream(KEY, AAD, SEGMENT * 2, ciphertext), DecryptionError);
});

test('opens any segment by itself', () => {
  const plaintext = randomBytes(1000);
  const ciphertext = encrypt(plaintext);
  const header = ciphertext.subarray(0, STREAM_HEADER_LENGTH);
  const opener = new SegmentOpener(KEY, AAD, SEGMENT, header, ciphertext.length);
  for (const position of [999, 0, 71, 72, 500]) {
    const index = opener.segmentAt(position);
    const { start, end } = opener.ciphertextRange(index);
    const segment = opener.open(index, ciphertext.subarray(start, end));
    assert.equal(segment[position - opener.plaintextStart(index)], plaintext[position]);
  }
  const { start, end } = opener.ciphertextRange(2);
  assert.throws(() => opener.open(3, ciphertext.subarray(start, end)), DecryptionError);
  assert.throws(() => opener.open(opener.count, ciphertext.subarray(start, end)), DecryptionError);
});

test('seals nothing after the last segment, and no segment of the wrong length', () => {
  const sealer = new SegmentSealer(KEY, AAD, SEGMENT);
  assert.throws(() => sealer.seal([randomBytes(10)], false), RangeError);
  const ended = new SegmentSealer(KEY, AAD, SEGMENT);
  ended.seal([randomBytes(10)], true);
  assert.throws(() => ended.seal([randomBytes(10)], true), RangeError);
  assert.throws(() => new SegmentSealer(KEY, AAD, 56), RangeError);
});
