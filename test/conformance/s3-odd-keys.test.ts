import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

/** Keys that a path would be cut, joined or decoded into another's by. */
const KEYS = [
  '..',
  '../x',
  '../../x',
  'a/../x',
  'a/./x',
  '/x',
  '//x',
  'a//x',
  'a/',
  'a//',
  'x',
  'a%2Fx',
  'a%252Fx',
  '%2e%2e/x',
  'a+x',
  'a x',
  'a?x=1&y',
  'a#x',
  'a\\x',
  "a'x!()*~",
  'ä',
  'a\u0308',
  '\u{1f3ac}',
  '\uffff',
  'k'.repeat(1024),
];

let platform: TestPlatform;
let s3: S3Client;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

test('keys are kept as they are: none is cut, joined or decoded into another', async () => {
  const Bucket = `odd-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const body = (key: string) => `of ${JSON.stringify(key)}`;
  for (const Key of KEYS) await s3.send(new PutObjectCommand({ Bucket, Key, Body: body(Key) }));
  for (const Key of KEYS) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert.equal(await Body?.transformToString(), body(Key));
    const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    const copy = await s3.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
    assert.equal(await copy.Body?.transformToString(), body(Key));
  }
  const sorted = [...KEYS, 'copy'].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
  const listed = (Contents ?? []).map(({ Key }) => decodeURIComponent((Key ?? '').replaceAll('+', ' ')));
  assert.deepEqual(listed, sorted);
  const Objects = KEYS.map((Key) => ({ Key }));
  const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.deepEqual(
    Deleted?.map(({ Key }) => Key),
    KEYS,
  );
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 1);
});

test('a path with dots or an encoded slash gets by no policy on a folder', async () => {
  const Bucket = `odd-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'private/x', Body: 'secret' }));
  const allow = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${Bucket}/public/*`,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const { port } = new URL(platform.endpoint);
  for (const path of [
    'private/x',
    'private%2Fx',
    'public/../private/x',
    'public/%2e%2e/private/x',
    'public%2F..%2Fprivate/x',
    './private/x',
    '/private/x',
    `public/../../${Bucket}/private/x`,
  ]) {
    const { status, text } = await get(Number(port), `/${Bucket}/${path}`);
    assert.equal(status, 403, path);
    assert.ok(!text.includes('secret'), path);
  }
});

/** As it is, without a URL parser that resolves dots. */
async function get(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
