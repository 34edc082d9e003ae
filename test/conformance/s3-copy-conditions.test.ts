import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

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

test('a policy on the source of copies counts for objects and parts, however the source is written', async () => {
  const Bucket = `copies-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ['public/a b', 'private/a b']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  const deny = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${Bucket}/*`,
    Condition: { StringLike: { 's3:x-amz-copy-source': `${Bucket}/private/*` } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [deny] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'whole' }));
  for (const slash of ['', '/']) {
    const copy = (folder: string) =>
      s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${slash}${Bucket}/${folder}/a%20b` }));
    const copyPart = (folder: string) => {
      const CopySource = `${slash}${Bucket}/${folder}/a%20b`;
      return s3.send(new UploadPartCopyCommand({ Bucket, Key: 'whole', UploadId, PartNumber: 1, CopySource }));
    };
    await copy('public');
    await copyPart('public');
    await assert.rejects(copy('private'), { name: 'AccessDenied' });
    await assert.rejects(copyPart('private'), { name: 'AccessDenied' });
  }
});
