import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeTestVideo } from '#media/test-video.ts';
import { startTestPlatform } from '../harness/platform.ts';

const script = fileURLToPath(new URL('../fixtures/tour_boto3.py', import.meta.url));
const hasBoto3 = spawnSync('python3', ['-c', 'import boto3']).status === 0;

describe('the tour of the README, with boto3', { skip: hasBoto3 ? false : 'boto3 is not installed' }, () => {
  it('works with the default settings', async () => {
    await using platform = await startTestPlatform();
    const folder = await mkdtemp(join(tmpdir(), 'coffer-boto3-'));
    const video = join(folder, 'video.mp4');
    await writeFile(video, await makeTestVideo({ seconds: 3, width: 320, height: 180 }));
    const { credentials } = platform.clientConfig();
    const { output, status } = await run('python3', [script, video], {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
    });
    await rm(folder, { recursive: true });
    assert.equal(status, 0, output);
    assert.match(output, /^OK 123456789012/m);
  });
});

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return new Promise<{ readonly output: string; readonly status: number | null }>((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('close', (status) => resolve({ output, status }));
  });
}
