import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CofferHome } from '../harness/coffer-home.ts';

const run = promisify(execFile);
const COFFER = fileURLToPath(new URL('../../bin/main.mjs', import.meta.url));

/** Runs a script in bash, as its user would type it, with `coffer` at hand. */
async function inShell(home: CofferHome, script: string, extra: NodeJS.ProcessEnv = {}): Promise<string> {
  const prelude = `coffer() { '${process.execPath}' '${COFFER}' "$@"; }\nset -e\n`;
  const { stdout } = await run('bash', ['-c', prelude + script], { env: home.environment(extra) });
  return stdout.trim();
}

const hasAwsCli = await run('aws', ['--version']).then(
  () => true,
  () => false,
);

describe('coffer env', { concurrency: 2 }, () => {
  it('sets what the AWS CLI needs', { skip: !hasAwsCli && 'the AWS CLI is not installed' }, async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const arn = await inShell(
      home,
      `eval "$(coffer env)"
       aws s3 mb s3://shell-bucket >&2
       aws sts get-caller-identity --query Arn --output text`,
      { AWS_PROFILE: 'another', AWS_SESSION_TOKEN: 'of another session' },
    );
    assert.equal(arn, 'arn:aws:iam::123456789012:root');
    await server.end('SIGTERM');
  });

  it('quotes every value for the shell', async () => {
    await using home = await CofferHome.make();
    const secret = `a'b"c$(touch)\`x\`;\\d`;
    const settings = {
      COFFER_ROOT_ACCESS_KEY_ID: 'AKIAGIVENGIVENGIVEN0',
      COFFER_ROOT_SECRET_ACCESS_KEY: secret,
      COFFER_DATA: join(home.folder, `it's "my" data`),
    };
    const server = await home.start([], settings);
    const seen = await inShell(home, `eval "$(coffer env)"; printf '%s' "$AWS_SECRET_ACCESS_KEY"`, settings);
    assert.equal(seen, secret);
    assert.equal((await home.rootEnvironment(settings)).AWS_SECRET_ACCESS_KEY, secret);
    const { COFFER_DATA: data, ...others } = settings;
    const fromFlag = await home.run(['env', '--json', '--data', data], others);
    assert.match(fromFlag.stdout, new RegExp(server.endpoint));
    await server.end('SIGTERM');
  });

  it('works without a running server too, and says that none runs', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const running = await home.run(['env']);
    assert.equal(running.stderr, '');
    assert.match(running.stdout, /^unset AWS_SESSION_TOKEN AWS_PROFILE\n(export AWS_[A-Z_]+=\S+\n){5}$/);
    await server.end('SIGTERM');
    const { code, stdout, stderr } = await home.run(['env'], { COFFER_PORT: '4999' });
    assert.equal(code, 0);
    assert.match(stdout, /AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:4999\n/);
    assert.match(stderr, /no server runs/);
    const others = (text: string) => text.split('\n').filter((line) => !line.includes('ENDPOINT'));
    assert.deepEqual(others(stdout), others(running.stdout));
  });

  it('fails where there is no installation, or no credentials, and makes none', async () => {
    await using home = await CofferHome.make();
    for (const command of [['env'], ['verify'], ['account', 'list'], ['account', 'create']]) {
      const { code, stdout, stderr } = await home.run(command);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^coffer: There is no installation in .*coffer start\n$/);
    }
    const settings = {
      COFFER_ROOT_ACCESS_KEY_ID: 'AKIAGIVENGIVENGIVEN0',
      COFFER_ROOT_SECRET_ACCESS_KEY: 'given-and-kept-nowhere',
    };
    await (await home.start([], settings)).end('SIGTERM');
    const { code, stderr } = await home.run(['env']);
    assert.equal(code, 1);
    assert.match(stderr, /The root credentials are not in .* Give them as COFFER_ROOT_ACCESS_KEY_ID/);
  });
});

describe('coffer --help', { concurrency: 2 }, () => {
  const commands = [
    [],
    ['start'],
    ['env'],
    ['account'],
    ['account', 'create'],
    ['account', 'list'],
    ['account', 'delete'],
    ['verify'],
    ['kvs'],
    ['kvs', 'put'],
    ['kvs', 'play'],
    ['demo'],
  ];

  it('explains every command, and names every option', async () => {
    await using home = await CofferHome.make();
    for (const command of commands) {
      const { code, stdout } = await home.run([...command, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^Usage: ${['coffer', ...command].join(' ')}`));
      assert.match(stdout, /--help/);
    }
    const { stdout } = await home.run(['start', '--help']);
    for (const name of ['--host', '--port', '--data', '--log-level']) assert.ok(stdout.includes(name), name);
  });

  it('shows help for what is no command', async () => {
    await using home = await CofferHome.make();
    for (const args of [['stop'], ['account', 'rename'], ['account'], []]) {
      const { code, stderr } = await home.run(args);
      assert.notEqual(code, 0);
      assert.match(stderr, /unknown command|Usage: /);
    }
  });
});
