import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeyFormError, srtEncryptionOf } from './key-form.ts';

const LENGTHS = { aes128: 16, aes192: 24, aes256: 32 } as const;
const algorithms = fc.constantFrom('aes128', 'aes192', 'aes256');
const where = { RoleArn: 'role', SecretArn: 'secret' };

describe('the text of a secret', () => {
  it('is a static key when it has just the digits of its algorithm, and is used as it is written', () => {
    fc.assert(
      fc.property(
        algorithms,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.boolean(),
        (Algorithm, bytes, isUpper) => {
          const hex = Buffer.from(bytes.subarray(0, LENGTHS[Algorithm])).toString('hex');
          const text = isUpper ? hex.toUpperCase() : hex;
          const expected = { passphrase: text, keyBytes: LENGTHS[Algorithm] };
          for (const end of ['', '\n', '\r\n']) {
            assert.deepEqual(srtEncryptionOf(text + end, { ...where, KeyType: 'static-key', Algorithm }), expected);
          }
        },
      ),
    );
  });

  it('is refused otherwise, in words that hold nothing of it', () => {
    fc.assert(
      fc.property(algorithms, fc.string({ minLength: 6, maxLength: 90 }), (Algorithm, text) => {
        fc.pre(
          !/^[0-9A-Fa-f]+\r?\n?$/.test(text) &&
            !'a static key for aes is plain text of hexadecimal digits'.includes(text),
        );
        assert.throws(
          () => srtEncryptionOf(text, { ...where, KeyType: 'static-key', Algorithm }),
          (error) => error instanceof KeyFormError && !error.message.includes(text),
        );
      }),
    );
  });

  it('is an SRT password of 10 to 80 bytes', () => {
    const password = (text: string) => srtEncryptionOf(text, { ...where, KeyType: 'srt-password' });
    assert.deepEqual(password('äöüß12'), { passphrase: 'äöüß12' });
    assert.deepEqual(password(`${'p'.repeat(80)}\n`), { passphrase: 'p'.repeat(80) });
    for (const text of ['', 'p'.repeat(9), 'p'.repeat(81), 'äöüß1']) assert.throws(() => password(text), KeyFormError);
  });
});
