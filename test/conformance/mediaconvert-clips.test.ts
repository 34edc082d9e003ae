import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CreateKeyCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateJobCommand, type Input, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '#test/harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';

const SECONDS = 10;

let platform: TestPlatform;
let s3: S3Client;
let mediaconvert: MediaConvertClient;
let role: string;
let film: Buffer;
let folder: string;

/**
 * A film whose brightness says which second it is: 20 and 20 more for each, from black level. Its sound is silent in odd
 * seconds.
 */
async function makeFilm(name: string, ...extra: string[]): Promise<Buffer> {
  const path = join(folder, name);
  const picture = `color=black:s=320x180:r=25:d=${SECONDS},geq=lum='20+20*floor(T)':cb=128:cr=128`;
  const sound = `aevalsrc='0.5*sin(880*PI*t)*(1-mod(floor(t),2))':s=48000:d=${SECONDS}`;
  const codecs = '-c:v libx264 -preset ultrafast -g 50 -bf 2 -c:a aac'.split(' ');
  const sources = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound];
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', ...sources, ...codecs, ...extra, path]);
  assert.equal(status, 0, stderr.toString());
  return readFile(path);
}

async function store(Key: string, Body: Buffer): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body }));
}

function inputOf(name: string, extra: Partial<Input>): Input {
  const AudioSelectors = { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' as const } };
  return { FileInput: `s3://source/${name}`, AudioSelectors, ...extra };
}

async function run(inputs: Input[], name: string) {
  const { Settings, ...request } = jobOf(role, '', [mp4Group({ destination: `s3://outputs/${name}` })]);
  const command = new CreateJobCommand({ ...request, Settings: { ...Settings, Inputs: inputs } });
  const { Job: job } = await mediaconvert.send(command);
  return jobEnd(mediaconvert, job?.Id);
}

/** Which second of the film each picture of an output shows, and in which tenths of seconds there is sound. */
async function watch(name: string) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key: `${name}-180p.mp4` }));
  const path = join(folder, 'out.mp4');
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  await writeFile(path, bytes);
  const decode = (...args: string[]): Buffer => {
    const { stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-i', path, ...args, '-'], { maxBuffer: 2 ** 28 });
    assert.equal(stderr.toString(), '');
    return stdout;
  };
  const pictures = decode('-map', '0:v', '-vf', 'scale=2:2,format=yuv420p', '-f', 'rawvideo');
  const sound = decode('-map', '0:a', '-ac', '1', '-ar', '48000', '-f', 's16le');
  // Four bytes of brightness and two of colour.
  const brightness = Array.from({ length: pictures.length / 6 }, (_, index) => pictures[index * 6] ?? 0);
  const seconds = brightness.map((value) => Math.round(Math.max(0, value - 20) / 20));
  const tenths: boolean[] = [];
  for (let at = 0; at + 9600 <= sound.length; at += 9600) {
    let most = 0;
    for (let sample = at; sample < at + 9600; sample += 2) most = Math.max(most, Math.abs(sound.readInt16LE(sample)));
    tenths.push(most > 3000);
  }
  return { seconds, tenths, soundSeconds: sound.length / 96_000 };
}

const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('input clips', { skip: withoutFfmpeg }, () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-clips-'));
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    s3 = new S3Client(config);
    mediaconvert = new MediaConvertClient(config);
    for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
    role = await makeMediaRole(config, 'Media', [OBJECTS, { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }]);
    film = await makeFilm('film.mp4');
    await store('film.mp4', film);
  });
  after(async () => {
    for (const client of [s3, mediaconvert]) client?.destroy();
    await platform?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  test('are cut to the picture and joined in their order, with their sound', async () => {
    const clips = [
      { StartTimecode: '00:00:06:10', EndTimecode: '00:00:07:09' },
      { EndTimecode: '00:00:00:24' },
      { StartTimecode: '00:00:09:00' },
    ];
    const job = await run([inputOf('film.mp4', { TimecodeSource: 'ZEROBASED', InputClippings: clips })], 'joined');
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    const { seconds, tenths, soundSeconds } = await watch('joined');
    assert.deepEqual(seconds, [...times(15, 6), ...times(10, 7), ...times(25, 0), ...times(25, 9)]);
    assert.ok(Math.abs(soundSeconds - 3) < 0.1, `${soundSeconds} seconds of sound`);
    // Sixths of the film sound, sevenths are silent; what lies on an edge may be either.
    const inside = (from: number, to: number): boolean[] => tenths.slice(from, to);
    assert.ok(inside(0, 5).every(Boolean), 'second 6 sounds');
    assert.ok(
      inside(7, 10).every((sounds) => !sounds),
      'second 7 is silent',
    );
    assert.ok(inside(11, 19).every(Boolean), 'second 0 sounds');
    assert.ok(
      inside(21, 29).every((sounds) => !sounds),
      'second 9 is silent',
    );
  });

  test('of several inputs follow one another, encrypted ones and transport streams among them', async () => {
    await store('film.ts', await makeFilm('film.ts'));
    const kms = new KMSClient(platform.clientConfig());
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const EncryptionContext = { service: 'mediaconvert.amazonaws.com' };
    const { Plaintext, CiphertextBlob } = await kms.send(
      new GenerateDataKeyCommand({ KeyId: KeyMetadata?.KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    kms.destroy();
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', Plaintext ?? Buffer.alloc(32), iv);
    await store('film.enc', Buffer.concat([cipher.update(film), cipher.final(), cipher.getAuthTag()]));
    const clip = (second: number) => ({
      TimecodeSource: 'ZEROBASED' as const,
      InputClippings: [
        { StartTimecode: `00:00:0${second}:00`, EndTimecode: `00:00:0${second}:24` },
        { StartTimecode: `00:00:0${second + 1}:00`, EndTimecode: `00:00:0${second + 1}:04` },
      ],
    });
    const DecryptionSettings = {
      DecryptionMode: 'AES_GCM' as const,
      EncryptedDecryptionKey: Buffer.from(CiphertextBlob ?? []).toString('base64'),
      InitializationVector: iv.toString('base64'),
    };
    const inputs = [inputOf('film.enc', { ...clip(3), DecryptionSettings }), inputOf('film.ts', clip(5))];
    const job = await run(inputs, 'several');
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    const { seconds } = await watch('several');
    assert.deepEqual(seconds, [...times(25, 3), ...times(5, 4), ...times(25, 5), ...times(5, 6)]);
  });

  test('count from the timecode that the input has, or is said to have', async () => {
    await store('coded.mov', await makeFilm('coded.mov', '-timecode', '10:00:00:00'));
    const InputClippings = [{ StartTimecode: '10:00:02:00', EndTimecode: '10:00:02:24' }];
    const embedded = await run([inputOf('coded.mov', { InputClippings })], 'embedded');
    assert.equal(embedded.Status, 'COMPLETE', embedded.ErrorMessage ?? '');
    assert.deepEqual((await watch('embedded')).seconds, times(25, 2));
    const said = { TimecodeSource: 'SPECIFIEDSTART', TimecodeStart: '09:59:58:00', InputClippings } as const;
    const specified = await run([inputOf('film.mp4', said)], 'specified');
    assert.equal(specified.Status, 'COMPLETE', specified.ErrorMessage ?? '');
    assert.deepEqual((await watch('specified')).seconds, times(25, 4));
  });

  test('that are not in the input end the job with 1060', async () => {
    const cases: readonly Partial<Input>[] = [
      { TimecodeSource: 'ZEROBASED', InputClippings: [{ StartTimecode: '00:00:10:00' }] },
      { TimecodeSource: 'ZEROBASED', InputClippings: [{ StartTimecode: '00:00:01:25' }] },
      { InputClippings: [{ StartTimecode: '00:00:01:00' }] },
      {
        TimecodeSource: 'SPECIFIEDSTART',
        TimecodeStart: '01:00:00:00',
        InputClippings: [{ EndTimecode: '00:59:00:00' }],
      },
    ];
    for (const extra of cases) {
      const job = await run([inputOf('film.mp4', extra)], 'absent');
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1060], `${JSON.stringify(extra)}: ${job.ErrorMessage}`);
    }
  });

  test('that say nothing, or end before they begin, are refused by the JSON pointer', async () => {
    const at = '/inputs/0/inputClippings/0';
    const cases: readonly (readonly [Partial<Input>, string])[] = [
      [{ InputClippings: [{}] }, `${at}: Should have a startTimecode, an endTimecode, or both`],
      [
        { InputClippings: [{ StartTimecode: '00:00:02:00', EndTimecode: '00:00:01:24' }] },
        `${at}/endTimecode: Should not be before startTimecode`,
      ],
      [{ InputClippings: [{ StartTimecode: 'soon' }] }, `${at}/startTimecode: Should match`],
      [
        { TimecodeSource: 'SPECIFIEDSTART', InputClippings: [{ StartTimecode: '00:00:02:00' }] },
        '/inputs/0: timecodeStart is a required property with timecodeSource SPECIFIEDSTART',
      ],
    ];
    for (const [extra, message] of cases) {
      await assert.rejects(run([inputOf('film.mp4', extra)], 'x'), (error: Error) => {
        assert.equal(error.name, 'BadRequestException');
        assert.ok(error.message.includes(message), error.message);
        return true;
      });
    }
  });
});
