import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let s3: S3Client;
let kms: KMSClient;
let keyArn: string;
const bucket = 'objects-of-the-test';

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
  kms = new KMSClient(platform.clientConfig());
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
  keyArn = key?.Arn ?? '';
});

after(async () => {
  s3.destroy();
  kms.destroy();
  await platform.stop();
});

async function read(key: string, range?: string): Promise<Buffer> {
  const output = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range }));
  assert.ok(output.Body);
  return Buffer.from(await output.Body.transformToByteArray());
}

async function refusal(work: Promise<unknown>): Promise<{ name: string; status: number | undefined; message: string }> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof Error);
    const status = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
    return { name: error.name, status, message: error.message };
  }
  assert.fail('the call was not refused');
}

test('keeps objects of every size, whole and in ranges', async () => {
  for (const size of [0, 1, 5000, 65_536, 65_537, 1_048_576, 3_500_000]) {
    const data = randomBytes(size);
    const key = `sizes/${size}`;
    const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: data, ContentType: 'video/mp4' }));
    assert.equal(put.ETag, `"${createHash('md5').update(data).digest('hex')}"`);
    assert.equal(put.ServerSideEncryption, 'AES256');
    assert.deepEqual(await read(key), data);
    if (size > 100) {
      assert.deepEqual(await read(key, 'bytes=10-19'), data.subarray(10, 20));
      assert.deepEqual(await read(key, `bytes=${size - 50}-`), data.subarray(size - 50));
      assert.deepEqual(await read(key, 'bytes=-7'), data.subarray(size - 7));
    }
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    assert.equal(head.ContentLength, size);
    assert.equal(head.ContentType, 'video/mp4');
  }
  assert.equal((await refusal(read('sizes/0', 'bytes=0-1'))).name, 'InvalidRange');
});

test('encrypts under a KMS key, and refuses when the key is disabled', async () => {
  const data = randomBytes(200_000);
  const put = await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: 'kms',
      Body: data,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyArn,
    }),
  );
  assert.equal(put.ServerSideEncryption, 'aws:kms');
  assert.equal(put.SSEKMSKeyId, keyArn);
  assert.equal(put.BucketKeyEnabled, undefined);
  assert.deepEqual(await read('kms'), data);
  await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
  const onRead = await refusal(read('kms'));
  assert.deepEqual([onRead.name, onRead.status], ['KMS.DisabledException', 400]);
  const onWrite = await refusal(
    s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'kms2',
        Body: data,
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: keyArn,
      }),
    ),
  );
  assert.equal(onWrite.name, 'KMS.DisabledException');
  await kms.send(new EnableKeyCommand({ KeyId: keyArn }));
  assert.deepEqual(await read('kms'), data);
});

test('a bucket key serves many objects, and a disabled key still stops all of them', async () => {
  const name = 'with-a-bucket-key';
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket: name,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
            BucketKeyEnabled: true,
          },
        ],
      },
    }),
  );
  for (const key of ['a', 'b', 'c']) {
    const put = await s3.send(new PutObjectCommand({ Bucket: name, Key: key, Body: key }));
    assert.equal(put.BucketKeyEnabled, true);
    const got = await s3.send(new GetObjectCommand({ Bucket: name, Key: key }));
    assert.equal(await got.Body?.transformToString(), key);
    assert.equal(got.SSEKMSKeyId, keyArn);
  }
  await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
  const refused = await refusal(s3.send(new GetObjectCommand({ Bucket: name, Key: 'a' })));
  assert.equal(refused.name, 'KMS.DisabledException');
  assert.equal(
    (await refusal(s3.send(new PutObjectCommand({ Bucket: name, Key: 'd', Body: 'd' })))).name,
    'KMS.DisabledException',
  );
  await kms.send(new EnableKeyCommand({ KeyId: keyArn }));
});

test('lists in byte order, with prefixes, delimiters and pages', async () => {
  const name = 'listing-of-the-test';
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const keys = ['a', 'a/b', 'a/c/d', 'b', 'z', 'ä', '\u{ffee}', '\u{1f600}', 'with space & <xml>'];
  await Promise.all(keys.map((key) => s3.send(new PutObjectCommand({ Bucket: name, Key: key, Body: key }))));
  const sorted = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
  const all = await s3.send(new ListObjectsV2Command({ Bucket: name }));
  assert.deepEqual(
    all.Contents?.map((item) => item.Key),
    sorted,
  );
  const paged: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: name, MaxKeys: 2, ContinuationToken: token, Delimiter: '/' }),
    );
    paged.push(
      ...(page.Contents ?? []).map((item) => item.Key ?? ''),
      ...(page.CommonPrefixes ?? []).map((item) => item.Prefix ?? ''),
    );
    assert.ok((page.KeyCount ?? 0) <= 2);
    token = page.NextContinuationToken;
  } while (token !== undefined);
  assert.deepEqual(
    paged.toSorted(),
    ['a', 'a/', 'b', 'z', 'ä', '\u{ffee}', '\u{1f600}', 'with space & <xml>'].toSorted(),
  );
  const old = await s3.send(new ListObjectsCommand({ Bucket: name, Prefix: 'a/', Delimiter: '/' }));
  assert.deepEqual(
    old.Contents?.map((item) => item.Key),
    ['a/b'],
  );
  assert.deepEqual(
    old.CommonPrefixes?.map((item) => item.Prefix),
    ['a/c/'],
  );
  const started = await s3.send(new ListObjectsV2Command({ Bucket: name, StartAfter: 'b' }));
  assert.equal(started.Contents?.[0]?.Key, sorted[sorted.indexOf('b') + 1]);
});

test('copies, with and without a change of metadata and encryption', async () => {
  const data = randomBytes(100_000);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'from here', Body: data, Metadata: { one: '1' } }));
  await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/from%20here` }));
  assert.deepEqual(await read('copy'), data);
  assert.deepEqual((await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'copy' }))).Metadata, { one: '1' });
  const copied = await s3.send(
    new CopyObjectCommand({
      Bucket: bucket,
      Key: 'copy',
      CopySource: `${bucket}/copy`,
      MetadataDirective: 'REPLACE',
      Metadata: { two: '2' },
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyArn,
    }),
  );
  assert.equal(copied.SSEKMSKeyId, keyArn);
  assert.deepEqual(await read('copy'), data);
  assert.deepEqual((await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'copy' }))).Metadata, { two: '2' });
  const itself = await refusal(
    s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/copy` })),
  );
  assert.equal(itself.name, 'InvalidRequest');
});

test('honours conditions on reads and writes', async () => {
  const { ETag: etag } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'cond', Body: 'x' }));
  const unchanged = await refusal(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'cond', IfNoneMatch: etag })));
  assert.equal(unchanged.status, 304);
  const failed = await refusal(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'cond', IfMatch: '"no"' })));
  assert.deepEqual([failed.name, failed.status], ['PreconditionFailed', 412]);
  const exists = await refusal(
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'cond', Body: 'y', IfNoneMatch: '*' })),
  );
  assert.equal(exists.status, 412);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'cond', Body: 'y', IfMatch: etag }));
  assert.equal((await read('cond')).toString(), 'y');
});

test('checks every checksum that it is given, and gives it back', async () => {
  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    const key = `sum/${algorithm}`;
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'checksummed', ChecksumAlgorithm: algorithm }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
    assert.ok(head[`Checksum${algorithm}`], algorithm);
    assert.equal(head.ChecksumType, 'FULL_OBJECT');
    await read(key);
  }
  const wrong = await refusal(
    s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'sum/bad',
        Body: 'x',
        ChecksumSHA256: createHash('sha256').digest('base64'),
      }),
    ),
  );
  assert.equal(wrong.name, 'BadDigest');
  assert.equal((await refusal(read('sum/bad'))).name, 'NoSuchKey');
  const attributes = await s3.send(
    new GetObjectAttributesCommand({
      Bucket: bucket,
      Key: 'sum/SHA1',
      ObjectAttributes: ['Checksum', 'ObjectSize', 'ETag'],
    }),
  );
  assert.equal(attributes.ObjectSize, 11);
  assert.ok(attributes.Checksum?.ChecksumSHA1);
});

test('refuses a list of keys to delete that came changed', async () => {
  const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: 'kept' }] } });
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      for (const name of Object.keys(headers)) if (name.startsWith('x-amz-checksum-')) headers[name] = 'AAAAAA==';
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  assert.equal((await refusal(s3.send(command))).name, 'BadDigest');
});

test('deletes one, many, and a bucket only when it is empty', async () => {
  const name = 'to-be-deleted';
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await Promise.all(['1', '2', '3'].map((key) => s3.send(new PutObjectCommand({ Bucket: name, Key: key, Body: key }))));
  assert.equal((await refusal(s3.send(new DeleteBucketCommand({ Bucket: name })))).name, 'BucketNotEmpty');
  await s3.send(new DeleteObjectCommand({ Bucket: name, Key: '1' }));
  await s3.send(new DeleteObjectCommand({ Bucket: name, Key: 'never was' }));
  const many = await s3.send(
    new DeleteObjectsCommand({ Bucket: name, Delete: { Objects: [{ Key: '2' }, { Key: '3' }] } }),
  );
  assert.deepEqual(
    many.Deleted?.map((item) => item.Key),
    ['2', '3'],
  );
  await s3.send(new DeleteBucketCommand({ Bucket: name }));
  assert.equal((await refusal(s3.send(new HeadBucketCommand({ Bucket: name })))).status, 404);
  const { Buckets: buckets, Owner: owner } = await s3.send(new ListBucketsCommand({}));
  assert.ok(buckets?.some((item) => item.Name === bucket));
  assert.match(owner?.ID ?? '', /^[0-9a-f]{64}$/);
});

test('refuses by name what it does not carry out', async () => {
  const storage = await refusal(
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'x', Body: 'x', StorageClass: 'GLACIER' })),
  );
  assert.equal(storage.name, 'NotImplemented');
  assert.match(storage.message, /x-amz-storage-class/);
  const acl = await refusal(s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'x', Body: 'x', ACL: 'public-read' })));
  assert.equal(acl.name, 'AccessControlListNotSupported');
  // What is so of every object of the owner's, and what older tools send unasked.
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'x', Body: 'x', ACL: 'private' }));
});
