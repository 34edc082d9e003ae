import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  RenameObjectCommand,
  type RenameObjectCommandInput,
  S3Client,
  UpdateObjectEncryptionCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const PART = 5 * 1024 * 1024;
let platform: TestPlatform;
let s3: S3Client;
let keyArn: string;
let Bucket: string;

before(async () => {
  platform = await startTestPlatform({ COFFER_ALLOW_INSECURE_SSE_C: '1' });
  s3 = new S3Client(platform.clientConfig());
  const kms = new KMSClient(platform.clientConfig());
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/rename', TargetKeyId: keyArn }));
  kms.destroy();
  Bucket = await newBucket();
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

async function newBucket(): Promise<string> {
  const name = `rename-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  return name;
}

async function read(Key: string, more: object = {}): Promise<{ body: Buffer; head: Partial<GetObjectCommandOutput> }> {
  const {
    Body,
    $metadata: _,
    ...head
  } = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED', ...more }));
  return { body: Buffer.from((await Body?.transformToByteArray()) ?? []), head };
}

function rename(from: string, Key: string, more: Partial<RenameObjectCommandInput> = {}) {
  return s3.send(
    new RenameObjectCommand({ Bucket, Key, RenameSource: `${Bucket}/${encodeURIComponent(from)}`, ...more }),
  );
}

async function putParts(Key: string, bodies: readonly Buffer[], more: object): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
}

const MODES = {
  'SSE-S3': {},
  'SSE-KMS': { ServerSideEncryption: 'aws:kms' },
  'SSE-KMS with a bucket key': { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true },
  'DSSE-KMS': { ServerSideEncryption: 'aws:kms:dsse' },
} as const;

for (const [name, mode] of Object.entries(MODES)) {
  test(`a renamed object is read by its new name, as it was (${name})`, async () => {
    const [first, last] = [randomBytes(PART), randomBytes(99)];
    const Metadata = { a: 'b' };
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'in/small ü', Body: 'small', Metadata, Tagging: 'x=y', ...mode }),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'in/large', Body: first, ...mode }));
    await putParts('in/parts', [first, last], mode);
    for (const from of ['in/small ü', 'in/large', 'in/parts']) {
      const before = await read(from);
      await rename(from, `out/${from}`);
      await rename(`out/${from}`, `${from}.again`);
      assert.deepEqual(await read(`${from}.again`), before);
      await assert.rejects(read(from), { name: 'NoSuchKey' });
      const CopySource = `${Bucket}/${encodeURIComponent(`${from}.again`)}`;
      await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
      assert.deepEqual((await read('copy')).body, before.body);
    }
    const { body } = await read('in/parts.again', { Range: `bytes=${PART - 2}-${PART + 1}` });
    assert.deepEqual(body, Buffer.concat([first.subarray(-2), last.subarray(0, 2)]));
  });
}

test('a rename has conditions on both of its ends', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'source' }));
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'target', Body: 'target' }));
  const [past, future] = [new Date('2020-01-01'), new Date(Date.now() + 9_000_000)];
  for (const condition of [
    { DestinationIfNoneMatch: '*' },
    { DestinationIfMatch: '"other"' },
    { DestinationIfUnmodifiedSince: past },
    { DestinationIfModifiedSince: future },
    { SourceIfMatch: ETag },
    { SourceIfNoneMatch: '*' },
    { SourceIfModifiedSince: future },
    { SourceIfUnmodifiedSince: past },
  ]) {
    await assert.rejects(
      rename('source', 'target', condition),
      { name: 'PreconditionFailed' },
      Object.keys(condition)[0],
    );
  }
  await rename('source', 'target', { DestinationIfMatch: ETag, SourceIfModifiedSince: past });
  assert.equal((await read('target')).body.toString(), 'source');
  await assert.rejects(rename('source', 'elsewhere'), { name: 'NoSuchKey' });
  await assert.rejects(rename('target', 'target'), { name: 'InvalidRequest' });
});

test('a rename that is asked again with its token is done once', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'once', Body: '1' }));
  await rename('once', 'done', { ClientToken: 'token-1' });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'once', Body: '2' }));
  await rename('once', 'done', { ClientToken: 'token-1' });
  assert.equal((await read('done')).body.toString(), '1');
  const other = rename('once', 'done', { ClientToken: 'token-1', SourceIfMatch: '*' });
  await assert.rejects(other, { name: 'IdempotencyParameterMismatch' });
  await rename('once', 'done', { ClientToken: 'token-2' });
  assert.equal((await read('done')).body.toString(), '2');
});

test('a rename takes the rights to read and to remove the source, and to write the destination', async () => {
  const Key = 'guarded';
  for (const [Action, name] of [
    ['s3:GetObject', Key],
    ['s3:DeleteObject', Key],
    ['s3:PutObject', 'free'],
  ] as const) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const Resource = `arn:aws:s3:::${Bucket}/${name}`;
    const Statement = [{ Effect: 'Deny', Principal: '*', Action, Resource }];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    await assert.rejects(rename(Key, 'free'), { name: 'AccessDenied' }, Action);
  }
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${Bucket}` }];
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  await rename(Key, 'free');
});

test('what cannot be renamed is refused by name', async () => {
  const key = randomBytes(32);
  const customer = {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: key.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
  };
  await s3.send(new PutObjectCommand({ Bucket, Key: 'customer', Body: 'x', ...customer }));
  await assert.rejects(rename('customer', 'other'), { name: 'InvalidRequest', message: /SSE-C/ });
  const versioned = await newBucket();
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration }));
  await s3.send(new PutObjectCommand({ Bucket: versioned, Key: 'a', Body: 'x' }));
  const command = new RenameObjectCommand({ Bucket: versioned, Key: 'b', RenameSource: `${versioned}/a` });
  await assert.rejects(s3.send(command), { name: 'NotImplemented', message: /versioning/ });
});

for (const isOfParts of [false, true]) {
  test(`an object is put under another key without a change of its content (${isOfParts ? 'parts' : 'whole'})`, async () => {
    const Key = `moved-${isOfParts}`;
    const body = randomBytes(300_000);
    if (isOfParts) await putParts(Key, [body], {});
    else await s3.send(new PutObjectCommand({ Bucket, Key, Body: body, ContentType: 'a/b' }));
    const before = await read(Key);
    for (const BucketKeyEnabled of [false, true]) {
      const SSEKMS = { KMSKeyArn: keyArn, BucketKeyEnabled };
      await s3.send(new UpdateObjectEncryptionCommand({ Bucket, Key, ObjectEncryption: { SSEKMS } }));
      const { head, body: content } = await read(Key);
      assert.deepEqual(content, body);
      const { ServerSideEncryption: _, SSEKMSKeyId, BucketKeyEnabled: withBucketKey = false, ...rest } = head;
      const { ServerSideEncryption: __, ...restBefore } = before.head;
      assert.deepEqual([SSEKMSKeyId, withBucketKey, rest], [keyArn, BucketKeyEnabled, restBefore]);
    }
  });
}

test('an encryption is updated to a key of the bucket’s account, by its ARN', async () => {
  const Key = 'refused';
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  const update = (KMSKeyArn: string, more: object = {}) =>
    s3.send(new UpdateObjectEncryptionCommand({ Bucket, Key, ObjectEncryption: { SSEKMS: { KMSKeyArn } }, ...more }));
  await assert.rejects(update('alias/rename'), { name: /InvalidRequest|MalformedXML/ });
  await assert.rejects(update(keyArn.replace(/:\d{12}:/, ':210987654321:')), { name: 'AccessDenied' });
  await assert.rejects(update(keyArn, { Key: 'none' }), { name: 'NoSuchKey' });
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ServerSideEncryption: 'aws:kms:dsse' }));
  await assert.rejects(update(keyArn), { name: 'InvalidRequest', message: /DSSE-KMS or SSE-C/ });
  assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ServerSideEncryption, 'aws:kms:dsse');
});

test('an older version is put under another key, and stays the version that it is', async () => {
  const Bucket = await newBucket();
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'old' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'new' }));
  const ObjectEncryption = { SSEKMS: { KMSKeyArn: keyArn } };
  await s3.send(new UpdateObjectEncryptionCommand({ Bucket, Key: 'a', VersionId, ObjectEncryption }));
  const old = await s3.send(new GetObjectCommand({ Bucket, Key: 'a', VersionId }));
  assert.deepEqual([await old.Body?.transformToString(), old.SSEKMSKeyId], ['old', keyArn]);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
  assert.equal(head.ServerSideEncryption, 'AES256');
});
