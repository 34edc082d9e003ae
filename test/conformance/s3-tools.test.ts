import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const without = (tool: string, option = 'version') =>
  spawnSync(tool, [option]).status === 0 ? false : `${tool} is not installed`;

describe('S3 by other people’s tools', () => {
  let platform: TestPlatform;
  let folder: string;
  let source: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'coffer-s3-tools-'));
    source = join(folder, 'source');
    await mkdir(join(source, 'sub'), { recursive: true });
    const names = ['with space', 'ünï 日本', 'a+b', '100%25', `it's "q"`, 'a&b<c>', '#hash?', 'sub/deep'];
    for (const name of names) await writeFile(join(source, name), name);
    await writeFile(join(source, 'empty'), '');
    await writeFile(join(source, 'big'), randomBytes(17 * 1024 * 1024));
    const { accessKeyId, secretAccessKey } = platform.clientConfig().credentials;
    env = {
      PATH: process.env['PATH'],
      HOME: folder,
      LC_ALL: 'C.UTF-8',
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  async function run(command: string, ...args: readonly string[]): Promise<string> {
    const { output, status } = await finished(command, args, env);
    assert.equal(status, 0, `${command} ${args.join(' ')}: ${output}`);
    return output;
  }

  const isSame = (copy: string) => run('diff', '-r', source, join(folder, copy));

  it('the AWS CLI copies both ways, in the server, and presigns', { skip: without('aws', '--version') }, async () => {
    await run('aws', 's3', 'mb', 's3://cli');
    await run('aws', 's3', 'sync', '--quiet', source, 's3://cli/a');
    await run('aws', 's3', 'mv', '--quiet', '--recursive', 's3://cli/a', 's3://cli/b', '--sse', 'aws:kms');
    await run('aws', 's3', 'sync', '--quiet', 's3://cli/b', join(folder, 'cli'));
    await isSame('cli');
    const link = (await run('aws', 's3', 'presign', 's3://cli/b/ünï 日本')).trim();
    assert.equal(await (await fetch(link)).text(), 'ünï 日本');
  });

  it('rclone copies, checks and moves', { skip: without('rclone') }, async () => {
    const remote = `:s3,env_auth=true,provider=Other,endpoint="${platform.endpoint}":rclone`;
    const once = ['--retries', '1', '--low-level-retries', '1', '--s3-upload-cutoff', '5M', '--s3-chunk-size', '5M'];
    await run('rclone', 'copy', source, `${remote}/a`, ...once);
    await run('rclone', 'move', `${remote}/a`, `${remote}/b`, ...once);
    await run('rclone', 'check', '--download', source, `${remote}/b`, ...once);
    await run('rclone', 'sync', `${remote}/b`, join(folder, 'rclone'), ...once);
    await isSame('rclone');
  });

  it('s3cmd, which signs for the region US, copies both ways', { skip: without('s3cmd', '--version') }, async () => {
    const { host } = new URL(platform.endpoint);
    const hosts = ['--no-ssl', `--host=${host}`, `--host-bucket=${host}`, '--quiet', '--no-progress'];
    await run('s3cmd', ...hosts, 'mb', 's3://s3cmd');
    await run('s3cmd', ...hosts, 'sync', `${source}/`, 's3://s3cmd/a/');
    await mkdir(join(folder, 's3cmd'));
    await run('s3cmd', ...hosts, 'sync', 's3://s3cmd/a/', `${join(folder, 's3cmd')}/`);
    await isSame('s3cmd');
    await run('s3cmd', ...hosts, 'cp', 's3://s3cmd/a/empty', 's3://s3cmd/copy');
    await run('s3cmd', ...hosts, 'mv', 's3://s3cmd/copy', 's3://s3cmd/moved');
    const moved = `${platform.endpoint}/s3cmd/moved`;
    const rules = ['--ownership-controls', 'Rules=[{ObjectOwnership=ObjectWriter}]'];
    await run('aws', 's3api', 'put-bucket-ownership-controls', '--bucket', 's3cmd', ...rules);
    await run('s3cmd', ...hosts, 'setacl', '--acl-public', 's3://s3cmd/moved');
    assert.equal((await fetch(moved)).status, 200);
    await run('s3cmd', ...hosts, 'setacl', '--acl-private', 's3://s3cmd/moved');
    assert.equal((await fetch(moved)).status, 403);
    await run('aws', 's3api', 'put-object-acl', '--bucket', 's3cmd', '--key', 'moved', '--acl', 'public-read');
    assert.equal((await fetch(moved)).status, 200);
  });

  it('restic keeps backups', { skip: without('restic') }, async () => {
    const options = ['--repo', `s3:${platform.endpoint}/restic/deep`, '--no-cache'];
    env = { ...env, RESTIC_PASSWORD: 'a password' };
    await run('restic', ...options, 'init');
    await run('restic', ...options, 'backup', source);
    await run('restic', ...options, 'check', '--read-data');
    await run('restic', ...options, 'restore', 'latest', '--target', join(folder, 'restic'));
    await isSame(join('restic', source));
  });
});

function finished(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return new Promise<{ readonly output: string; readonly status: number | null }>((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    let output = '';
    const take = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('close', (status) => resolve({ output, status }));
  });
}
