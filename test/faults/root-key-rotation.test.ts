import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sealedPrefix } from '#crypto/root-secret.ts';
import { proxyCredentialColumn } from '#services/kms/xks/key-store-record.ts';
import type { RootKeyStatus } from '../../bin/root-key/root-key-administration.ts';
import { CofferHome } from '../harness/coffer-home.ts';
import { countFound, SealedThings, sealedBytes } from '../harness/sealed-things.ts';

/** A job, or a key store with its proxy, would take longer than all of this. */
const EMPTY: ReadonlySet<string> = new Set([
  'mediaconvert_job.request',
  'mediaconvert_job.shares',
  `${proxyCredentialColumn.table}.${proxyCredentialColumn.column}`,
]);
const PASSPHRASE = 'a passphrase of this very test';

async function statusOf(home: CofferHome, extra: NodeJS.ProcessEnv = {}): Promise<RootKeyStatus> {
  const { stdout, stderr, code } = await home.run(['root-key', 'status', '--json'], extra);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as RootKeyStatus;
}

/** Whether not everything is under the present root key yet. */
async function isChanging(home: CofferHome): Promise<boolean> {
  return (await readFile(join(home.dataFolder, 'installation.json'), 'utf8')).includes('"change"');
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(1);
}

async function succeed(home: CofferHome, args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, stderr, code } = await home.run(args, extra);
  assert.equal(code, 0, stderr);
  return stdout;
}

describe('coffer root-key rotate', { concurrency: 2 }, () => {
  it('puts everything under the new key while the server works; the former one opens nothing any longer', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const config = await home.rootClientConfig();
    const things = await SealedThings.make(config);
    const before = await statusOf(home);
    const former = sealedBytes(home.dataFolder);
    assert.ok(former.length > 20);
    assert.equal(before.rootKey.provider, 'key-file');
    for (const [place, counts] of Object.entries(before.sealed)) {
      if (!EMPTY.has(place)) assert.notDeepEqual(counts, {}, `nothing is in ${place}`);
      assert.deepEqual(
        Object.keys(counts).filter((id) => id !== before.rootKey.id),
        [],
        place,
      );
    }

    const rotation = home.run(['root-key', 'rotate']);
    let isRunning = true;
    void rotation.finally(() => (isRunning = false));
    while (isRunning) {
      await things.encrypt(config);
      await things.check(config);
    }
    const { stdout, stderr, code } = await rotation;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /opens nothing here any longer/);

    const after = await statusOf(home);
    assert.notEqual(after.rootKey.id, before.rootKey.id);
    assert.notEqual(after.rootKey.path, before.rootKey.path);
    for (const [place, counts] of Object.entries(after.sealed)) {
      assert.deepEqual(
        Object.keys(counts).filter((id) => id !== after.rootKey.id),
        [],
        place,
      );
    }
    await things.check(config);
    // INVARIANT: neither a text nor a seal under the former key is left, in the database, its log, or anywhere else.
    assert.equal(await countFound(home.dataFolder, [sealedPrefix(before.rootKey.id), ...former]), 0);
    await server.end('SIGTERM');
    assert.equal(await countFound(home.dataFolder, [sealedPrefix(before.rootKey.id), ...former]), 0);

    const refused = await home.run(['start', '--port', '0'], { COFFER_ROOT_KEY_FILE: before.rootKey.path });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /not the one that this data folder was made with.*its own was written to .*\.key/);
    const again = await home.start();
    await things.check(await home.rootClientConfig());
    assert.match(await succeed(home, ['verify']), /No damage was found/);
    await again.end('SIGTERM');
  });

  it('is broken off by a kill at any moment, and goes on with the next start', async () => {
    await using home = await CofferHome.make();
    let server = await home.start();
    const keys = join(home.configFolder, 'root-keys');
    const things = await SealedThings.make(await home.rootClientConfig());
    // Before the change is durable; at that moment; when everything is under the new key, but the former one is kept.
    for (const moment of ['before', 0, 2000] as const) {
      const former = sealedBytes(home.dataFolder);
      const rotation = home.begin(['root-key', 'rotate']);
      if (moment === 'before') await until(async () => (await readdir(keys)).length > 1);
      else await until(() => isChanging(home)).then(() => delay(moment));
      await server.end('SIGKILL');
      await rotation.ended;
      const wasBrokenOff = await isChanging(home);
      if (moment !== 'before') assert.ok(wasBrokenOff, String(moment));
      server = await home.start();
      const config = await home.rootClientConfig();
      await things.check(config);
      await things.encrypt(config);
      await until(async () => !(await isChanging(home)));
      await things.check(config);
      if (wasBrokenOff) assert.equal(await countFound(home.dataFolder, former), 0, `killed ${moment}`);
    }
    assert.match(await succeed(home, ['verify']), /No damage was found/);
    await server.end('SIGTERM');
  });

  it('moves from one provider to another, without a server too; and ends sessions where it is asked to', async () => {
    await using home = await CofferHome.make();
    let server = await home.start();
    const things = await SealedThings.make(await home.rootClientConfig());
    await server.end('SIGTERM');

    const phrase = join(home.folder, 'phrase');
    await writeFile(phrase, `${PASSPHRASE}\n`);
    const toPassphrase = { COFFER_NEW_ROOT_PASSPHRASE_FILE: phrase };
    const short = await home.run(['root-key', 'rotate', '--to', 'passphrase'], { COFFER_NEW_ROOT_PASSPHRASE: 'short' });
    assert.match(short.stderr, /at least 12 characters/);
    assert.match((await home.run(['root-key', 'rotate', '--to', 'passphrase'])).stderr, /COFFER_NEW_ROOT_PASSPHRASE/);
    await succeed(home, ['root-key', 'rotate', '--to', 'passphrase'], toPassphrase);
    assert.match((await home.run(['start', '--port', '0'])).stderr, /wants its passphrase/);
    const withPassphrase = { COFFER_ROOT_PASSPHRASE_FILE: phrase };
    server = await home.start([], withPassphrase);
    await things.check(await home.rootClientConfig());
    await server.end('SIGTERM');

    const keyFile = join(home.folder, 'elsewhere', 'my.key');
    const inside = await home.run(['root-key', 'rotate', '--key-file', join(home.dataFolder, 'k')], withPassphrase);
    assert.match(inside.stderr, /must lie outside of the data folder/);
    const args = ['root-key', 'rotate', '--to', 'key-file', '--key-file', keyFile];
    await succeed(home, [...args, '--end-sessions'], withPassphrase);
    assert.ok(!(await readdir(home.dataFolder)).some((name) => name.startsWith('root-passphrase')));
    assert.match((await home.run(args)).stderr, /exists; it is never overwritten/);
    const key = await readFile(keyFile);
    server = await home.start();
    await things.check(await home.rootClientConfig(), false);
    assert.match(await succeed(home, ['verify']), /No damage was found/);
    await server.end('SIGTERM');
    assert.deepEqual(await readFile(keyFile), key);
  });
});
