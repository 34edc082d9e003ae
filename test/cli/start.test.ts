import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { RootKeyError } from '#crypto/root-key-error.ts';
import { ConfigError, readConfig } from '../../bin/config.ts';
import { openInstallation } from '../../bin/installation.ts';
import { CofferHome, clientConfig } from '../harness/coffer-home.ts';

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const GIVEN = { COFFER_ROOT_ACCESS_KEY_ID: 'AKIAGIVENGIVENGIVEN0', COFFER_ROOT_SECRET_ACCESS_KEY: "it's/a+secret" };

async function snapshot(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !entry.name.startsWith('lock')) files.set(path, (await readFile(path)).toString('latin1'));
  }
  return files;
}

/** What a start says that fails before it has opened anything; the same code as in the child processes, but faster. */
async function messageOfOpening(home: CofferHome, settings: NodeJS.ProcessEnv): Promise<string> {
  const environment = home.environment(settings);
  try {
    const { lock } = await openInstallation(readConfig({ data: home.dataFolder }, environment), environment);
    lock.release();
    return 'it was opened';
  } catch (error) {
    assert.ok(error instanceof RootKeyError || error instanceof ConfigError, String(error));
    return error.message;
  }
}

async function identify(endpoint: string, accessKeyId: string, secret: string): Promise<string | undefined> {
  const sts = new STSClient(clientConfig(endpoint, accessKeyId, secret));
  try {
    return (await sts.send(new GetCallerIdentityCommand({}))).Arn;
  } finally {
    sts.destroy();
  }
}

describe('coffer start, the first time', { concurrency: 2 }, () => {
  it('makes the data folder, and keeps root key and credentials outside of it, for its user alone', async () => {
    await using home = await CofferHome.make();
    const server = await home.start(['--log-level', 'debug']);
    assert.equal(await modeOf(home.dataFolder), '700');
    assert.equal(await modeOf(join(home.dataFolder, 'installation.json')), '600');
    const record = JSON.parse(await readFile(join(home.dataFolder, 'installation.json'), 'utf8')) as { id: string };
    const keyFile = join(home.configFolder, 'root-keys', `${record.id}.key`);
    const credentialsFile = join(home.configFolder, 'credentials', `${record.id}.json`);
    for (const path of [keyFile, credentialsFile]) assert.equal(await modeOf(path), '600', path);
    for (const folder of ['root-keys', 'credentials'])
      assert.equal(await modeOf(join(home.configFolder, folder)), '700');
    for (const name of await readdir(home.dataFolder)) {
      assert.match(await modeOf(join(home.dataFolder, name)), /^[67]00$/, name);
    }
    assert.ok(server.output().includes(keyFile), 'the operator is told where the root key is');

    const credentials = JSON.parse(await readFile(credentialsFile, 'utf8')) as Record<string, string>;
    assert.equal(credentials['accountId'], '123456789012');
    const { accessKeyId = '', secretAccessKey = '' } = credentials;
    assert.equal(await identify(server.endpoint, accessKeyId, secretAccessKey), 'arn:aws:iam::123456789012:root');

    const { code, stdout, stderr } = await server.end('SIGTERM');
    assert.equal(code, 0);
    const keyText = (await readFile(keyFile, 'utf8')).trim().split(':').at(-1) ?? '';
    for (const secret of [secretAccessKey, keyText]) {
      assert.ok(!`${stdout}${stderr}`.includes(secret), 'nothing secret is printed or logged');
      for (const text of (await snapshot(home.dataFolder)).values()) assert.ok(!text.includes(secret));
    }
    assert.deepEqual(
      (await readdir(home.dataFolder)).filter((name) => name === 'control.json'),
      [],
    );
  });

  it('takes the account, the credentials, the key file and the data folder that it is given', async () => {
    await using home = await CofferHome.make();
    const data = join(home.folder, 'my data');
    const keyFile = join(home.folder, 'keys', 'my.key');
    const settings = {
      ...GIVEN,
      COFFER_DATA: data,
      COFFER_ROOT_KEY_FILE: keyFile,
      COFFER_ACCOUNT_ID: '210987654321',
      COFFER_REGION: 'eu-west-1',
    };
    const server = await home.start([], settings);
    assert.equal(await modeOf(keyFile), '600');
    const { COFFER_ROOT_ACCESS_KEY_ID: id, COFFER_ROOT_SECRET_ACCESS_KEY: secret } = GIVEN;
    assert.equal(await identify(server.endpoint, id, secret), 'arn:aws:iam::210987654321:root');
    assert.equal((await home.rootEnvironment(settings)).AWS_REGION, 'eu-west-1');
    await server.end('SIGTERM');
    assert.deepEqual(await readdir(home.folder), ['keys', 'my data'], 'nothing is made anywhere else');
    assert.ok(![...(await snapshot(data)).values()].some((text) => text.includes(secret)));

    // Both count at the first start only; that is said, and what is stored stays.
    const again = await home.start([], {
      COFFER_DATA: data,
      COFFER_ACCOUNT_ID: '111111111111',
      COFFER_ROOT_ACCESS_KEY_ID: id,
      COFFER_ROOT_SECRET_ACCESS_KEY: 'another-secret',
    });
    assert.match(again.output(), /COFFER_ACCOUNT_ID counts at the first start only/);
    assert.match(again.output(), /COFFER_ROOT_ACCESS_KEY_ID and its secret count at the first start only/);
    assert.ok(!again.output().includes('another-secret'));
    assert.equal(await identify(again.endpoint, id, secret), 'arn:aws:iam::210987654321:root');
    await again.end('SIGTERM');
  });

  it('keeps its data under a passphrase, and opens it with no other', async () => {
    await using home = await CofferHome.make();
    const right = join(home.folder, 'right');
    const wrong = join(home.folder, 'wrong');
    await writeFile(right, 'a passphrase of this test\n');
    await writeFile(wrong, 'a passphrase of others\n');
    // A first start that was killed before its end.
    await mkdir(home.dataFolder, { recursive: true });
    await writeFile(join(home.dataFolder, 'root-passphrase.json'), '{"format":');
    const server = await home.start([], { COFFER_ROOT_PASSPHRASE_FILE: right });
    await server.end('SIGTERM');
    const before = await snapshot(home.dataFolder);
    for (const text of before.values()) assert.ok(!text.includes('a passphrase of this test'));
    const attempts: [NodeJS.ProcessEnv, RegExp][] = [
      [{ COFFER_ROOT_PASSPHRASE_FILE: wrong }, /root key is not the one/],
      [{}, /wants its passphrase/],
      [{ COFFER_ROOT_PASSPHRASE_FILE: join(home.folder, 'none') }, /none cannot be read/],
      [{ COFFER_ROOT_PASSPHRASE_FILE: right, COFFER_ROOT_KEY_FILE: '/x' }, /unset COFFER_ROOT_KEY_FILE/],
      [{ COFFER_ROOT_PASSPHRASE_FILE: right, COFFER_ROOT_PASSPHRASE: 'x' }, /not both/],
    ];
    for (const [settings, message] of attempts) assert.match(await messageOfOpening(home, settings), message);
    const { code, stderr } = await home.run(['start', '--port', '0'], { COFFER_ROOT_PASSPHRASE_FILE: wrong });
    assert.equal(code, 1);
    assert.match(stderr, /^coffer: The root key is not the one that .*\n$/, 'one line, without a trace');
    assert.deepEqual(await snapshot(home.dataFolder), before);
    await (await home.start([], { COFFER_ROOT_PASSPHRASE: 'a passphrase of this test' })).end('SIGTERM');
  });

  it('refuses a short passphrase, and a root key inside the data folder', async () => {
    await using home = await CofferHome.make();
    const short = await home.run(['start', '--port', '0'], { COFFER_ROOT_PASSPHRASE: 'short' });
    assert.equal(short.code, 1);
    assert.match(short.stderr, /at least 12 characters/);
    const inside = join(home.dataFolder, 'keys', 'root.key');
    const { code, stderr } = await home.run(['start', '--port', '0'], { COFFER_ROOT_KEY_FILE: inside });
    assert.equal(code, 1);
    assert.match(stderr, /must lie outside of the data folder/);
    await (await home.start()).end('SIGTERM');
  });
});

describe('coffer start, on a folder that is not as it should be', { concurrency: 2 }, () => {
  it('refuses another root key, none, a damaged one, and one that others may read; and changes nothing', async () => {
    await using home = await CofferHome.make();
    await (await home.start()).end('SIGTERM');
    const [name = ''] = await readdir(join(home.configFolder, 'root-keys'));
    const keyFile = join(home.configFolder, 'root-keys', name);
    const key = await readFile(keyFile);
    const before = await snapshot(home.dataFolder);
    const refuses = async (message: RegExp, settings: NodeJS.ProcessEnv = {}) => {
      assert.match(await messageOfOpening(home, settings), message);
      assert.deepEqual(await snapshot(home.dataFolder), before);
    };
    await refuses(/does not exist/, { COFFER_ROOT_KEY_FILE: join(home.folder, 'none.key') });
    await refuses(/unset the root passphrase/, { COFFER_ROOT_PASSPHRASE: 'a passphrase of this test' });
    await writeFile(keyFile, `coffer-root-key-1:${randomBytes(32).toString('base64url')}\n`);
    await refuses(/root key is not the one that this data folder was made with/);
    const { code, stderr } = await home.run(['start', '--port', '0']);
    assert.equal(code, 1);
    assert.match(stderr, /^coffer: The root key is not the one that .*\n$/, 'one line, without a trace');
    assert.deepEqual(await snapshot(home.dataFolder), before);
    await writeFile(keyFile, key.subarray(0, 20));
    await refuses(/damaged/);
    await writeFile(keyFile, '');
    await refuses(/not a root key file/);
    await rm(keyFile);
    await refuses(/does not exist/);
    await writeFile(keyFile, key, { mode: 0o644 });
    await refuses(/must be readable by its owner alone/);
    await rm(keyFile);
    await writeFile(keyFile, key, { mode: 0o600 });
    await (await home.start()).end('SIGTERM');
  });

  it('refuses a damaged installation.json, and data without one', async () => {
    await using home = await CofferHome.make();
    await (await home.start()).end('SIGTERM');
    const path = join(home.dataFolder, 'installation.json');
    const record = await readFile(path, 'utf8');
    const broken = [
      '',
      '{',
      'null',
      '[]',
      record.replace('"format": 2', '"format": 3'),
      record.replace('"key-file"', '"other"'),
      record.replace(/"rootKey": \{[^}]*\}/, '"rootKey": null'),
    ];
    for (const text of broken) {
      await writeFile(path, text);
      assert.match(await messageOfOpening(home, {}), /installation\.json is damaged or of a version/, text);
      assert.equal(await readFile(path, 'utf8'), text);
    }
    await rm(path);
    const { code, stderr } = await home.run(['start', '--port', '0']);
    assert.equal(code, 1);
    assert.match(stderr, /installation\.json is missing, but (records\.db|blobs) is there/);
    assert.equal((await readdir(join(home.configFolder, 'root-keys'))).length, 1, 'no other root key is made');
    await writeFile(path, record);
    await (await home.start()).end('SIGTERM');
  });

  it('says so when the data folder cannot be made', async () => {
    await using home = await CofferHome.make();
    await writeFile(join(home.folder, 'file'), '');
    for (const data of [join(home.folder, 'file'), join(home.folder, 'file', 'below')]) {
      const { code, stderr } = await home.run(['start', '--port', '0', '--data', data]);
      assert.equal(code, 1);
      assert.match(stderr, /^coffer: The data folder .* cannot be made/);
    }
  });

  it('leaves the folder to the server that has it, which goes on serving', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const second = await home.run(['start', '--port', '0']);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^coffer: The data folder .* is in use by another Coffer process.*\n$/);
    assert.equal((await fetch(`${server.endpoint}/health/ready`)).status, 200);
    assert.equal((await home.run(['account', 'list'])).code, 0, 'the control socket is still the first server’s');
    const { AWS_ENDPOINT_URL } = await home.rootEnvironment();
    assert.equal(AWS_ENDPOINT_URL, server.endpoint);
    assert.equal((await server.end('SIGTERM')).code, 0);
  });
});

describe('coffer start, its settings', { concurrency: 2 }, () => {
  it('says that the port is taken, and which', async () => {
    await using home = await CofferHome.make();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const { code, stdout, stderr } = await home.run(['start', '--port', String(port)]);
      assert.equal(code, 1);
      assert.equal(
        stderr,
        `coffer: Port ${port} on 127.0.0.1 is taken by another program. Give another one with --port.\n`,
      );
      // This was the first start all the same: what it made must be told.
      assert.match(stdout, /The root key is in/);
      assert.ok(!(await readdir(home.dataFolder)).includes('control.json'));
    } finally {
      other.close();
    }
    await (await home.start()).end('SIGTERM');
  });

  it('takes options before variables, and an empty variable for none', async () => {
    await using home = await CofferHome.make();
    const data = join(home.folder, 'by-option');
    const settings = { COFFER_DATA: '/nowhere', COFFER_PORT: 'x', COFFER_LOG_LEVEL: 'x', COFFER_HOST: '' };
    const server = await home.start(['--data', data, '--log-level', 'silent'], settings);
    assert.match(server.endpoint, /^http:\/\/127\.0\.0\.1:/);
    const { stderr } = await server.end('SIGTERM');
    assert.equal(stderr, '');
    assert.ok((await readdir(data)).includes('records.db'));
  });

  it('refuses what it does not know or cannot use, before it makes anything', async () => {
    await using home = await CofferHome.make();
    const attempts: [string[], NodeJS.ProcessEnv, RegExp][] = [
      [['--colour'], {}, /unknown option '--colour'/],
      [['now'], {}, /too many arguments/],
      [['--port'], {}, /argument missing/],
      [['--port', '65536'], {}, /'65536' is not a port/],
      [['--port', '-1'], {}, /'-1' is not a port/],
      [['--port', '1e3'], {}, /'1e3' is not a port/],
      [['--port', ''], {}, /'' is not a port/],
      [['--host', ''], {}, /--host is an address/],
      [['--data', ''], {}, /--data is the path of a folder/],
      [['--log-level', 'loud'], {}, /Allowed choices are/],
      [[], { COFFER_PORT: 'http' }, /'http' is not a port/],
      [[], { COFFER_LOG_LEVEL: 'loud' }, /'loud' is not a log level/],
      [[], { COFFER_ACCOUNT_ID: '12345' }, /COFFER_ACCOUNT_ID: .*twelve digits/],
      [[], { COFFER_REGION: 'Mars' }, /COFFER_REGION: 'Mars' is not a region/],
      [[], { COFFER_DOMAIN: 'a b' }, /COFFER_DOMAIN: 'a b' is not a domain/],
      [[], { COFFER_HARDWARE_ENCODERS: 'on' }, /COFFER_HARDWARE_ENCODERS is off or auto, not 'on'/],
      [[], { COFFER_MEDIA_WORKERS: '0' }, /COFFER_MEDIA_WORKERS is a whole number from 1/],
      [[], { COFFER_ALLOW_INSECURE_SSE_C: 'yes' }, /COFFER_ALLOW_INSECURE_SSE_C is 1 or 0/],
      [[], { COFFER_ROOT_ACCESS_KEY_ID: 'AKIAGIVENGIVENGIVEN0' }, /go together/],
      [[], { COFFER_ROOT_SECRET_ACCESS_KEY: 'secret-of-this-test' }, /go together/],
      [[], { ...GIVEN, COFFER_ROOT_ACCESS_KEY_ID: 'short' }, /COFFER_ROOT_ACCESS_KEY_ID is 16 to 128/],
      [
        [],
        { ...GIVEN, COFFER_ROOT_SECRET_ACCESS_KEY: 'with space in it' },
        /COFFER_ROOT_SECRET_ACCESS_KEY is 8 to 128/,
      ],
    ];
    await Promise.all(
      [0, 1].map(async (half) => {
        for (const [args, settings, message] of attempts.filter((_, index) => index % 2 === half)) {
          const { code, stderr } = await home.run(['start', ...args], settings);
          assert.equal(code, 1, args.join(' '));
          assert.match(stderr, message);
          assert.doesNotMatch(stderr, /\n\s+at /, 'no trace');
          assert.doesNotMatch(stderr, /secret-of-this-test|with space in it/);
        }
      }),
    );
    assert.deepEqual(await readdir(home.folder), []);
  });

  it('says which address is none of this machine', async () => {
    await using home = await CofferHome.make();
    for (const host of ['192.0.2.1', 'nosuchhost.invalid']) {
      const { code, stderr } = await home.run(['start', '--port', '0', '--host', host]);
      assert.equal(code, 1);
      assert.match(stderr, /is not an address of this machine/);
    }
  });

  it('warns of a variable that is no setting', async () => {
    await using home = await CofferHome.make();
    const server = await home.start([], { COFFER_DATA_FOLDER: '/x' });
    assert.match((await server.end('SIGTERM')).stderr, /COFFER_DATA_FOLDER/);
  });
});
