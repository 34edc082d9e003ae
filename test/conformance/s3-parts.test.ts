import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const SIZE = 5 * 1024 * 1024;
let platform: TestPlatform;
let s3: S3Client;
let Bucket: string;

before(async () => {
  platform = await startTestPlatform({ COFFER_ALLOW_INSECURE_SSE_C: '1' });
  s3 = new S3Client(platform.clientConfig());
  Bucket = `parts-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('base64');
}

for (const ServerSideEncryption of ['AES256', 'aws:kms'] as const) {
  test(`a part's own checksum is told, and a completion that is asked again (${ServerSideEncryption})`, async () => {
    const Key = `composite-${ServerSideEncryption}`;
    const start = new CreateMultipartUploadCommand({ Bucket, Key, ServerSideEncryption, ChecksumAlgorithm: 'SHA256' });
    const { UploadId } = await s3.send(start);
    const bodies = [Buffer.alloc(SIZE, 'a'), Buffer.from('the end')];
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' });
      const { ETag, ChecksumSHA256 } = await s3.send(part);
      Parts.push({ PartNumber, ETag, ChecksumSHA256 });
    }
    const complete = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
    const { $metadata: _, ...first } = await s3.send(new CompleteMultipartUploadCommand(complete));
    const { $metadata: __, ...second } = await s3.send(new CompleteMultipartUploadCommand(complete));
    assert.match(first.ChecksumSHA256 ?? '', /-2$/);
    assert.deepEqual(second, first);
    for (const [index, body] of bodies.entries()) {
      const target = { Bucket, Key, PartNumber: index + 1, ChecksumMode: 'ENABLED' } as const;
      for (const answer of [
        await s3.send(new HeadObjectCommand(target)),
        await s3.send(new GetObjectCommand(target)).then(async ({ Body, ...rest }) => {
          assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), body);
          return rest;
        }),
      ]) {
        assert.equal(answer.ChecksumSHA256, sha256(body));
        assert.equal(answer.ChecksumType, 'COMPOSITE');
        assert.equal(answer.PartsCount, 2);
      }
    }
  });
}

// Of the letter a, as xxHash's own tool prints them.
const XX_OF_A = {
  ChecksumXXHASH64: Buffer.from('d24ec4f1a98c6e5b', 'hex').toString('base64'),
  ChecksumXXHASH3: Buffer.from('e6c632b61e964e1f', 'hex').toString('base64'),
  ChecksumXXHASH128: Buffer.from('a96faf705af16834e6c632b61e964e1f', 'hex').toString('base64'),
};

test('the xxHash checksums are checked, kept and told, of objects and of parts', async () => {
  for (const [index, [member, value]] of Object.entries(XX_OF_A).entries()) {
    const Key = `xx-${index}`;
    const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body, [member]: value }));
    assert.equal(Object.entries(await put('a')).find(([name]) => name === member)?.[1], value);
    await assert.rejects(put('b'), { name: 'BadDigest' });
    const ObjectAttributes = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
    const ask = { Bucket, Key, ObjectAttributes: [...ObjectAttributes] };
    const whole = await s3.send(new GetObjectAttributesCommand(ask));
    assert.deepEqual(whole.Checksum, { [member]: value, ChecksumType: 'FULL_OBJECT' });
    const ChecksumAlgorithm = member.slice('Checksum'.length) as 'XXHASH64';
    const start = { Bucket, Key, ChecksumAlgorithm };
    const isWhole = new CreateMultipartUploadCommand({ ...start, ChecksumType: 'FULL_OBJECT' });
    await assert.rejects(s3.send(isWhole), { name: 'InvalidRequest' });
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(start));
    const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 7, Body: 'a', [member]: value });
    const { ETag } = await s3.send(part);
    const MultipartUpload = { Parts: [{ PartNumber: 7, ETag, [member]: value }] };
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    const { ObjectParts, Checksum, ObjectSize, StorageClass } = await s3.send(new GetObjectAttributesCommand(ask));
    assert.deepEqual(ObjectParts?.Parts, [{ PartNumber: 7, Size: 1, [member]: value }]);
    assert.deepEqual([ObjectSize, StorageClass, Checksum?.ChecksumType], [1, 'STANDARD', 'COMPOSITE']);
    assert.match(Object.values(Checksum ?? {}).join(' '), /=-1 COMPOSITE|COMPOSITE .*-1$/);
  }
});

test('parts are told page by page', async () => {
  const Key = 'pages';
  const upload = { Bucket, Key, ChecksumAlgorithm: 'CRC32', ChecksumType: 'COMPOSITE' } as const;
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
  const Parts = [];
  for (const PartNumber of [2, 3, 9]) {
    const Body = PartNumber === 9 ? 'end' : Buffer.alloc(SIZE);
    const part = { Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' } as const;
    const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand(part));
    Parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const page = async (PartNumberMarker?: string) => {
    const ask = { Bucket, Key, ObjectAttributes: ['ObjectParts' as const], MaxParts: 2, PartNumberMarker };
    return (await s3.send(new GetObjectAttributesCommand(ask))).ObjectParts;
  };
  const [first, second] = [await page(), await page('3')];
  assert.deepEqual(
    [first?.Parts?.map(({ PartNumber }) => PartNumber), first?.IsTruncated, first?.NextPartNumberMarker],
    [[2, 3], true, '3'],
  );
  assert.deepEqual(
    [second?.Parts?.map(({ PartNumber }) => PartNumber), second?.IsTruncated, second?.TotalPartsCount],
    [[9], false, 3],
  );
});

test('a part comes with the customer’s key with which its upload began, and with no other', async () => {
  const Key = 'customer';
  const [key, other] = [customerKey(), customerKey()];
  const withKey = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...key }));
  const withoutKey = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  for (const [{ UploadId }, members, message] of [
    [withKey, other, /did not match the ones used originally/],
    [withKey, {}, /must include the appropriate encryption parameters/],
    [withoutKey, key, /without sending encryption parameters/],
  ] as const) {
    const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x', ...members });
    await assert.rejects(s3.send(part), { name: 'InvalidRequest', message });
  }
  const { UploadId } = withKey;
  await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x', ...key }));
});

function customerKey() {
  const key = randomBytes(32);
  return {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: key.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
  };
}

test('a content coding is kept as it was given, without that of the transfer', async () => {
  for (const [given, kept] of [
    ['deflate, gzip', 'deflate, gzip'],
    ['gzip,aws-chunked', 'gzip'],
    ['aws-chunked, br', 'br'],
    ['aws-chunked', undefined],
  ] as const) {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'coded', Body: 'x', ContentEncoding: given }));
    const { ContentEncoding } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'coded' }));
    assert.equal(ContentEncoding, kept);
  }
});

test('who may list a folder is told what is not in it, and nothing of other folders', async () => {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: '*',
        Action: ['s3:ListBucket', 's3:GetObject'],
        Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
        Condition: { StringLikeIfExists: { 's3:prefix': 'public/*' } },
      },
    ],
  };
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy) }));
  assert.equal((await fetch(`${platform.endpoint}/${Bucket}/public/nothing`)).status, 404);
  assert.equal((await fetch(`${platform.endpoint}/${Bucket}/private/nothing`)).status, 403);
});
