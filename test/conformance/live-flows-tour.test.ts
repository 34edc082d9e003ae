import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { freePorts, withoutSrtTools } from '../harness/live-tools.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const withoutAwsCli = spawnSync('aws', ['--version']).status === 0 ? false : 'the AWS CLI is not installed';

describe('the tour of live flows, with the AWS CLI', {
  skip: withoutAwsCli || withoutSrtTools || withoutFfmpeg,
}, () => {
  let platform: TestPlatform;
  let folder: string;

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'coffer-live-tour-'));
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  /** All blocks as one script, as a reader would paste them one after another. */
  function run(script: string): Promise<{ readonly output: string; readonly status: number | null }> {
    const { credentials } = platform.clientConfig();
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '',
      ACCOUNT: '444455556666',
    };
    return new Promise((done) => {
      const child = spawn('bash', ['-e', '-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data: Buffer) => {
          output += data.toString();
        });
      }
      child.on('close', (status) => done({ output, status }));
    });
  }

  it('does what it says, line by line', async () => {
    const tour = await readFile(join(root, 'docs/live-flows.md'), 'utf8');
    const blocks = [...tour.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    assert.equal(blocks.length, 8);
    const [input, output] = [await freePorts(), await freePorts()];
    const script = blocks.join('\n').replaceAll('5001', String(input)).replaceAll('5002', String(output));
    const { output: said, status } = await run(script);
    assert.equal(status, 0, said);
    assert.match(said, /^h264,640,360$/m);
    assert.match(said, /arn:aws:mediaconnect:us-east-1:123456789012:entitlement:/);
    for (const name of ['venue-source', 'taker-output', 'partner'])
      assert.match(said, new RegExp(`GetSecretValue|${name}`));
  });
});
