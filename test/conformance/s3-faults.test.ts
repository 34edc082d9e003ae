import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import { ServerFolder } from '../harness/server-process.ts';

const BUCKET = 'faults-of-the-test';

async function read(s3: S3Client, key: string): Promise<Buffer> {
  const output = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Buffer.from((await output.Body?.transformToByteArray()) ?? []);
}

async function verify(folder: ServerFolder): Promise<{ damaged: number; found: string[] }> {
  const connection = await connectToServer(folder.dataFolder);
  assert.ok(connection);
  const found: string[] = [];
  let damaged = -1;
  try {
    for await (const reply of askServer(connection, { command: 'verify' })) {
      if (reply.type !== 'item') continue;
      const value = reply.value as { what?: string; damaged?: number };
      if (value.what !== undefined) found.push(value.what);
      if (value.damaged !== undefined) damaged = value.damaged;
    }
  } finally {
    connection.destroy();
  }
  return { damaged, found };
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function flipBit(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte[0] = (byte[0] ?? 0) ^ 0x10;
  await file.write(byte, 0, 1, position);
  await file.close();
}

test('keeps every acknowledged object, and shows no other, when it is killed amid uploads', async () => {
  const folder = await ServerFolder.make();
  try {
    const server = await folder.start();
    const s3 = new S3Client(server.clientConfig);
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const sent = new Map<string, Buffer>();
    const acknowledged = new Set<string>();
    const putOne = async (index: number): Promise<void> => {
      const key = `put/${index}`;
      const body = randomBytes(index % 5 === 0 ? 300_000 : 3000);
      sent.set(key, body);
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
      acknowledged.add(key);
    };
    const uploadOne = async (index: number): Promise<void> => {
      const key = `multipart/${index}`;
      const body = randomBytes(200_000);
      sent.set(key, body);
      const { UploadId: id } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key }));
      const { ETag: etag } = await s3.send(
        new UploadPartCommand({ Bucket: BUCKET, Key: key, UploadId: id, PartNumber: 1, Body: body }),
      );
      await s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: BUCKET,
          Key: key,
          UploadId: id,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag: etag }] },
        }),
      );
      acknowledged.add(key);
    };
    const work = Promise.allSettled([
      ...Array.from({ length: 1000 }, (_, index) => putOne(index)),
      ...Array.from({ length: 100 }, (_, index) => uploadOne(index)),
    ]);
    while (acknowledged.size < 150) await sleep(10);
    await server.end('SIGKILL');
    await work;
    s3.destroy();
    assert.ok(acknowledged.size < 1100, 'the server was killed before all was done');

    const again = await folder.start();
    const reader = new S3Client(again.clientConfig);
    for (const key of acknowledged) assert.ok((await read(reader, key)).equals(sent.get(key) ?? Buffer.alloc(0)), key);
    // What is visible without having been acknowledged is whole: its answer was lost, not its content.
    const listed: string[] = [];
    let token: string | undefined;
    do {
      const page = await reader.send(new ListObjectsV2Command({ Bucket: BUCKET, ContinuationToken: token }));
      listed.push(...(page.Contents ?? []).map((item) => item.Key ?? ''));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    for (const key of listed) assert.ok((await read(reader, key)).equals(sent.get(key) ?? Buffer.alloc(0)), key);
    await sleep(500);
    assert.deepEqual(await verify(folder), { damaged: 0, found: [] });
    assert.deepEqual(await readdir(join(folder.dataFolder, 'blobs', 'tmp')), []);
    reader.destroy();
    await again.end('SIGTERM');
  } finally {
    await folder.remove();
  }
});

test('serves nothing of a blob with a flipped bit, and finds it by verify', async () => {
  const folder = await ServerFolder.make();
  try {
    const server = await folder.start();
    const s3 = new S3Client(server.clientConfig);
    const kms = new KMSClient(server.clientConfig);
    const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    for (const name of ['one', 'two']) {
      await s3.send(
        new PutObjectCommand({
          Bucket: BUCKET,
          Key: name,
          Body: randomBytes(100_000),
          ServerSideEncryption: 'aws:kms',
          SSEKMSKeyId: key?.Arn,
        }),
      );
    }
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'small', Body: 'small' }));
    assert.deepEqual(await verify(folder), { damaged: 0, found: [] });
    const [file] = await filesUnder(join(folder.dataFolder, 'blobs'));
    assert.ok(file);
    const { size } = await stat(file);
    for (const position of [0, 20, 5000, size - 1]) {
      await flipBit(file, position);
      const outcomes = await Promise.allSettled(['one', 'two'].map((name) => read(s3, name)));
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status).toSorted(),
        ['fulfilled', 'rejected'],
        `byte ${position}`,
      );
      assert.equal((await verify(folder)).damaged, 1);
      await flipBit(file, position);
    }
    assert.equal((await read(s3, 'one')).length, 100_000);
    s3.destroy();
    kms.destroy();
    await server.end('SIGTERM');
  } finally {
    await folder.remove();
  }
});

test('refuses writes on a full disk, leaves nothing of them, and keeps serving reads', async () => {
  const folder = await ServerFolder.make();
  try {
    const server = await folder.start(20_000);
    const s3 = new S3Client(server.clientConfig);
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const data = randomBytes(1_000_000);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'before', Body: data }));
    const refused = await s3
      .send(new PutObjectCommand({ Bucket: BUCKET, Key: 'too large', Body: randomBytes(40_000_000) }))
      .then(
        () => 'accepted',
        (error: unknown) => (error instanceof Error ? error.name : ''),
      );
    assert.equal(refused, 'InsufficientStorage');
    assert.ok((await read(s3, 'before')).equals(data));
    assert.equal((await filesUnder(join(folder.dataFolder, 'blobs'))).length, 1);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'after', Body: data }));
    assert.ok((await read(s3, 'after')).equals(data));
    assert.deepEqual(await verify(folder), { damaged: 0, found: [] });
    s3.destroy();
    await server.end('SIGTERM');
  } finally {
    await folder.remove();
  }
});
