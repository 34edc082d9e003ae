import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { failsWith, policyOf } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const Bucket = 'two-layers';
const DSSE = 'aws:kms:dsse';

let platform: TestPlatform;
let s3: S3Client;
let kms: KMSClient;
let SSEKMSKeyId: string;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
  kms = new KMSClient(platform.clientConfig());
  SSEKMSKeyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  await s3.send(new CreateBucketCommand({ Bucket }));
});

after(async () => {
  for (const client of [s3, kms]) client.destroy();
  await platform.stop();
});

async function read(Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, Range }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function checkRanges(Key: string, content: Buffer, edges: readonly number[]): Promise<void> {
  assert.ok((await read(Key)).equals(content));
  for (const edge of edges) {
    for (const [first, last] of [
      [edge - 17, edge + 18],
      [edge, content.length - 1],
    ] as const) {
      const range = await read(Key, `bytes=${first}-${last}`);
      assert.ok(range.equals(content.subarray(first, last + 1)), `${Key} ${first}-${last}`);
    }
  }
}

test('objects of two layers are read back whole and in ranges, written whole, in parts or by copies', async () => {
  const encryption = { ServerSideEncryption: DSSE, SSEKMSKeyId } as const;
  for (const [Key, size, edges] of [
    ['empty', 0, []],
    ['small', 1000, [100]],
    ['blob', 300_000, [65_536, 131_072]],
    ['large', 3 * 1024 ** 2 + 5, [1024 ** 2, 2 * 1024 ** 2]],
  ] as const) {
    const content = randomBytes(size);
    const written = await s3.send(new PutObjectCommand({ Bucket, Key, Body: content, ...encryption }));
    assert.deepEqual([written.ServerSideEncryption, written.SSEKMSKeyId], [DSSE, SSEKMSKeyId]);
    await checkRanges(Key, content, edges);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    assert.deepEqual([head.ServerSideEncryption, head.BucketKeyEnabled], [DSSE, undefined]);
    assert.equal(head.ChecksumCRC32, written.ChecksumCRC32);
    const CopySource = `${Bucket}/${Key}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    assert.ok((await read('copy')).equals(content));
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy-2', CopySource: `${Bucket}/copy`, ...encryption }));
    await checkRanges('copy-2', content, edges);
  }
  const [head, tail] = [randomBytes(5 * 1024 ** 2 + 3), await read('large')];
  const Key = 'of-parts';
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...encryption }));
  const first = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: head }));
  assert.equal(first.ServerSideEncryption, DSSE);
  const copied = { Bucket, Key, UploadId, PartNumber: 2, CopySource: `${Bucket}/large` };
  const second = await s3.send(new UploadPartCopyCommand(copied));
  const Parts = [first.ETag, second.CopyPartResult?.ETag].map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
  const completed = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
  assert.equal((await s3.send(new CompleteMultipartUploadCommand(completed))).ServerSideEncryption, DSSE);
  const edge = head.length;
  await checkRanges(Key, Buffer.concat([head, tail]), [edge, edge + 1024 ** 2]);

  await kms.send(new DisableKeyCommand({ KeyId: SSEKMSKeyId }));
  await assert.rejects(read('small'), failsWith('KMS.DisabledException'));
  await kms.send(new EnableKeyCommand({ KeyId: SSEKMSKeyId }));
});

test('two layers are a default, a condition of policies, and have no bucket key', async () => {
  const Body = 'frames';
  const withKey = { Bucket, Key: 'b', Body, ServerSideEncryption: DSSE, SSEKMSKeyId, BucketKeyEnabled: true } as const;
  await assert.rejects(s3.send(new PutObjectCommand(withKey)), failsWith('InvalidArgument'));
  const setDefault = (BucketKeyEnabled: boolean) => {
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: DSSE, KMSMasterKeyID: SSEKMSKeyId } as const;
    const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled }] };
    return s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
  };
  await assert.rejects(setDefault(true), failsWith('InvalidArgument'));
  await setDefault(false);
  const { ServerSideEncryptionConfiguration: set } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
  assert.equal(set?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, DSSE);
  const written = await s3.send(new PutObjectCommand({ Bucket, Key: 'default', Body }));
  assert.deepEqual([written.ServerSideEncryption, written.SSEKMSKeyId], [DSSE, SSEKMSKeyId]);
  assert.equal((await read('default')).toString(), Body);
  const Condition = { StringNotEquals: { 's3:x-amz-server-side-encryption': DSSE } };
  const Resource = `arn:aws:s3:::${Bucket}/*`;
  const Policy = policyOf({ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource, Condition });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const one = { Bucket, Key: 'one', Body, ServerSideEncryption: 'aws:kms' } as const;
  await assert.rejects(s3.send(new PutObjectCommand(one)), failsWith('AccessDenied'));
  await s3.send(new PutObjectCommand({ ...one, ServerSideEncryption: DSSE }));
});
