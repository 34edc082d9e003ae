import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const bucket = 'concurrency-of-the-test';
let platform: TestPlatform;
let s3: S3Client;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

async function blobCount(): Promise<number> {
  const entries = await readdir(join(platform.dataFolder, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

/** Waits until as many blobs lie in the folder: those no longer used go after the answer. */
async function untilBlobs(count: number): Promise<void> {
  for (let attempt = 0; attempt < 100 && (await blobCount()) !== count; attempt++) await sleep(20);
  assert.equal(await blobCount(), count);
}

test('a reader gets the whole of what it began to read, though it is overwritten and deleted meanwhile', async () => {
  const data = randomBytes(24 * 1024 * 1024);
  // In parts: each lies in a blob of its own, and the last is opened long after all were given up.
  const upload = new Upload({
    client: s3,
    params: { Bucket: bucket, Key: 'read', Body: data },
    partSize: 6 * 1024 * 1024,
  });
  await upload.done();
  const reading = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'read' }));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'read', Body: randomBytes(100_000) }));
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'read' }));
  const read = Buffer.from((await reading.Body?.transformToByteArray()) ?? []);
  assert.ok(read.equals(data));
  await untilBlobs(0);
});

test('of many writers that want to be first, one is', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 30 }, (_, index) =>
      s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: 'first', Body: Buffer.alloc(70_000, index), IfNoneMatch: '*' }),
      ),
    ),
  );
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'first' }));
  assert.equal((await got.Body?.transformToByteArray())?.[0], winner);
  await untilBlobs(1);
});

test('concurrent writers and readers of one key never see a mixture', async () => {
  const bodies = Array.from({ length: 12 }, (_, index) => Buffer.alloc(index % 2 === 0 ? 3000 : 200_000, index + 1));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'busy', Body: bodies[0] ?? '' }));
  const write = async (body: Buffer): Promise<void> => {
    for (let round = 0; round < 5; round++)
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'busy', Body: body }));
  };
  const read = async (): Promise<void> => {
    for (let round = 0; round < 30; round++) {
      const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'busy' }));
      const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      assert.ok(
        bodies.some((candidate) => candidate.equals(body)),
        `${body.length} bytes of ${body[0]}`,
      );
    }
  };
  await Promise.all([...bodies.map(write), read(), read(), read()]);
});

async function openBlobs(): Promise<number> {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.allSettled(names.map((name) => readlink(join('/proc/self/fd', name))));
  const folder = join(platform.dataFolder, 'blobs');
  return targets.filter((target) => target.status === 'fulfilled' && target.value.startsWith(folder)).length;
}

test('readers that go away leave no file open', { skip: process.platform !== 'linux' }, async () => {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'left', Body: randomBytes(20_000_000) }));
  const url = new URL(await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: 'left' })));
  const leave = (delay: number): Promise<void> =>
    new Promise((resolve) => {
      const reading = request(url, (response) => response.once('data', () => reading.destroy()));
      reading.on('error', () => {});
      reading.on('close', () => resolve());
      reading.end();
      setTimeout(() => reading.destroy(), delay);
    });
  await Promise.all(Array.from({ length: 60 }, (_, index) => leave(index)));
  for (let attempt = 0; attempt < 100 && (await openBlobs()) > 0; attempt++) await sleep(20);
  assert.equal(await openBlobs(), 0);
});

test('an upload that breaks off leaves nothing', async () => {
  const before = await blobCount();
  const url = new URL(await getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key: 'broken off' })));
  await new Promise<void>((resolve) => {
    const broken = request(url, { method: 'PUT', headers: { 'content-length': 10_000_000 } });
    broken.on('error', () => resolve());
    broken.write(randomBytes(3_000_000), () => setTimeout(() => broken.destroy(), 50));
    broken.on('close', () => resolve());
  });
  await untilBlobs(before);
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'broken off' })));
});
