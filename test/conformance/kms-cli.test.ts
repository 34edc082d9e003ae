import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestPlatform } from '../harness/platform.ts';
import { XksProxy } from '../harness/xks-proxy.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../fixtures/kms_cli.py', import.meta.url));
const isThere =
  spawnSync('python3', ['-c', 'import awscli, cryptography']).status === 0 &&
  spawnSync('openssl', ['version']).status === 0;
const skip = isThere ? false : 'the AWS CLI, cryptography or openssl is not installed';

it('the AWS CLI does every operation of KMS, and openssl takes what it gives', { skip }, async () => {
  const proxy = await XksProxy.start('xks.example');
  const home = await mkdtemp(join(tmpdir(), 'coffer-cli-'));
  try {
    await using platform = await startTestPlatform({ COFFER_XKS_PROXIES: proxy.route });
    const { credentials } = platform.clientConfig();
    const { endpoint, path, credential } = proxy;
    proxy.makeKey('films');
    const keyStore = { endpoint, path, credential, key: 'films' };
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
    };
    const { stdout } = await run('python3', [script, platform.accountId, JSON.stringify(keyStore)], { env });
    assert.match(stdout, /^OK 5\d$/m);
  } finally {
    proxy.stop();
    await rm(home, { recursive: true, force: true });
  }
});
