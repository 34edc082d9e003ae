import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createAccount } from '../harness/accounts.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let root: S3Client;
let iam: IAMClient;
let kms: KMSClient;
const clients: S3Client[] = [];

before(async () => {
  platform = await startTestPlatform({ COFFER_ALLOW_INSECURE_SSE_C: '1' });
  root = new S3Client(platform.clientConfig());
  iam = new IAMClient(platform.clientConfig());
  kms = new KMSClient(platform.clientConfig());
});

after(async () => {
  for (const client of [root, iam, kms, ...clients]) client.destroy();
  await platform.stop();
});

/** A client of a new user who may do what the statements say. */
async function userWith(name: string, ...statements: object[]): Promise<S3Client> {
  await iam.send(new CreateUserCommand({ UserName: name }));
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'p', PolicyDocument: policy }));
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  const client = new S3Client(
    platform.clientConfig({ accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' }),
  );
  clients.push(client);
  return client;
}

async function refusal(work: Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof Error);
    return { name: error.name, message: error.message };
  }
  assert.fail('the call was not refused');
}

async function bucketWith(name: string, ...statements: object[]): Promise<void> {
  await root.send(new CreateBucketCommand({ Bucket: name }));
  if (statements.length === 0) return;
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await root.send(new PutBucketPolicyCommand({ Bucket: name, Policy: policy }));
}

test('tells only those who may list a bucket that a key does not exist', async () => {
  await bucketWith('missing-keys');
  const reader = await userWith('reader-only', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
  const lister = await userWith('reader-and-lister', {
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:ListBucket'],
    Resource: '*',
  });
  const get = () => new GetObjectCommand({ Bucket: 'missing-keys', Key: 'nothing' });
  const refused = await refusal(reader.send(get()));
  assert.equal(refused.name, 'AccessDenied');
  assert.match(refused.message, /s3:ListBucket/);
  assert.equal((await refusal(lister.send(get()))).name, 'NoSuchKey');
});

test('a policy that demands the encryption header refuses an upload without it, whatever the default is', async () => {
  const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
  const name = 'demands-the-header';
  await bucketWith(
    name,
    {
      Sid: 'DenyOthers',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${name}/*`,
      Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
    },
    {
      Sid: 'DenyOtherKeys',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${name}/*`,
      Condition: { StringNotEqualsIfExists: { 's3:x-amz-server-side-encryption-aws-kms-key-id': key?.Arn } },
    },
  );
  await root.send(
    new PutBucketEncryptionCommand({
      Bucket: name,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
      },
    }),
  );
  const bare = { Bucket: name, Key: 'x', Body: 'x' };
  const refused = await refusal(root.send(new PutObjectCommand(bare)));
  assert.equal(refused.name, 'AccessDenied');
  assert.match(refused.message, /explicit deny in a resource-based policy/);
  const encrypted = { ...bare, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key?.KeyId } as const;
  await root.send(new PutObjectCommand(encrypted));
  // Parts carry no such header: what the upload said counts for them.
  const upload = new Upload({ client: root, params: { ...encrypted, Key: 'large', Body: randomBytes(6_000_000) } });
  await upload.done();
  const copy = { Bucket: name, Key: 'y', CopySource: `${name}/x` };
  assert.equal((await refusal(root.send(new CopyObjectCommand(copy)))).name, 'AccessDenied');
});

test('a KMS object needs the right to decrypt, and to make a data key', async () => {
  const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
  await bucketWith('kms-rights');
  const user = await userWith('without-kms', { Effect: 'Allow', Action: 's3:*', Resource: '*' });
  const put = {
    Bucket: 'kms-rights',
    Key: 'x',
    Body: 'x',
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: key?.Arn,
  } as const;
  const onWrite = await refusal(user.send(new PutObjectCommand(put)));
  assert.equal(onWrite.name, 'AccessDenied');
  assert.match(onWrite.message, /kms:GenerateDataKey/);
  await root.send(new PutObjectCommand(put));
  const onRead = await refusal(user.send(new GetObjectCommand({ Bucket: 'kms-rights', Key: 'x' })));
  assert.match(onRead.message, /kms:Decrypt/);
  // What lies beside the content is not under the key.
  assert.equal((await user.send(new HeadObjectCommand({ Bucket: 'kms-rights', Key: 'x' }))).SSEKMSKeyId, key?.Arn);
});

test('a cached bucket key is no permission', async () => {
  const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
  await bucketWith('cached-key');
  const put = {
    Bucket: 'cached-key',
    Key: 'x',
    Body: 'x',
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: key?.Arn,
    BucketKeyEnabled: true,
  } as const;
  const allow = { Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: '*' };
  const user = await userWith('for-a-while', allow);
  await user.send(new PutObjectCommand(put));
  await (await user.send(new GetObjectCommand({ Bucket: 'cached-key', Key: 'x' }))).Body?.transformToString();
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...allow, Action: 's3:*' }] });
  await iam.send(new PutUserPolicyCommand({ UserName: 'for-a-while', PolicyName: 'p', PolicyDocument: policy }));
  assert.match(
    (await refusal(user.send(new GetObjectCommand({ Bucket: 'cached-key', Key: 'x' })))).message,
    /kms:Decrypt/,
  );
  assert.match((await refusal(user.send(new PutObjectCommand(put)))).message, /kms:GenerateDataKey/);
});

test('conditions on prefixes restrict listings', async () => {
  await bucketWith('prefixes');
  const user = await userWith('home-only', {
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: 'arn:aws:s3:::prefixes',
    Condition: { StringLike: { 's3:prefix': ['home/*'] } },
  });
  await user.send(new ListObjectsV2Command({ Bucket: 'prefixes', Prefix: 'home/me' }));
  for (const input of [{}, { Prefix: 'other/' }]) {
    assert.equal(
      (await refusal(user.send(new ListObjectsV2Command({ Bucket: 'prefixes', ...input })))).name,
      'AccessDenied',
    );
  }
});

test('another account comes in only when both sides allow it', async () => {
  const other = await createAccount(platform);
  const foreign = new S3Client(platform.clientConfig(other));
  clients.push(foreign);
  await bucketWith('shared-bucket', {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${other.accountId}:root` },
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::shared-bucket/shared/*',
  });
  for (const key of ['shared/x', 'own/x']) {
    await root.send(new PutObjectCommand({ Bucket: 'shared-bucket', Key: key, Body: 'x' }));
  }
  await foreign.send(new GetObjectCommand({ Bucket: 'shared-bucket', Key: 'shared/x' }));
  assert.equal(
    (await refusal(foreign.send(new GetObjectCommand({ Bucket: 'shared-bucket', Key: 'own/x' })))).message,
    'Access Denied',
  );
  assert.equal(
    (await refusal(foreign.send(new CreateBucketCommand({ Bucket: 'shared-bucket' })))).name,
    'BucketAlreadyExists',
  );
  const expected = await refusal(
    root.send(new GetObjectCommand({ Bucket: 'shared-bucket', Key: 'own/x', ExpectedBucketOwner: other.accountId })),
  );
  assert.equal(expected.name, 'AccessDenied');
});

test('tags of an object are conditions of access to it', async () => {
  await bucketWith('tagged', {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::tagged/*',
    Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'secret' } },
  });
  await root.send(new PutObjectCommand({ Bucket: 'tagged', Key: 'open', Body: 'x', Tagging: 'class=open&a=b%20c' }));
  await root.send(new PutObjectCommand({ Bucket: 'tagged', Key: 'secret', Body: 'x', Tagging: 'class=secret' }));
  await root.send(new GetObjectCommand({ Bucket: 'tagged', Key: 'open' }));
  assert.equal(
    (await refusal(root.send(new GetObjectCommand({ Bucket: 'tagged', Key: 'secret' })))).name,
    'AccessDenied',
  );
  const { TagSet: tags } = await root.send(new GetObjectTaggingCommand({ Bucket: 'tagged', Key: 'open' }));
  assert.deepEqual(tags, [
    { Key: 'class', Value: 'open' },
    { Key: 'a', Value: 'b c' },
  ]);
});

test('deletes of many keys say which were refused', async () => {
  await bucketWith('delete-some');
  for (const key of ['mine/1', 'theirs/1']) {
    await root.send(new PutObjectCommand({ Bucket: 'delete-some', Key: key, Body: 'x' }));
  }
  const user = await userWith('deleter', {
    Effect: 'Allow',
    Action: 's3:DeleteObject',
    Resource: 'arn:aws:s3:::delete-some/mine/*',
  });
  const answer = await user.send(
    new DeleteObjectsCommand({ Bucket: 'delete-some', Delete: { Objects: [{ Key: 'mine/1' }, { Key: 'theirs/1' }] } }),
  );
  assert.deepEqual(
    answer.Deleted?.map((item) => item.Key),
    ['mine/1'],
  );
  assert.deepEqual(
    answer.Errors?.map((item) => [item.Key, item.Code]),
    [['theirs/1', 'AccessDenied']],
  );
});

test('presigned addresses work for who has no credentials, and only for what was signed', async () => {
  await bucketWith('presigned');
  const put = await getSignedUrl(
    root,
    new PutObjectCommand({ Bucket: 'presigned', Key: 'a b', ContentType: 'text/plain' }),
  );
  const uploaded = await fetch(put, { method: 'PUT', body: 'presigned', headers: { 'content-type': 'text/plain' } });
  assert.equal(uploaded.status, 200, await uploaded.text());
  const get = await getSignedUrl(
    root,
    new GetObjectCommand({ Bucket: 'presigned', Key: 'a b', ResponseContentType: 'video/x' }),
  );
  const got = await fetch(get);
  assert.equal(await got.text(), 'presigned');
  assert.equal(got.headers.get('content-type'), 'video/x');
  assert.equal((await fetch(get.replace('a%20b', 'a%20c'))).status, 403);
  assert.equal((await fetch(`${platform.endpoint}/presigned/a%20b`)).status, 403);
});

test('keeps objects under customer-provided keys, and gives them to nobody without the key', async () => {
  await bucketWith('customer-keys');
  const keyOf = (key: Buffer) => ({
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: key.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
  });
  const key = keyOf(randomBytes(32));
  const object = { Bucket: 'customer-keys', Key: 'x' };
  await root.send(new PutObjectCommand({ ...object, ...key, Body: 'secret' }));
  const got = await root.send(new GetObjectCommand({ ...object, ...key }));
  assert.equal(await got.Body?.transformToString(), 'secret');
  assert.equal(got.SSECustomerKeyMD5, key.SSECustomerKeyMD5);
  assert.equal((await refusal(root.send(new GetObjectCommand(object)))).name, 'InvalidRequest');
  const wrong = await refusal(root.send(new GetObjectCommand({ ...object, ...keyOf(randomBytes(32)) })));
  assert.equal(wrong.name, 'AccessDenied');
  const short = await refusal(root.send(new PutObjectCommand({ ...object, ...keyOf(randomBytes(16)), Body: 'x' })));
  assert.equal(short.message, 'The secret key was invalid for the specified algorithm.');
  const upload = new Upload({
    client: root,
    params: { ...object, ...key, Key: 'large', Body: randomBytes(6_000_000) },
  });
  await upload.done();
  const large = await root.send(new GetObjectCommand({ ...object, ...key, Key: 'large' }));
  assert.equal((await large.Body?.transformToByteArray())?.length, 6_000_000);
  await root.send(
    new CopyObjectCommand({
      Bucket: 'customer-keys',
      Key: 'plain',
      CopySource: 'customer-keys/x',
      CopySourceSSECustomerAlgorithm: 'AES256',
      CopySourceSSECustomerKey: key.SSECustomerKey,
      CopySourceSSECustomerKeyMD5: key.SSECustomerKeyMD5,
    }),
  );
  const plain = await root.send(new GetObjectCommand({ Bucket: 'customer-keys', Key: 'plain' }));
  assert.equal(await plain.Body?.transformToString(), 'secret');
});

test('refuses bucket policies that are not of this bucket', async () => {
  await bucketWith('own-policy');
  const put = (statement: object) =>
    refusal(
      root.send(
        new PutBucketPolicyCommand({
          Bucket: 'own-policy',
          Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
        }),
      ),
    );
  const good = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::own-policy/*' };
  const elsewhere = await put({ ...good, Resource: 'arn:aws:s3:::another/*' });
  assert.match(elsewhere.message, /^Policy has invalid resource\. Line 1, column \d+: it is not [a-z-]+ nor in it$/);
  assert.equal((await put({ ...good, Principal: undefined })).name, 'MalformedPolicy');
  const foreignAction = await put({ ...good, Action: 'kms:Decrypt' });
  assert.match(foreignAction.message, /^Policy has invalid action\. Line 1, column \d+: it is no action of S3$/);
});
