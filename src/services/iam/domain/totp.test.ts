import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { accountOfSessionKeyId, newSessionKeyId } from './identifiers.ts';
import { systemRandomness } from '#kernel/randomness.ts';
import { findStep, stepOf, toBase32, totpCode } from './totp.ts';

const SEED = Buffer.from('12345678901234567890');

describe('codes of authenticators', () => {
  it('are those of RFC 6238, the last six digits', () => {
    const vectors: readonly (readonly [number, string])[] = [
      [59, '287082'],
      [1111111109, '081804'],
      [1111111111, '050471'],
      [1234567890, '005924'],
      [2000000000, '279037'],
      [20000000000, '353130'],
    ];
    for (const [seconds, code] of vectors) assert.equal(totpCode(SEED, stepOf(seconds * 1000)), code);
  });

  it('are found within reach, and not at or before the last one that was taken', () => {
    const code = totpCode(SEED, 100);
    assert.equal(findStep(SEED, [code], 101, 1, 0), 100);
    assert.equal(findStep(SEED, [code], 102, 1, 0), undefined);
    assert.equal(findStep(SEED, [code], 100, 1, 100), undefined);
    assert.equal(findStep(SEED, [code, totpCode(SEED, 101)], 95, 20, 0), 100);
    assert.equal(findStep(SEED, [code, totpCode(SEED, 102)], 95, 20, 0), undefined);
    for (const hostile of ['', '1', `${code}0`, 'é00000'])
      assert.equal(findStep(SEED, [hostile], 100, 1, 0), undefined);
  });

  it('have seeds in the Base32 of RFC 4648', () => {
    assert.equal(toBase32(Buffer.from('foobar')), 'MZXW6YTBOI');
    assert.equal(toBase32(Buffer.from('fooba')), 'MZXW6YTB');
  });
});

describe('access key ids of sessions', () => {
  it('tell their account', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (number) => {
        const account = String(number).padStart(12, '0');
        const id = newSessionKeyId(account, systemRandomness);
        assert.match(id, /^ASIA[A-Z2-7]{16}$/);
        assert.equal(accountOfSessionKeyId(id), account);
      }),
    );
  });

  it('are read as others read those of AWS', () => {
    // The example of the public write-ups on AWS's ids.
    assert.equal(accountOfSessionKeyId('ASIAQNZGKIQY56JQ7WML'), '029608264753');
    assert.equal(accountOfSessionKeyId('AKIAQNZGKIQY56JQ7WML'), undefined);
  });
});
