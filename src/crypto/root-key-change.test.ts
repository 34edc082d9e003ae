import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DecryptionError } from './decryption-error.ts';
import { RootKey } from './root-key.ts';
import { keyIdOf } from './root-secret.ts';

const vector = JSON.parse(readFileSync(new URL('../../test/vectors/root-key-2.json', import.meta.url), 'utf8')) as {
  readonly rootSecret: string;
  readonly id: string;
  readonly context: string;
  readonly plaintext: string;
  readonly sealed: string;
};

test('agrees with the vector of another implementation, with the id of the key', () => {
  const key = new RootKey(Buffer.from(vector.rootSecret, 'hex'));
  const sealed = Buffer.from(vector.sealed, 'hex');
  assert.equal(key.id, vector.id);
  assert.equal(keyIdOf(sealed), vector.id);
  assert.equal(key.open(sealed, vector.context).toString('hex'), vector.plaintext);
});

test('opens under both keys while it is changed, and seals under the new one alone', () => {
  const first = new RootKey(Buffer.alloc(32, 1));
  const key = new RootKey(Buffer.alloc(32, 1));
  const old = key.seal(Buffer.from('old'), 'c');
  const next = new RootKey(randomBytes(32));
  const kept = next.sealFormer(key);
  key.changeTo(next);
  assert.equal(key.formerId, first.id);
  assert.equal(key.open(old, 'c').toString(), 'old');
  const resealed = key.reseal(old, 'c');
  assert.ok(resealed !== undefined);
  assert.equal(next.open(resealed, 'c').toString(), 'old');
  assert.equal(key.reseal(resealed, 'c'), undefined);
  assert.throws(() => first.open(resealed, 'c'), DecryptionError);
  assert.throws(() => next.open(old, 'c'), DecryptionError);
  next.restoreFormer(kept);
  assert.equal(next.open(old, 'c').toString(), 'old');
  assert.deepEqual(next.deriveFormerKey('p'), first.deriveKey('p'));
  assert.throws(() => first.restoreFormer(kept), DecryptionError);
});

test('opens texts of the form without an id under both keys, too', () => {
  const first = JSON.parse(
    readFileSync(new URL('../../test/vectors/root-key.json', import.meta.url), 'utf8'),
  ) as typeof vector;
  const key = new RootKey(Buffer.from(first.rootSecret, 'hex'));
  const sealed = Buffer.from(first.sealed, 'hex');
  key.changeTo(new RootKey(randomBytes(32)));
  const resealed = key.reseal(sealed, first.context);
  assert.ok(resealed !== undefined);
  assert.equal(keyIdOf(resealed), key.id);
  assert.equal(key.open(resealed, first.context).toString('hex'), first.plaintext);
});

test('lets tokens live on for as long as it is said, under no key that opens what is stored', () => {
  const key = new RootKey(randomBytes(32));
  const token = key.sealToken(Buffer.from('session'), 't');
  const stored = key.seal(Buffer.from('stored'), 't');
  const next = new RootKey(randomBytes(32));
  const kept = next.adoptTokens(key, 1000, 2000);
  key.changeTo(next);
  assert.equal(key.openToken(token, 't').toString(), 'session');
  assert.notEqual(keyIdOf(key.sealToken(Buffer.from('x'), 't')), keyIdOf(token));
  next.restoreTokens(kept, 1999);
  assert.equal(next.openToken(token, 't').toString(), 'session');
  assert.throws(() => next.open(stored, 't'), DecryptionError);
  assert.throws(() => next.openToken(stored, 't'), DecryptionError);
  next.restoreTokens(kept, 2000);
  assert.throws(() => next.openToken(token, 't'), DecryptionError);
  key.dropEndedTokens(2000);
  assert.throws(() => key.openToken(token, 't'), DecryptionError);
  const third = new RootKey(randomBytes(32));
  assert.equal(third.adoptTokens(key, 2000, 3000).length, 1, 'those that have ended are not taken along');
});
