import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { RootKeyError } from '#crypto/root-key-error.ts';
import { ConfigError, readConfig } from '../../bin/config.ts';
import { openInstallation } from '../../bin/installation.ts';
import { CofferHome } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';
import { SealedThings } from '../harness/sealed-things.ts';
import { SoftwareTokens, TOKEN_PIN, tokenIsMissing } from '../harness/software-token.ts';

const skip = tokenIsMissing();

async function contentsOf(folder: string): Promise<Record<string, string>> {
  const paths = (await filesUnder(folder)).filter((path) => !path.endsWith('/lock')).toSorted();
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, (await readFile(path)).toString('base64')] as const)),
  );
}

/** What a start says that fails before it has opened anything; the same code as in a child process, but faster. */
async function messageOfOpening(home: CofferHome, settings: NodeJS.ProcessEnv): Promise<string> {
  const environment = home.environment(settings);
  // The module reads it in the process that is made for it, which has this one's variables.
  process.env['SOFTHSM2_CONF'] = settings['SOFTHSM2_CONF'];
  try {
    const { lock } = await openInstallation(readConfig({ data: home.dataFolder }, environment), environment);
    lock.release();
    return 'it was opened';
  } catch (error) {
    assert.ok(error instanceof RootKeyError || error instanceof ConfigError, String(error));
    assert.ok(!error.message.includes(TOKEN_PIN));
    return error.message;
  }
}

it('keeps the root key wrapped by a token, and starts with that token, its key and its PIN alone', {
  skip,
}, async () => {
  await using home = await CofferHome.make();
  const tokens = await SoftwareTokens.make(join(home.folder, 'softhsm'));
  tokens.add('first');
  const pinFile = join(home.folder, 'pin');
  await writeFile(pinFile, `${TOKEN_PIN}\n`);
  const place = { ...tokens.environment, COFFER_PKCS11_MODULE: tokens.module, COFFER_PKCS11_TOKEN: 'first' };
  const settings = { ...place, COFFER_PKCS11_PIN_FILE: pinFile };
  const refusals: [NodeJS.ProcessEnv, RegExp][] = [
    [place, /wants COFFER_PKCS11_MODULE, COFFER_PKCS11_TOKEN, and COFFER_PKCS11_PIN_FILE/],
    [{ ...settings, COFFER_ROOT_PASSPHRASE: 'a passphrase, too' }, /not more than one of them/],
    [{ ...settings, COFFER_PKCS11_PIN: TOKEN_PIN }, /not both/],
    [{ ...settings, COFFER_PKCS11_TOKEN: 'second' }, /no token with the label 'second'/],
  ];
  for (const [extra, message] of refusals) {
    assert.match((await home.run(['start', '--port', '0'], extra)).stderr, message);
  }

  const server = await home.start([], settings);
  assert.match(server.output(), /wrapped by the token 'first'. The AES key 'coffer-root-key' was made in it/);
  const things = await SealedThings.make(await home.rootClientConfig());
  assert.ok(!(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).includes(TOKEN_PIN));
  const { code, stderr } = await home.run(['root-key', 'rotate'], { COFFER_PKCS11_PIN_FILE: pinFile });
  assert.equal(code, 0, stderr);
  await things.check(await home.rootClientConfig());
  await server.end('SIGTERM');
  assert.equal((await readdir(home.configFolder)).includes('root-keys'), false, 'no key file is made');

  // What is once there says where the token is: the PIN alone is asked for.
  const pin = { ...tokens.environment, COFFER_PKCS11_PIN: TOKEN_PIN };
  const before = await contentsOf(home.dataFolder);
  for (const content of Object.values(before)) {
    assert.ok(!Buffer.from(content, 'base64').includes(TOKEN_PIN));
  }
  const ended = await home.run(['start', '--port', '0'], { ...pin, COFFER_PKCS11_PIN: '11111111' });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^coffer: The PIN is not that of the token 'first'\.\n$/, 'one line, without a trace');
  const refuses = async (extra: NodeJS.ProcessEnv, message: RegExp) => {
    assert.match(await messageOfOpening(home, extra), message);
    assert.deepEqual(await contentsOf(home.dataFolder), before);
  };
  await refuses(tokens.environment, /wants the PIN of its token/);
  await refuses({ ...pin, COFFER_PKCS11_KEY: 'another' }, /no AES key with the label 'another'/);
  await refuses({ ...pin, COFFER_PKCS11_MODULE: '/nowhere.so' }, /\/nowhere\.so cannot be loaded/);
  await refuses({ ...pin, COFFER_PKCS11_MODULE: process.execPath }, /cannot be loaded|is no PKCS#11 module/);
  await refuses({ COFFER_PKCS11_PIN: TOKEN_PIN, SOFTHSM2_CONF: '/nowhere' }, /token/);
  await refuses({ ...pin, COFFER_ROOT_PASSPHRASE: 'a passphrase' }, /unset the root passphrase/);

  const kept = join(home.folder, 'kept');
  await cp(tokens.folder, kept, { recursive: true });
  await tokens.removeAll();
  await refuses(pin, /no token with the label 'first'/);
  // A token of that name, with another key or none.
  tokens.add('first');
  await refuses(pin, /no AES key with the label 'coffer-root-key'/);
  await (await home.start(['--data', join(home.folder, 'other')], settings)).end('SIGTERM');
  await refuses(pin, /does not open the root key: it is another one/);

  await tokens.removeAll();
  for (const name of await readdir(kept)) await rename(join(kept, name), join(tokens.folder, name));
  const again = await home.start([], pin);
  await things.check(await home.rootClientConfig());
  await again.end('SIGTERM');

  const away = await home.run(['root-key', 'rotate', '--to', 'key-file'], pin);
  assert.equal(away.code, 0, away.stderr);
  await tokens.removeAll();
  const without = await home.start();
  await things.check(await home.rootClientConfig());
  await without.end('SIGTERM');
});
