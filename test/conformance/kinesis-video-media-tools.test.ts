import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MediaConsumer } from '../harness/media-consumer.ts';
import type { WireAck } from '../harness/media-producer.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

const FFMPEG = 'ffmpeg';
const FFPROBE = 'ffprobe';
const MKVINFO = 'mkvinfo';

const has = (tool: string, ...args: string[]): boolean => spawnSync(tool, args, { timeout: 30_000 }).status === 0;
const missing = (what: string, isThere: boolean): string | false => (isThere ? false : `${what} is not installed`);
const withoutFfmpeg = missing('ffmpeg', has(FFMPEG, '-version') && has(FFPROBE, '-version'));
const withoutCurl = missing('curl with --aws-sigv4', has('curl', '--aws-sigv4', 'aws:amz', '--version'));

/** A film of three seconds, a fragment a second, as a camera's encoder writes it. */
const CAMERA = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25:duration=3', '-f', 'lavfi', '-i'];
const SOUND = ['sine=frequency=440:duration=3', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'aac'];
const MATROSKA = ['-f', 'matroska', '-cluster_time_limit', '1000'];

describe('PutMedia and GetMedia, by tools that others wrote', { skip: withoutFfmpeg || withoutCurl }, () => {
  let video: VideoPlatform;
  let folder: string;
  let acks: readonly WireAck[];
  /** What GetMedia gives of the film. */
  let film: string;

  before(async () => {
    video = await VideoPlatform.start();
    folder = await mkdtemp(join(tmpdir(), 'coffer-tools-'));
    await video.createStream('camera');
    acks = await putByCurl('camera', []);
    const consumer = await MediaConsumer.open(video.media, 'camera', 'EARLIEST');
    const chunks = await consumer.take(acks.filter((ack) => ack.EventType === 'PERSISTED').length);
    consumer.close();
    film = join(folder, 'film.mkv');
    await writeFile(film, Buffer.concat(chunks.map((chunk) => chunk.bytes)));
  });
  after(async () => {
    await video.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** ffmpeg writes Matroska into a pipe, curl signs it and sends it as it comes. */
  async function putByCurl(stream: string, muxing: readonly string[]): Promise<readonly WireAck[]> {
    const { accessKeyId, secretAccessKey } = video.credentials;
    const ffmpeg = spawn(FFMPEG, [...CAMERA, ...SOUND, ...MATROSKA, ...muxing, 'pipe:1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const headers = [`x-amzn-stream-name: ${stream}`, 'x-amzn-fragment-timecode-type: RELATIVE'];
    const start = 'x-amzn-producer-start-timestamp: 1795260000.000';
    const signing = ['-sS', '-X', 'POST', '--aws-sigv4', 'aws:amz:us-east-1:kinesisvideo'];
    const user = ['--user', `${accessKeyId}:${secretAccessKey}`];
    const given = [...headers, start, 'Transfer-Encoding: chunked'].flatMap((header) => ['-H', header]);
    const args = [...signing, ...user, ...given, '-T', '-', `${video.platform.endpoint}/putMedia`];
    const curl = spawn('curl', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    ffmpeg.stdout.pipe(curl.stdin);
    const lines = Buffer.concat(await Array.fromAsync(curl.stdout as AsyncIterable<Buffer>)).toString();
    return lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as WireAck]));
  }

  it('takes what ffmpeg writes, sent by curl as it comes', () => {
    const persisted = acks.filter((ack) => ack.EventType === 'PERSISTED');
    assert.ok(persisted.length >= 3, JSON.stringify(acks));
    assert.ok(!acks.some((ack) => ack.EventType === 'ERROR'), JSON.stringify(acks));
  });

  it('takes it in ffmpeg’s live form too, where no size is known', async () => {
    await video.createStream('live');
    const live = await putByCurl('live', ['-live', '1', '-dash', '0']);
    assert.ok(live.filter((ack) => ack.EventType === 'PERSISTED').length >= 3, JSON.stringify(live));
    assert.ok(!live.some((ack) => ack.EventType === 'ERROR'));
  });

  it('gives each fragment as a Matroska file that ffprobe reads and ffmpeg decodes', async () => {
    const consumer = await MediaConsumer.open(video.media, 'camera', 'EARLIEST');
    const [, second] = await consumer.take(2);
    consumer.close();
    const path = join(folder, 'second.mkv');
    await writeFile(path, second?.bytes ?? '');
    const probe = spawnSync(FFPROBE, ['-v', 'error', '-show_streams', '-of', 'json', path]);
    assert.equal(probe.stderr.toString(), '');
    const { streams } = JSON.parse(probe.stdout.toString()) as { streams: { codec_name: string }[] };
    assert.deepEqual(
      streams.map((each) => each.codec_name),
      ['h264', 'aac'],
    );
    const decoded = spawnSync(FFMPEG, ['-v', 'error', '-i', path, '-map', '0:v', '-f', 'null', '-']);
    assert.equal(decoded.stderr.toString(), '');
  });

  it('gives what mkvinfo accepts', { skip: missing('mkvinfo', has(MKVINFO, '--version')) }, async () => {
    const consumer = await MediaConsumer.open(video.media, 'camera', 'EARLIEST');
    const chunks = await consumer.take(3);
    consumer.close();
    for (const [index, chunk] of chunks.entries()) {
      const path = join(folder, `${index}.mkv`);
      await writeFile(path, chunk.bytes);
      const { stdout, status } = spawnSync(MKVINFO, ['--all', path]);
      const text = stdout.toString();
      assert.equal(status, 0, text);
      assert.doesNotMatch(text, /error|unknown element|invalid/i);
      assert.match(text, new RegExp(`AWS_KINESISVIDEO_FRAGMENT_NUMBER[^]*${chunk.tags.get('FRAGMENT_NUMBER')}`));
      assert.match(text, /Cluster[^]*AWS_KINESISVIDEO_CONTINUATION_TOKEN/);
    }
  });

  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: folder,
    PYENV_ROOT: process.env['PYENV_ROOT'],
    AWS_ENDPOINT_URL: video.platform.endpoint,
    AWS_ACCESS_KEY_ID: video.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: video.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
  });

  it('is read by boto3', { skip: missing('boto3', has('python3', '-c', 'import boto3')) }, async () => {
    const expected = await readFile(film);
    const script = `
import boto3, hashlib
endpoint = boto3.client('kinesisvideo').get_data_endpoint(StreamName='camera', APIName='GET_MEDIA')['DataEndpoint']
media = boto3.client('kinesis-video-media', endpoint_url=endpoint)
answer = media.get_media(StreamName='camera', StartSelector={'StartSelectorType': 'EARLIEST'})
assert answer['ContentType'] == 'video/webm'
print(len(answer['Payload'].read(${expected.length})))
`;
    const { stdout, stderr, status } = await runTool('python3', ['-c', script], environment());
    assert.equal(status, 0, stderr);
    assert.equal(stdout.trim(), String(expected.length));
  });

  it('is read by the AWS CLI', { skip: missing('the AWS CLI', has('aws', '--version')) }, async () => {
    const out = join(folder, 'cli.mkv');
    const selector = 'StartSelectorType=EARLIEST';
    const args = ['kinesis-video-media', 'get-media', '--stream-name', 'camera', '--start-selector', selector, out];
    const child = spawn('aws', args, { env: environment(), stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const sizeOf = () =>
      stat(out).then(
        ({ size }) => size,
        () => 0,
      );
    for (let tries = 0; (await sizeOf()) === 0 && tries < 600; tries++) await delay(50);
    // The answer goes on for as long as the stream lives: the reader ends it.
    child.kill('SIGINT');
    await ended;
    const written = await readFile(out);
    assert.ok(written.length > 1000, `${written.length} bytes`);
    assert.ok((await readFile(film)).subarray(0, written.length).equals(written));
  });
});

function runTool(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve } = Promise.withResolvers<{ stdout: string; stderr: string; status: number | null }>();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  child.on('close', (status) => resolve({ stdout, stderr, status }));
  return promise;
}
