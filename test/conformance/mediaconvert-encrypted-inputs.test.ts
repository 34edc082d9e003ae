import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateKeyCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateJobCommand,
  type Input,
  type InputDecryptionSettings,
  MediaConvertClient,
} from '@aws-sdk/client-mediaconvert';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { probeMedia } from '#media/probe-media.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { filesUnder } from '#test/harness/files-under.ts';
import { jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '#test/harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';

const CONTEXT = { service: 'mediaconvert.amazonaws.com' };
const HOME = 'us-east-1';
const AWAY = 'eu-central-1';

let platform: TestPlatform;
let s3: S3Client;
let kms: KMSClient;
let mediaconvert: MediaConvertClient;
let keyArn: string;
let role: string;
let film: Buffer;
/** Every data key of these tests, in the clear. */
const plainKeys: Uint8Array[] = [];

interface DataKey {
  readonly plain: Buffer;
  readonly encrypted: string;
}

/** A data key as the user of the guide makes it, with the context that MediaConvert asks for. */
async function makeDataKey(length = 32, context: Record<string, string> = CONTEXT, client = kms, KeyId = keyArn) {
  const command = new GenerateDataKeyCommand({ KeyId, NumberOfBytes: length, EncryptionContext: context });
  const { Plaintext, CiphertextBlob } = await client.send(command);
  const plain = Buffer.from(Plaintext ?? []);
  plainKeys.push(plain);
  return { plain, encrypted: Buffer.from(CiphertextBlob ?? []).toString('base64') };
}

type Mode = 'AES_CTR' | 'AES_CBC' | 'AES_GCM';

function encrypt(mode: Mode, key: Buffer, iv: Buffer, bytes: Buffer): Buffer {
  const bits = key.length * 8;
  if (mode === 'AES_GCM') {
    const cipher = createCipheriv(`aes-${bits as 256}-gcm`, key, iv);
    return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
  const vector = Buffer.concat([iv, Buffer.alloc(16 - iv.length)]);
  const cipher = createCipheriv(`aes-${bits}-${mode === 'AES_CTR' ? 'ctr' : 'cbc'}`, key, vector);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

/** Encrypts the film and stores it; returns it as an input. */
async function storeEncrypted(name: string, mode: Mode, ivLength: number, key: DataKey, sse = false): Promise<Input> {
  const iv = randomBytes(ivLength);
  await store(name, encrypt(mode, key.plain, iv, film), sse);
  return inputOf(name, {
    DecryptionMode: mode,
    EncryptedDecryptionKey: key.encrypted,
    InitializationVector: iv.toString('base64'),
  });
}

async function store(Key: string, Body: Buffer, sse = false): Promise<void> {
  const encryption = sse ? { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: keyArn } : {};
  await s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body, ...encryption }));
}

function inputOf(name: string, DecryptionSettings?: InputDecryptionSettings): Input {
  return {
    FileInput: `s3://source/${name}`,
    AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } },
    ...(DecryptionSettings !== undefined && { DecryptionSettings }),
  };
}

async function run(inputs: Input[], name: string, roleArn = role) {
  const { Settings, ...request } = jobOf(roleArn, '', [mp4Group({ destination: `s3://outputs/${name}` })]);
  const command = new CreateJobCommand({ ...request, Settings: { ...Settings, Inputs: inputs } });
  const { Job: job } = await mediaconvert.send(command);
  return jobEnd(mediaconvert, job?.Id);
}

async function assertNothingWritten(name: string): Promise<void> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix: name }));
  assert.deepEqual(Contents, []);
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'outputs' }));
  assert.deepEqual(Uploads, []);
}

before(async () => {
  platform = await startTestPlatform();
  const config = platform.clientConfig();
  s3 = new S3Client(config);
  kms = new KMSClient(config);
  mediaconvert = new MediaConvertClient(config);
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
  // The index stands at the end: FFmpeg has to jump there and back.
  film = await makeTestVideo({ seconds: 2, width: 320, height: 180, bitrate: 2_000_000, moov: 'end' });
  role = await makeMediaRole(config, 'Media', [OBJECTS, { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }]);
});

after(async () => {
  for (const client of [s3, kms, mediaconvert]) client.destroy();
  await platform.stop();
});

describe('inputs that were encrypted before they were stored', () => {
  test('are transcoded, each by its own settings, on top of SSE-KMS too, and beside inputs in the clear', async () => {
    await store('clear.mp4', film);
    const inputs = [
      await storeEncrypted('ctr-16.mp4', 'AES_CTR', 16, await makeDataKey()),
      await storeEncrypted('ctr-12.mp4', 'AES_CTR', 12, await makeDataKey(16), true),
      inputOf('clear.mp4'),
      await storeEncrypted('cbc.mp4', 'AES_CBC', 16, await makeDataKey(24), true),
      await storeEncrypted('gcm-12.mp4', 'AES_GCM', 12, await makeDataKey(), true),
      await storeEncrypted('gcm-16.mp4', 'AES_GCM', 16, await makeDataKey(16)),
    ];
    const job = await run(inputs, 'all');
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    assert.deepEqual(job.Settings?.Inputs, inputs);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key: 'all-180p.mp4' }));
    const written = await probeMedia(Buffer.from((await Body?.transformToByteArray()) ?? []));
    assert.deepEqual(
      written.streams.map(({ codec }) => codec),
      ['h264', 'aac'],
    );
    assert.ok(Math.abs((written.durationSeconds ?? 0) - 12) < 0.2, `${written.durationSeconds} seconds`);
  });

  test('may come from the openssl command', {
    skip: spawnSync('openssl', ['version']).error !== undefined,
  }, async () => {
    const inputs: Input[] = [];
    for (const mode of ['cbc', 'ctr']) {
      const { plain, encrypted } = await makeDataKey();
      const iv = randomBytes(16);
      const args = ['enc', `-aes-256-${mode}`, '-K', plain.toString('hex'), '-iv', iv.toString('hex')];
      const { stdout } = spawnSync('openssl', args, { input: film, maxBuffer: 2 ** 26 });
      await store(`openssl-${mode}.mp4`, stdout);
      const decryption: InputDecryptionSettings = {
        DecryptionMode: mode === 'cbc' ? 'AES_CBC' : 'AES_CTR',
        EncryptedDecryptionKey: encrypted,
        InitializationVector: iv.toString('base64'),
      };
      inputs.push(inputOf(`openssl-${mode}.mp4`, decryption));
    }
    const job = await run(inputs, 'openssl');
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  });

  test('may have their key in another Region, which has to be named', async () => {
    const away = new KMSClient(platform.clientConfig(undefined, AWAY));
    try {
      const { KeyMetadata } = await away.send(new CreateKeyCommand({}));
      const key = await makeDataKey(32, CONTEXT, away, KeyMetadata?.Arn);
      const input = await storeEncrypted('away.mp4', 'AES_GCM', 12, key);
      const named = { ...input, DecryptionSettings: { ...input.DecryptionSettings, KmsKeyRegion: AWAY } };
      assert.equal((await run([named], 'away')).Status, 'COMPLETE');
      const job = await run([input], 'lost');
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1401], job.ErrorMessage ?? '');
      assert.match(
        job.ErrorMessage ?? '',
        new RegExp(`does not exist in this Region.*looked for in ${HOME}; kmsKeyRegion`),
      );
    } finally {
      away.destroy();
    }
  });

  test('need no more of the role than Decrypt with MediaConvert as context, and the audit log says who asked', async () => {
    const Condition = { StringEquals: { 'kms:EncryptionContext:service': CONTEXT.service } };
    const statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: keyArn, Condition };
    const narrow = await makeMediaRole(platform.clientConfig(), 'Narrow', [OBJECTS, statement]);
    const job = await run([await storeEncrypted('narrow.mp4', 'AES_CTR', 16, await makeDataKey())], 'narrow', narrow);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    const trail = new CloudTrailClient(platform.clientConfig());
    const { Events: events = [] } = await trail.send(
      new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'Decrypt' }] }),
    );
    trail.destroy();
    const seen = events
      .map(({ CloudTrailEvent }) => CloudTrailEvent ?? '')
      .find((text) => text.includes(job.Id ?? '-'));
    assert.ok(seen !== undefined, 'the decryption of the data key is in the audit log');
    assert.match(seen, /assumed-role\/Narrow\/MediaConvert-/);
    assert.match(seen, /"service":"mediaconvert\.amazonaws\.com"/);
  });
});

describe('a job ends in ERROR, with nothing written,', () => {
  test('when one bit of an AES_GCM input was changed, wherever it is: 1010', async () => {
    const key = await makeDataKey();
    const iv = randomBytes(12);
    const sound = encrypt('AES_GCM', key.plain, iv, film);
    const settings: InputDecryptionSettings = {
      DecryptionMode: 'AES_GCM',
      EncryptedDecryptionKey: key.encrypted,
      InitializationVector: iv.toString('base64'),
    };
    await store('sound.mp4', sound);
    for (const at of [100_000, sound.length - 1]) {
      const changed = Buffer.from(sound);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await store('changed.mp4', changed);
      // The first input is sound and could be written before the second is looked at.
      const job = await run([inputOf('sound.mp4', settings), inputOf('changed.mp4', settings)], 'changed');
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010], job.ErrorMessage ?? '');
      assert.match(
        job.ErrorMessage ?? '',
        /^Unable to open input file \[s3:\/\/source\/changed\.mp4\]: .* tag is wrong/,
      );
      await assertNothingWritten('changed');
    }
  });

  test('when the key, the vector or the mode is another: 1010', async () => {
    const key = await makeDataKey();
    const other = await makeDataKey();
    for (const mode of ['AES_CTR', 'AES_CBC', 'AES_GCM'] as const) {
      const input = await storeEncrypted(`other-${mode}.mp4`, mode, 16, key);
      const right = input.DecryptionSettings ?? {};
      const wrong: InputDecryptionSettings[] = [
        { ...right, EncryptedDecryptionKey: other.encrypted },
        { ...right, InitializationVector: randomBytes(16).toString('base64') },
        { ...right, DecryptionMode: mode === 'AES_CTR' ? 'AES_CBC' : 'AES_CTR' },
      ];
      for (const DecryptionSettings of wrong) {
        const job = await run([{ ...input, DecryptionSettings }], 'other');
        assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010], `${mode}: ${job.ErrorMessage}`);
      }
    }
    await assertNothingWritten('other');
  });

  test('when KMS does not give the data key: 1401, and what KMS said', async () => {
    const cases: readonly (readonly [string, DataKey, RegExp])[] = [
      ['no context', await makeDataKey(32, {}), /InvalidCiphertextException: .*"service":"mediaconvert/],
      ['another context', await makeDataKey(32, { service: 's3' }), /InvalidCiphertextException/],
    ];
    for (const [what, key, message] of cases) {
      const job = await run([await storeEncrypted('refused.mp4', 'AES_CBC', 16, key)], 'refused');
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1401], what);
      assert.match(job.ErrorMessage ?? '', message);
    }
    const key = await makeDataKey();
    const plain = { plain: key.plain, encrypted: key.plain.toString('base64') };
    const job = await run([await storeEncrypted('refused.mp4', 'AES_CBC', 16, plain)], 'refused');
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1401], 'a plain key');
    assert.ok(!(job.ErrorMessage ?? '').includes(plain.encrypted));
    await assertNothingWritten('refused');
  });

  test('when the role may not decrypt: 1401, and the action that is missing', async () => {
    const without = await makeMediaRole(platform.clientConfig(), 'Without', [OBJECTS]);
    const job = await run([await storeEncrypted('x.mp4', 'AES_CTR', 16, await makeDataKey())], 'denied', without);
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1401]);
    assert.match(job.ErrorMessage ?? '', /AccessDeniedException: .*kms:Decrypt/);
    await assertNothingWritten('denied');
  });

  test('when the data key has no length of AES: 1010', async () => {
    const key = await makeDataKey(48);
    const settings = { DecryptionMode: 'AES_CTR', InitializationVector: randomBytes(16).toString('base64') } as const;
    const job = await run([inputOf('clear.mp4', { ...settings, EncryptedDecryptionKey: key.encrypted })], 'long');
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010]);
    assert.match(job.ErrorMessage ?? '', /48 bytes, and not 16, 24 or 32/);
  });
});

test('CreateJob refuses settings that are not whole, by the JSON pointer', async () => {
  const right: InputDecryptionSettings = {
    DecryptionMode: 'AES_CBC',
    EncryptedDecryptionKey: randomBytes(48).toString('base64'),
    InitializationVector: randomBytes(16).toString('base64'),
  };
  const at = '/inputs/0/decryptionSettings';
  const cases: readonly (readonly [InputDecryptionSettings, string])[] = [
    [{ ...right, DecryptionMode: undefined }, `${at}: decryptionMode is a required property`],
    [{ ...right, EncryptedDecryptionKey: undefined }, `${at}: encryptedDecryptionKey is a required property`],
    [{ ...right, InitializationVector: undefined }, `${at}: initializationVector is a required property`],
    [
      { ...right, InitializationVector: randomBytes(12).toString('base64') },
      `${at}/initializationVector: Should be a 16`,
    ],
    [
      { ...right, InitializationVector: randomBytes(13).toString('base64') },
      `${at}/initializationVector: Should match`,
    ],
    [{ ...right, EncryptedDecryptionKey: `${'A'.repeat(25)}` }, `${at}/encryptedDecryptionKey: Should be base64`],
    [{ ...right, KmsKeyRegion: 'somewhere' }, `${at}/kmsKeyRegion: Should match`],
  ];
  for (const [settings, message] of cases) {
    await assert.rejects(run([inputOf('x.mp4', settings)], 'x'), (error: Error) => {
      assert.equal(error.name, 'BadRequestException');
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  }
});

test('no data key lies anywhere in the clear', async () => {
  assert.ok(plainKeys.length > 10);
  for (const file of await filesUnder(platform.dataFolder)) {
    const bytes = await readFile(file);
    for (const key of plainKeys) {
      const plain = Buffer.from(key);
      for (const form of [plain, plain.toString('base64'), plain.toString('hex')]) {
        assert.ok(!bytes.includes(form), file);
      }
    }
  }
});
