import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chunksOf, createStream, putFragments } from '../harness/archived-video.ts';
import { type ColouredVideo, makeColouredVideo } from '../harness/coloured-video.ts';
import { openPicture } from '../harness/picture.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const script = fileURLToPath(new URL('../fixtures/archived_boto3.py', import.meta.url));
const hasBoto3 = spawnSync('python3', ['-c', 'import boto3']).status === 0;
const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const hasCli = has('aws');
const hasMkvinfo = has('mkvinfo');

const BASE = Date.UTC(2026, 5, 1, 12);

describe('archived media in others’ tools', () => {
  let platform: TestPlatform;
  let folder: string;
  let video: ColouredVideo;
  let numbers: string[];

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'coffer-archived-'));
    video = await makeColouredVideo({ colours: ['red', 'lime', 'blue'] });
    await createStream(platform, 'camera');
    const clusters = video.fragments.map((fragment) => fragment.cluster(BASE));
    numbers = await putFragments(platform, 'camera', video.header, clusters);
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  async function run(command: string, args: readonly string[]): Promise<string> {
    const { credentials } = platform.clientConfig();
    const { PATH, PYENV_ROOT } = process.env;
    const child = spawn(command, args, {
      cwd: folder,
      env: {
        PATH,
        ...(PYENV_ROOT && { PYENV_ROOT }),
        HOME: folder,
        AWS_ENDPOINT_URL: platform.endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(status, 0, output + errors);
    return output;
  }

  const colourOf = async (content: string) => (await openPicture(Buffer.from(content, 'base64'))).colour;
  const clusters = () => video.fragments.map((fragment) => fragment.cluster(BASE));

  it('is listed, read and shown by boto3', { skip: !hasBoto3 && 'boto3 is not installed' }, async () => {
    const found = JSON.parse(await run('python3', [script, 'camera', `${BASE / 1000}`, `${BASE / 1000 + 2.5}`]));
    assert.deepEqual(found.numbers, numbers);
    assert.deepEqual(
      found.times,
      [0, 1, 2].map((second) => BASE / 1000 + second),
    );
    assert.equal(found.contentType, 'video/webm');
    const chunks = chunksOf(Buffer.from(found.payload, 'base64'));
    assert.deepEqual(
      chunks.map(({ cluster }) => cluster),
      clusters(),
    );
    assert.deepEqual(await Promise.all(found.images.map(colourOf)), ['red', 'lime', 'blue']);
    assert.deepEqual(found.errors, [null, null, null]);
  });

  it('is listed, read and shown by the AWS CLI', { skip: !hasCli && 'the AWS CLI is not installed' }, async () => {
    const at = (seconds: number) => new Date(BASE + seconds * 1000).toISOString();
    const aws = (operation: string, ...args: string[]) =>
      run('aws', ['kinesis-video-archived-media', operation, '--stream-name', 'camera', ...args]);
    const range = `TimestampRange={StartTimestamp=${at(0)},EndTimestamp=${at(9)}}`;
    const selector = `FragmentSelectorType=PRODUCER_TIMESTAMP,${range}`;
    const listed = JSON.parse(await aws('list-fragments', '--fragment-selector', selector, '--max-results', '2'));
    assert.deepEqual(
      listed.Fragments.map((fragment: { FragmentNumber: string }) => fragment.FragmentNumber),
      numbers.slice(0, 2),
    );
    const next = JSON.parse(await aws('list-fragments', '--next-token', listed.NextToken));
    assert.equal(next.Fragments[0].FragmentNumber, numbers[2]);

    // Given last, the name of the file would be taken for a fragment's number.
    await aws('get-media-for-fragment-list', 'out.mkv', '--fragments', JSON.stringify(numbers));
    const media = await readFile(join(folder, 'out.mkv'));
    assert.deepEqual(
      chunksOf(media).map(({ cluster }) => cluster),
      clusters(),
    );

    const times = ['--start-timestamp', at(1), '--end-timestamp', at(1)];
    const form = ['--format', 'JPEG', '--format-config', 'JPEGQuality=90', '--height-pixels', '24'];
    const shown = JSON.parse(await aws('get-images', '--image-selector-type', 'PRODUCER_TIMESTAMP', ...times, ...form));
    assert.equal(await colourOf(shown.Images[0].ImageContent), 'lime');
  });

  it('is Matroska to mkvinfo, also where a fragment is missing', {
    skip: !(hasCli && hasMkvinfo) && 'the AWS CLI and mkvinfo are needed',
  }, async () => {
    // One at a time: where a stream of unknown size ends, mkvinfo wonders.
    for (const [number, name] of [
      [numbers[0] ?? '', 'whole.mkv'],
      ['7', 'missing.mkv'],
    ] as const) {
      const args = ['get-media-for-fragment-list', '--stream-name', 'camera', name, '--fragments', number];
      await run('aws', ['kinesis-video-archived-media', ...args]);
      const told = await run('mkvinfo', ['--all', name]);
      assert.match(told, /Document type: matroska/);
      assert.match(told, /Name: AWS_KINESISVIDEO_FRAGMENT_NUMBER/);
      if (name === 'whole.mkv') assert.match(told, /Codec ID: V_MPEG4\/ISO\/AVC/);
    }
  });
});
