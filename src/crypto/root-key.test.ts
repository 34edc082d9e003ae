import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { openAesGcm, sealAesGcm } from './aes-gcm.ts';
import { DecryptionError } from './decryption-error.ts';
import { RootKey } from './root-key.ts';
import { makeRootKeyCheck, verifyRootKeyCheck } from './root-key-check.ts';
import { RootKeyError } from './root-key-error.ts';
import { createRootKeyFile, loadRootKeyFile } from './root-key-file.ts';
import { createPassphraseRootKey, loadPassphraseRootKey, readPassphraseFile } from './root-key-passphrase.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coffer-root-key-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const vector = JSON.parse(readFileSync(new URL('../../test/vectors/root-key.json', import.meta.url), 'utf8')) as {
  readonly rootSecret: string;
  readonly context: string;
  readonly plaintext: string;
  readonly sealed: string;
  readonly purpose: string;
  readonly derivedKey: string;
};

test('agrees with the vector of another implementation', () => {
  const key = new RootKey(Buffer.from(vector.rootSecret, 'hex'));
  assert.equal(key.open(Buffer.from(vector.sealed, 'hex'), vector.context).toString('hex'), vector.plaintext);
  assert.equal(key.deriveKey(vector.purpose).toString('hex'), vector.derivedKey);
});

test('opens what it sealed, under the same context only', () => {
  const key = new RootKey(randomBytes(32));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.string(), fc.string(), (text, context, other) => {
      const sealed = key.seal(text, context);
      assert.deepEqual(key.open(sealed, context), Buffer.from(text));
      if (Buffer.from(other).equals(Buffer.from(context))) return;
      assert.throws(() => key.open(sealed, other), DecryptionError);
    }),
  );
});

test('refuses every changed or missing byte, and another key', () => {
  const key = new RootKey(randomBytes(32));
  const sealed = key.seal(Buffer.from('a secret'), 'it');
  for (let position = 0; position < sealed.length; position++) {
    const changed = Buffer.from(sealed);
    changed[position] = (changed[position] ?? 0) ^ 1;
    assert.throws(() => key.open(changed, 'it'), DecryptionError);
    assert.throws(() => key.open(sealed.subarray(0, position), 'it'), DecryptionError);
  }
  assert.throws(() => new RootKey(randomBytes(32)).open(sealed, 'it'), DecryptionError);
  assert.throws(() => new RootKey(randomBytes(31)), RangeError);
});

test('binds the associated data of wrapped keys', () => {
  const key = randomBytes(32);
  const sealed = sealAesGcm(key, Buffer.from('wrapped'), Buffer.from('a'));
  assert.equal(openAesGcm(key, sealed, Buffer.from('a')).toString(), 'wrapped');
  assert.throws(() => openAesGcm(key, sealed, Buffer.from('b')), DecryptionError);
  assert.throws(() => openAesGcm(key, sealed.subarray(0, 27), Buffer.from('a')), DecryptionError);
});

test('tells its own data from that of another root key', () => {
  const key = new RootKey(randomBytes(32));
  const check = makeRootKeyCheck(key);
  assert.equal(verifyRootKeyCheck(key, check), true);
  assert.equal(verifyRootKeyCheck(new RootKey(randomBytes(32)), check), false);
  assert.equal(verifyRootKeyCheck(key, ''), false);
});

test('makes a key file that only its owner can read, and never overwrites one', async () => {
  const path = join(folder, 'new', 'root.key');
  const key = await createRootKeyFile(path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, 'new'))).mode & 0o777, 0o700);
  const sealed = key.seal(Buffer.from('x'), 'c');
  assert.equal((await loadRootKeyFile(path)).open(sealed, 'c').toString(), 'x');
  await assert.rejects(createRootKeyFile(path), RootKeyError);
});

test('refuses a key file that is missing, readable by others, or damaged, and says nothing of its content', async () => {
  const path = join(folder, 'bad.key');
  await assert.rejects(loadRootKeyFile(path), /does not exist/);
  await createRootKeyFile(path);
  await chmod(path, 0o640);
  await assert.rejects(loadRootKeyFile(path), /mode 0640/);
  await chmod(path, 0o600);
  const text = await readFile(path, 'utf8');
  for (const wrong of ['', 'something else', text.slice(0, 40), `${text.trimEnd()}AA\n`, 'x'.repeat(5000)]) {
    await writeFile(path, wrong);
    await assert.rejects(loadRootKeyFile(path), (error) => {
      assert.ok(error instanceof RootKeyError);
      assert.ok(wrong.length < 30 || !error.message.includes(wrong.slice(20, 40)));
      return true;
    });
  }
});

test('derives the same key from the same passphrase, and another from another', async () => {
  const path = join(folder, 'passphrase.json');
  const key = await createPassphraseRootKey(path, 'correct horse battery');
  const check = makeRootKeyCheck(key);
  assert.equal(verifyRootKeyCheck(await loadPassphraseRootKey(path, 'correct horse battery'), check), true);
  assert.equal(verifyRootKeyCheck(await loadPassphraseRootKey(path, 'correct horse batterz'), check), false);
  assert.ok(!(await readFile(path, 'utf8')).includes('horse'));
  await assert.rejects(createPassphraseRootKey(path, 'correct horse battery'), RootKeyError);
  await assert.rejects(createPassphraseRootKey(join(folder, 'short.json'), 'short'), /at least 12/);
});

test('refuses passphrase parameters that are damaged or would need too much memory', async () => {
  const path = join(folder, 'parameters.json');
  const good = { format: 'coffer-root-passphrase-1', n: 1024, r: 8, p: 1, salt: randomBytes(16).toString('base64') };
  const bad = [
    '',
    '[]',
    'null',
    '{',
    ...[{ n: 1023 }, { n: 2 ** 30 }, { r: 0 }, { p: 1000 }, { salt: 'AA' }, { format: '2' }].map((change) =>
      JSON.stringify({ ...good, ...change }),
    ),
  ];
  for (const text of bad) {
    await writeFile(path, text);
    await assert.rejects(loadPassphraseRootKey(path, 'correct horse battery'), RootKeyError, text);
  }
  await writeFile(path, JSON.stringify(good));
  await loadPassphraseRootKey(path, 'correct horse battery');
});

test('takes one line end off a passphrase file', async () => {
  const path = join(folder, 'phrase.txt');
  await writeFile(path, 'two words \r\n');
  assert.equal(await readPassphraseFile(path), 'two words ');
  await assert.rejects(readPassphraseFile(join(folder, 'none')), RootKeyError);
});
