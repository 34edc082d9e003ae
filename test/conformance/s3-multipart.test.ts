import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const MEBIBYTE = 1024 * 1024;
const bucket = 'multipart-of-the-test';
let platform: TestPlatform;
let s3: S3Client;
let kms: KMSClient;
let keyArn: string;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
  kms = new KMSClient(platform.clientConfig());
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
});

after(async () => {
  s3.destroy();
  kms.destroy();
  await platform.stop();
});

async function errorOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
  );
  return outcome;
}

async function begin(key: string): Promise<string> {
  return (await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }))).UploadId ?? '';
}

async function put(key: string, uploadId: string, number: number, body: Buffer) {
  const { ETag } = await s3.send(
    new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number, Body: body }),
  );
  return { ETag, PartNumber: number };
}

test('the SDK uploads large bodies in parts, under a KMS key, and reads them back whole and in ranges', async () => {
  const data = randomBytes(13 * MEBIBYTE + 17);
  const upload = new Upload({
    client: s3,
    params: { Bucket: bucket, Key: 'large', Body: data, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn },
    partSize: 5 * MEBIBYTE,
  });
  const done = await upload.done();
  assert.match(done.ETag ?? '', /^"[0-9a-f]{32}-3"$/);
  assert.equal(done.SSEKMSKeyId, keyArn);
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'large' }));
  assert.equal(got.ContentLength, data.length);
  assert.ok(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(data));
  const across = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: 'large', Range: `bytes=${5 * MEBIBYTE - 3}-${10 * MEBIBYTE + 3}` }),
  );
  const expected = data.subarray(5 * MEBIBYTE - 3, 10 * MEBIBYTE + 4);
  assert.ok(Buffer.from((await across.Body?.transformToByteArray()) ?? []).equals(expected));
  const second = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'large', PartNumber: 2 }));
  assert.equal(second.PartsCount, 3);
  assert.equal(second.ContentLength, 5 * MEBIBYTE);
  assert.ok(
    Buffer.from((await second.Body?.transformToByteArray()) ?? []).equals(data.subarray(5 * MEBIBYTE, 10 * MEBIBYTE)),
  );
  assert.equal(
    await errorOf(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'large', PartNumber: 4 }))),
    'InvalidPartNumber',
  );
});

test('has composite and whole checksums, and refuses a wrong one', async () => {
  for (const [algorithm, kind] of [
    ['SHA256', 'COMPOSITE'],
    ['CRC32', 'COMPOSITE'],
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32C', 'FULL_OBJECT'],
    ['CRC64NVME', 'FULL_OBJECT'],
  ] as const) {
    const key = `sum/${algorithm}/${kind}`;
    const data = randomBytes(6 * MEBIBYTE);
    const member = `Checksum${algorithm}` as const;
    const { UploadId: uploadId } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ChecksumAlgorithm: algorithm, ChecksumType: kind }),
    );
    const parts = [];
    for (const [index, body] of [data.subarray(0, 5 * MEBIBYTE), data.subarray(5 * MEBIBYTE)].entries()) {
      const part = await s3.send(
        new UploadPartCommand({
          Bucket: bucket,
          Key: key,
          UploadId: uploadId,
          PartNumber: index + 1,
          Body: body,
          ChecksumAlgorithm: algorithm,
        }),
      );
      parts.push({ PartNumber: index + 1, ETag: part.ETag, [member]: part[member] });
    }
    const done = await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: parts },
      }),
    );
    assert.equal(done.ChecksumType, kind);
    if (kind === 'FULL_OBJECT') {
      const whole = await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: 'whole', Body: data, ChecksumAlgorithm: algorithm }),
      );
      assert.equal(done[member], whole[member]);
    } else {
      assert.match(done[member] ?? '', /-2$/);
      const attributes = await s3.send(
        new GetObjectAttributesCommand({ Bucket: bucket, Key: key, ObjectAttributes: ['ObjectParts', 'Checksum'] }),
      );
      assert.equal(attributes.ObjectParts?.TotalPartsCount, 2);
      assert.equal(attributes.ObjectParts?.Parts?.[1]?.[member], parts[1]?.[member]);
    }
  }
});

test('lists uploads and parts, and aborts', async () => {
  const first = await begin('listed/a');
  const again = await begin('listed/a');
  const other = await begin('listed/b');
  const page = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'listed/', MaxUploads: 1 }));
  assert.equal(page.IsTruncated, true);
  const rest = await s3.send(
    new ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: 'listed/',
      KeyMarker: page.NextKeyMarker,
      UploadIdMarker: page.NextUploadIdMarker,
    }),
  );
  const ids = [...(page.Uploads ?? []), ...(rest.Uploads ?? [])].map((upload) => upload.UploadId);
  assert.equal(ids.length, 3);
  assert.deepEqual(new Set(ids), new Set([first, again, other]));
  await put('listed/a', first, 2, Buffer.from('two'));
  await put('listed/a', first, 1, Buffer.from('one'));
  await put('listed/a', first, 1, Buffer.from('once more'));
  const listed = await s3.send(new ListPartsCommand({ Bucket: bucket, Key: 'listed/a', UploadId: first }));
  assert.deepEqual(
    listed.Parts?.map((part) => [part.PartNumber, part.Size]),
    [
      [1, 9],
      [2, 3],
    ],
  );
  for (const [key, id] of [
    ['listed/a', first],
    ['listed/a', again],
    ['listed/b', other],
  ] as const) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id }));
  }
  assert.equal(await errorOf(put('listed/a', first, 3, Buffer.from('late'))), 'NoSuchUpload');
});

test('refuses to complete with parts that are missing, out of order, small or changed', async () => {
  const id = await begin('refused');
  const one = await put('refused', id, 1, randomBytes(100));
  const two = await put('refused', id, 2, randomBytes(100));
  const complete = (parts: { ETag: string | undefined; PartNumber: number }[]) =>
    errorOf(
      s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: bucket,
          Key: 'refused',
          UploadId: id,
          MultipartUpload: { Parts: parts },
        }),
      ),
    );
  assert.equal(await complete([two, one]), 'InvalidPartOrder');
  assert.equal(await complete([one, { ETag: '"0"', PartNumber: 2 }]), 'InvalidPart');
  assert.equal(await complete([one, { ...two, PartNumber: 3 }]), 'InvalidPart');
  assert.equal(await complete([one, two]), 'EntityTooSmall');
  assert.equal(await complete([]), 'MalformedXML');
  assert.equal(await complete([two]), 'none');
  assert.equal(await complete([two]), 'none');
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'refused' }));
  assert.equal(got.ContentLength, 100);
});

test('copies parts from other objects', async () => {
  const data = randomBytes(6 * MEBIBYTE);
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: 'source',
      Body: data,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyArn,
    }),
  );
  const id = await begin('from parts');
  const copied = await s3.send(
    new UploadPartCopyCommand({
      Bucket: bucket,
      Key: 'from parts',
      UploadId: id,
      PartNumber: 1,
      CopySource: `${bucket}/source`,
      CopySourceRange: `bytes=0-${5 * MEBIBYTE - 1}`,
    }),
  );
  const tail = await put('from parts', id, 2, data.subarray(5 * MEBIBYTE));
  await s3.send(
    new CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: 'from parts',
      UploadId: id,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag: copied.CopyPartResult?.ETag }, tail] },
    }),
  );
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'from parts' }));
  assert.ok(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(data));
});

test('a bucket with nothing but unfinished uploads can be deleted', async () => {
  const name = 'unfinished-of-the-test';
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(new CreateMultipartUploadCommand({ Bucket: name, Key: 'x' }));
  await s3.send(new DeleteBucketCommand({ Bucket: name }));
  assert.equal(await errorOf(s3.send(new HeadObjectCommand({ Bucket: name, Key: 'x' }))), 'NotFound');
});
