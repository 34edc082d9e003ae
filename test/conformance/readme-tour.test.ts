import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GetJobCommand, ListJobsCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { makeTestVideo } from '#media/test-video.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const hasAwsCli = spawnSync('aws', ['--version']).status === 0;

/** The shell blocks of the README's tour, as a reader would paste them one after another. */
async function tourBlocks(): Promise<string[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const tour = readme.slice(readme.indexOf('## A tour with the AWS CLI'), readme.indexOf('## Documentation'));
  return [...tour.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
}

describe('the tour of the README, with the AWS CLI', {
  skip: hasAwsCli ? false : 'the AWS CLI is not installed',
}, () => {
  let platform: TestPlatform;
  let folder: string;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'coffer-tour-'));
    await writeFile(join(folder, 'my-video.mp4'), await makeTestVideo({ seconds: 4, width: 640, height: 360 }));
    const { credentials } = platform.clientConfig();
    environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '',
    };
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  /** Runs a script in the tour's folder; variables of earlier blocks are kept in a file, as a shell would keep them. */
  function run(script: string): Promise<{ readonly output: string; readonly status: number | null }> {
    const kept = `set -a; [ -f vars ] && . ./vars; ${script}\nstatus=$?; declare -p KEY ROLE JOB 2>/dev/null > vars; exit $status`;
    return new Promise((done) => {
      const child = spawn('bash', ['-c', kept], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      child.stdout.on('data', (data: Buffer) => {
        output += data.toString();
      });
      child.stderr.on('data', (data: Buffer) => {
        output += data.toString();
      });
      child.on('close', (status) => done({ output, status }));
    });
  }

  async function jobEnd() {
    const client = new MediaConvertClient(platform.clientConfig());
    const { Jobs } = await client.send(new ListJobsCommand({}));
    const Id = Jobs?.[0]?.Id ?? '';
    for (let i = 0; i < 600; i++) {
      const { Job } = await client.send(new GetJobCommand({ Id }));
      if (Job?.Status !== 'SUBMITTED' && Job?.Status !== 'PROGRESSING') return Job;
      await new Promise((wait) => setTimeout(wait, 200));
    }
    throw new Error('The job does not end.');
  }

  it('does what it says, line by line', async () => {
    const blocks = await tourBlocks();
    assert.equal(blocks.length, 8);
    const [keyAndInput = '', output = '', role = '', job = '', camera = '', trail = '', rights = '', verify = ''] =
      blocks;
    // `npx coffer` is the launcher of this very folder.
    const launcher = `COFFER_DATA=${platform.dataFolder} ${process.execPath} ${join(root, 'bin/coffer.mjs')}`;

    const first = await run(keyAndInput);
    assert.equal(first.status, 0, first.output);
    assert.match(first.output, /"ServerSideEncryption": "aws:kms"/);

    const second = await run(output);
    assert.equal(second.status, 0, second.output);
    assert.match(second.output, /AccessDenied.*explicit deny in a resource-based policy/s);

    const third = await run(role);
    assert.equal(third.status, 0, third.output);

    // The job runs while a reader reads on; here it is waited for between the commands that start and that look.
    const [start = '', look = ''] = job.split(/(?=aws mediaconvert get-job)/);
    const fourth = await run(start);
    assert.equal(fourth.status, 0, fourth.output);
    const ended = await jobEnd();
    assert.equal(ended?.Status, 'COMPLETE', ended?.ErrorMessage ?? 'no message');
    const fifth = await run(look);
    assert.equal(fifth.status, 0, fifth.output);
    assert.match(fifth.output, /mp4\/my-video\.mp4/);
    const files = await readdir(join(folder, 'hls'));
    assert.ok(files.includes('my-video.m3u8') && files.includes('my-video_360p_00001.ts'), files.join(' '));

    const sixth = await run(camera.replaceAll('npx coffer', launcher));
    assert.equal(sixth.status, 0, sixth.output);
    assert.match(sixth.output, /PERSISTED/);
    assert.match(sixth.output, /http:\S+getHLSMasterPlaylist\.m3u8\?SessionToken=/);
    assert.match(sixth.output, /"FragmentNumber": "\d{47}"/);
    const clip = await readFile(join(folder, 'clip.mp4'));
    assert.equal(clip.toString('latin1', 4, 8), 'ftyp');

    const seventh = await run(trail);
    assert.equal(seventh.status, 0, seventh.output);
    assert.match(seventh.output, /GenerateDataKey/);

    const rest = await run(rights.replace('npx coffer', launcher));
    assert.equal(rest.status, 0, rest.output);
    assert.match(rest.output, /"s3:PutObject"/);
    assert.match(rest.output, /"kms:ViaService"/);

    const eighth = await run(verify.replace('npx coffer', launcher));
    assert.equal(eighth.status, 0, eighth.output);
    assert.match(eighth.output, /No damage was found/);
  });
});
