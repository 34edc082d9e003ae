import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { openCiphertext, readCiphertextHeader, sealCiphertext } from './ciphertext-blob.ts';
import { canonicalEncryptionContext } from './encryption-context.ts';

const contexts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });
const plaintexts = fc.uint8Array({ minLength: 0, maxLength: 4096 });

describe('a ciphertext blob', () => {
  const header = { keyId: randomUUID(), materialId: randomBytes(32).toString('hex') };
  const material = randomBytes(32);

  it('opens to what was sealed, under the same context in any order', () => {
    fc.assert(
      fc.property(plaintexts, contexts, (plaintext, context) => {
        const blob = sealCiphertext(header, material, plaintext, context);
        const reordered = Object.fromEntries(Object.entries(context).reverse());
        assert.deepEqual(readCiphertextHeader(blob), { ...header, isExternal: false });
        assert.deepEqual(Uint8Array.from(openCiphertext(blob, material, reordered)), plaintext);
      }),
    );
  });

  it('does not open when any byte of it is changed', () => {
    const blob = sealCiphertext(header, material, Buffer.from('a data key'), { a: 'b' });
    for (let i = 0; i < blob.length; i++) {
      const changed = Buffer.from(blob);
      changed[i] = (changed[i] ?? 0) ^ 1;
      assert.throws(() => openCiphertext(changed, material, { a: 'b' }), DecryptionError, `byte ${i}`);
    }
  });

  it('does not open when it is cut or extended', () => {
    const blob = sealCiphertext(header, material, Buffer.from('a data key'), undefined);
    for (let length = 65; length < blob.length; length++) {
      assert.throws(() => openCiphertext(blob.subarray(0, length), material, undefined), DecryptionError);
    }
    assert.throws(() => openCiphertext(Buffer.concat([blob, Buffer.of(0)]), material, undefined), DecryptionError);
  });

  it('does not open under another context or other material', () => {
    fc.assert(
      fc.property(plaintexts, contexts, contexts, (plaintext, context, other) => {
        fc.pre(!canonicalEncryptionContext(context).equals(canonicalEncryptionContext(other)));
        const blob = sealCiphertext(header, material, plaintext, context);
        assert.throws(() => openCiphertext(blob, material, other), DecryptionError);
        assert.throws(() => openCiphertext(blob, randomBytes(32), context), DecryptionError);
      }),
    );
  });

  it('is not read when it is too short or of another version', () => {
    const blob = sealCiphertext(header, material, new Uint8Array(), undefined);
    assert.equal(readCiphertextHeader(blob.subarray(0, blob.length - 1)), undefined);
    assert.equal(readCiphertextHeader(Buffer.concat([Buffer.of(0), blob.subarray(1)])), undefined);
    assert.equal(readCiphertextHeader(Buffer.concat([Buffer.of(4), blob.subarray(1)])), undefined);
    assert.equal(readCiphertextHeader(new Uint8Array()), undefined);
  });

  it('names a multi-Region key in a version of its own, which does not pass for the other one', () => {
    const keyId = `mrk-${header.keyId.replaceAll('-', '')}`;
    const blob = sealCiphertext({ ...header, keyId }, material, Buffer.from('x'), undefined);
    assert.equal(blob[0], 2);
    assert.deepEqual(readCiphertextHeader(blob), { ...header, keyId, isExternal: false });
    assert.equal(openCiphertext(blob, material, undefined).toString(), 'x');
    const other = Buffer.concat([Buffer.of(1), blob.subarray(1)]);
    assert.equal(readCiphertextHeader(other)?.keyId, header.keyId);
    assert.throws(() => openCiphertext(other, material, undefined), DecryptionError);
  });
});

describe('the canonical encryption context', () => {
  it('is different for contexts that differ only in where key and value meet', () => {
    assert.notDeepEqual(canonicalEncryptionContext({ ab: 'c' }), canonicalEncryptionContext({ a: 'bc' }));
    assert.notDeepEqual(canonicalEncryptionContext({ a: '', b: '' }), canonicalEncryptionContext({ a: 'b' }));
  });

  it('is in the order of the UTF-8 bytes', () => {
    const context = canonicalEncryptionContext({ '\u{1F600}': '1', '\uFFFD': '2' });
    assert.equal(context.indexOf(Buffer.from('\uFFFD')), 4);
  });
});
