import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

// Memory of bytes that went to the socket, or came from it, is given back at once: not before.
const bucket = 'slow-clients';
const data = randomBytes(9 * 1024 * 1024 + 777);
let platform: TestPlatform;
let s3: S3Client;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client({ ...platform.clientConfig(), requestChecksumCalculation: 'WHEN_REQUIRED' });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'object', Body: data }));
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

async function open(start: number, end: number): Promise<IncomingMessage> {
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: 'object' }));
  return new Promise((resolve, reject) => {
    const headers = { range: `bytes=${start}-${end - 1}` };
    request(url, { headers, agent: false }, resolve).on('error', reject).end();
  });
}

test('readers that pause get every byte, from wherever they begin', async () => {
  const ranges = [
    [0, data.length],
    [1, data.length - 1],
    [1_048_000, 5_000_003],
    [3_000_000, 3_000_100],
  ] as const;
  await Promise.all(
    ranges.map(async ([start, end]) => {
      const pieces: Buffer[] = [];
      for await (const piece of await open(start, end)) {
        pieces.push(piece as Buffer);
        if (pieces.length % 16 === 1) await sleep(20);
      }
      assert.ok(Buffer.concat(pieces).equals(data.subarray(start, end)), `${start} to ${end}`);
    }),
  );
});

test('readers that go away in the midst take nothing from others', async () => {
  const leave = async (after: number): Promise<void> => {
    const message = await open(0, data.length);
    message.on('error', () => undefined);
    message.once('data', () => void sleep(after).then(() => message.destroy()));
    await new Promise((resolve) => message.once('close', resolve));
  };
  const stay = async (): Promise<void> => {
    const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'object' }));
    assert.ok(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(data));
  };
  await Promise.all([0, 1, 2, 5, 10, 20].flatMap((after) => [leave(after), stay()]));
});

test('writers that pause have every byte stored', async () => {
  await Promise.all(
    [0, 1, 2].map(async (index) => {
      const Key = `written-${index}`;
      const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key }));
      const headers = { 'content-length': data.length };
      const message = await new Promise<IncomingMessage>((resolve, reject) => {
        const sending = request(url, { method: 'PUT', headers, agent: false }, resolve).on('error', reject);
        const send = async (): Promise<void> => {
          const step = 300_000 + index * 77_777;
          for (let at = 0; at < data.length; at += step) {
            sending.write(data.subarray(at, at + step));
            await sleep(index * 5);
          }
          sending.end();
        };
        void send();
      });
      message.resume();
      assert.equal(message.statusCode, 200);
      const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      assert.ok(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(data), Key);
    }),
  );
});
