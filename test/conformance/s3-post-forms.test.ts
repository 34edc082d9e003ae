import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const Bucket = 'uploads';

let platform: TestPlatform;
let root: S3Client;

before(async () => {
  platform = await startTestPlatform();
  root = new S3Client(platform.clientConfig());
  await root.send(new CreateBucketCommand({ Bucket }));
});

after(async () => {
  root.destroy();
  await platform.stop();
});

type Condition = object | readonly unknown[];
type Fields = Readonly<Record<string, string>>;

/** The fields of a form that is signed, with a policy that names each of them as it is, and has the conditions. */
async function signed(
  fields: Fields,
  conditions: readonly Condition[] = [],
  minutes = 5,
  bucket = Bucket,
): Promise<Fields> {
  const credentials = await root.config.credentials();
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const [day, region] = [time.slice(0, 8), await root.config.region()];
  const own = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${credentials.accessKeyId}/${day}/${region}/s3/aws4_request`,
    'x-amz-date': time,
  };
  const named = new Set(conditions.map((one) => (Array.isArray(one) ? String(one[1]).slice(1) : Object.keys(one)[0])));
  const exact = Object.entries({ ...fields, ...own }).filter(([name]) => !named.has(name));
  const document = {
    expiration: new Date(Date.now() + minutes * 60_000).toISOString(),
    conditions: [{ bucket }, ...exact.map(([name, value]) => ({ [name]: value })), ...conditions],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString('base64');
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();
  let key = hmac(`AWS4${credentials.secretAccessKey}`, day);
  for (const part of [region, 's3', 'aws4_request']) key = hmac(key, part);
  return { ...fields, ...own, policy, 'x-amz-signature': hmac(key, policy).toString('hex') };
}

async function post(
  fields: Fields,
  file: Uint8Array<ArrayBuffer> | string | null = 'content',
  filename = 'film.mp4',
  bucket = Bucket,
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (file !== null) form.append('file', new Blob([file]), filename);
  const address = `${platform.endpoint}/${bucket}`;
  const response = await fetch(address, { method: 'POST', body: form, redirect: 'manual' });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: /<Code>(\w+)/.exec(text)?.[1] };
}

const contentOf = async (Key: string) =>
  Buffer.from((await (await root.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToByteArray()) ?? []);

test('a form stores its file with what its fields say, and a key with the name of the file', async () => {
  const fields = {
    key: 'films/${filename}',
    'Content-Type': 'video/mp4',
    'x-amz-meta-title': 'Größe',
    tagging: '<Tagging><TagSet><Tag><Key>kind</Key><Value>a b+c</Value></Tag></TagSet></Tagging>',
    success_action_status: '201',
  };
  const conditions = [
    ['starts-with', '$key', 'films/'],
    ['content-length-range', 1, 10],
  ];
  const answer = await post(await signed(fields, conditions), 'content', 'C:\\clips\\a film.mp4');
  assert.equal(answer.status, 201, answer.text);
  assert.match(answer.text, /<Key>films\/a film\.mp4<\/Key><ETag>(&quot;|").+<\/ETag>/);
  assert.equal(answer.headers.get('location'), `${platform.endpoint}/${Bucket}/films/a%20film.mp4`);
  const Key = 'films/a film.mp4';
  const head = await root.send(new HeadObjectCommand({ Bucket, Key }));
  assert.equal(head.ContentType, 'video/mp4');
  assert.equal(Buffer.from(head.Metadata?.['title'] ?? '').toString(), head.Metadata?.['title']);
  assert.equal(head.ServerSideEncryption, 'AES256');
  const { TagSet } = await root.send(new GetObjectTaggingCommand({ Bucket, Key }));
  assert.deepEqual(TagSet, [{ Key: 'kind', Value: 'a b+c' }]);
  assert.equal((await contentOf(Key)).toString(), 'content');
});

test('a file of many chunks arrives byte by byte, whatever of the boundary it has in it', async () => {
  const file = Buffer.concat([randomBytes(3_000_000), Buffer.from('\r\n--\r\n------formdata\r\n'), randomBytes(5)]);
  const { status, text } = await post(await signed({ key: 'large' }), file);
  assert.equal(status, 204, text);
  assert.deepEqual(await contentOf('large'), file);
});

test('a form can choose the KMS key, and its answer leads on where it says so', async () => {
  const kms = new KMSClient(platform.clientConfig());
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  const fields = {
    key: 'sealed',
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': KeyMetadata?.Arn ?? '',
    success_action_redirect: 'https://studio.example.com/done?step=2',
  };
  const { status, headers } = await post(await signed(fields));
  assert.equal(status, 303);
  const target = new URL(headers.get('location') ?? '');
  const { ETag, SSEKMSKeyId } = await root.send(new HeadObjectCommand({ Bucket, Key: 'sealed' }));
  assert.equal(SSEKMSKeyId, KeyMetadata?.Arn);
  assert.deepEqual(
    ['step', 'bucket', 'key', 'etag'].map((name) => target.searchParams.get(name)),
    ['2', Bucket, 'sealed', ETag],
  );
});

test('a form can lock what it stores, and ask for two layers of encryption', async () => {
  const locked = 'locked-uploads';
  await root.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }));
  const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000);
  const fields = {
    key: 'kept',
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-retain-until-date': until.toISOString(),
    'x-amz-object-lock-legal-hold': 'ON',
    'x-amz-server-side-encryption': 'aws:kms:dsse',
    'x-amz-storage-class': 'STANDARD_IA',
  };
  const unchecked = await post(await signed(fields, [], 5, locked), 'content', 'film.mp4', locked);
  assert.equal(unchecked.code, 'InvalidRequest', 'what is locked is checked');
  const { status, text } = await post(
    await signed({ ...fields, 'x-amz-checksum-crc32': '/sUwqQ==' }, [], 5, locked),
    'content',
    'film.mp4',
    locked,
  );
  assert.equal(status, 204, text);
  const head = await root.send(new HeadObjectCommand({ Bucket: locked, Key: 'kept' }));
  assert.deepEqual(
    [head.ObjectLockMode, head.ObjectLockRetainUntilDate, head.ObjectLockLegalHoldStatus],
    ['GOVERNANCE', until, 'ON'],
  );
  assert.deepEqual([head.ServerSideEncryption, head.StorageClass], ['aws:kms:dsse', 'STANDARD_IA']);
  // In a bucket without object lock there is nothing to lock with.
  const { key, 'x-amz-object-lock-legal-hold': hold } = fields;
  const refused = await post(await signed({ key, 'x-amz-object-lock-legal-hold': hold }));
  assert.deepEqual([refused.status, refused.code], [400, 'InvalidRequest']);
});

test('what a policy does not allow is refused in its words, and nothing is stored', async () => {
  const range = (min: number, max: number) => [['content-length-range', min, max]];
  const good = await signed({ key: 'refused' });
  const other = (signature: string) => (signature.startsWith('0') ? '1' : '0') + signature.slice(1);
  const cases: (readonly [Fields, number, string, RegExp])[] = [
    [{ ...good, 'x-amz-meta-a': 'b' }, 403, 'AccessDenied', /according to Policy: Extra input fields: x-amz-meta-a/],
    [{ ...good, key: 'another' }, 403, 'AccessDenied', /Policy Condition failed: \["eq", ?"\$key", ?"refused"\]/],
    [await signed({ key: 'refused' }, [{ acl: 'private' }]), 403, 'AccessDenied', /Policy Condition failed/],
    [await signed({ key: 'refused' }, [{ bucket: 'another' }]), 403, 'AccessDenied', /Policy Condition failed/],
    [await signed({ key: 'refused' }, [], -1), 403, 'AccessDenied', /Invalid according to Policy: Policy expired\./],
    [await signed({ key: 'refused' }, range(0, 6)), 400, 'EntityTooLarge', /exceeds the maximum/],
    [await signed({ key: 'refused' }, range(8, 9)), 400, 'EntityTooSmall', /<MinSizeAllowed>8</],
    [await signed({ key: 'refused' }, [['content-length-range', 0]]), 400, 'InvalidPolicyDocument', /length-range/],
    [await signed({ key: 'refused' }, [['ends-with', '$key', '']]), 400, 'InvalidPolicyDocument', /unknown operation/],
    [{ ...good, policy: 'e30=' }, 403, 'SignatureDoesNotMatch', /does not match/],
    [{ ...good, 'x-amz-signature': other(good['x-amz-signature'] ?? '') }, 403, 'SignatureDoesNotMatch', /signature/],
    [{ key: 'refused', policy: good['policy'] ?? '' }, 400, 'InvalidArgument', /a field named 'AWSAccessKeyId'/],
    [{ key: 'refused' }, 403, 'AccessDenied', /Access Denied/],
    [await signed({}), 400, 'InvalidArgument', /must contain a field named 'key'/],
    [{ ...good, 'x-ignore-all': 'x'.repeat(20_480) }, 400, 'MaxPostPreDataLengthExceeded', /too large/],
  ];
  for (const [fields, status, code, words] of cases) {
    const answer = await post(fields);
    assert.deepEqual([answer.status, answer.code], [status, code], answer.text);
    assert.match(answer.text.replaceAll('&quot;', '"'), words);
  }
  const none = await post(good, null);
  assert.deepEqual([none.status, none.code], [400, 'InvalidArgument']);
  assert.equal((await root.send(new ListObjectsV2Command({ Bucket, Prefix: 'refused' }))).KeyCount, 0);
});

test('bucket policies see a form as what it is, and may let anybody send one', async () => {
  const statement = { Principal: '*', Resource: `arn:aws:s3:::${Bucket}/open/*` };
  const Condition = { StringEquals: { 's3:authType': 'POST' } };
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:PutObject', ...statement },
      {
        Effect: 'Deny',
        Action: 's3:PutObject',
        Condition,
        ...statement,
        Resource: `arn:aws:s3:::${Bucket}/no-forms/*`,
      },
    ],
  });
  await root.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  assert.equal((await post({ key: 'open/a', 'Content-Type': 'text/plain' })).status, 204);
  assert.equal((await contentOf('open/a')).toString(), 'content');
  assert.equal((await post({ key: 'closed/a' })).status, 403);
  assert.equal((await post(await signed({ key: 'no-forms/a' }))).status, 403);
});

test('a body that is no form, or one that is cut off, stores nothing', async () => {
  const head = '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nopen/broken\r\n--b\r\n';
  const file = 'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\nabc';
  const send = async (body: string, type = 'multipart/form-data; boundary=b') => {
    const address = `${platform.endpoint}/${Bucket}`;
    const response = await fetch(address, { method: 'POST', body, headers: { 'content-type': type } });
    return [response.status, /<Code>(\w+)/.exec(await response.text())?.[1]];
  };
  const malformed = [400, 'MalformedPOSTRequest'];
  assert.deepEqual(await send(head + file), malformed);
  assert.deepEqual(await send(`${head}${file}\r\n--b`), malformed);
  assert.deepEqual(await send(`${head}${file}\r\n--bogus`), malformed);
  assert.deepEqual(await send(head), malformed);
  assert.deepEqual(await send('nothing of the kind'), malformed);
  assert.deepEqual(await send(head + file.replace('form-data; ', '')), malformed);
  assert.deepEqual(await send(`${head}${head.slice(5)}${file}\r\n--b--\r\n`), [400, 'InvalidArgument']);
  assert.deepEqual(await send(head, 'multipart/form-data'), malformed);
  assert.deepEqual(await send(head, 'text/plain'), [412, 'PreconditionFailed']);
  assert.equal((await root.send(new ListObjectsV2Command({ Bucket, Prefix: 'open/broken' }))).KeyCount, 0);
  assert.deepEqual(await send(`${head}${file}\r\n--b--\r\n`), [204, undefined]);
});

test('a large file that is refused does not keep its client from the answer', async () => {
  const started = performance.now();
  const answer = await post({ key: 'closed/large' }, Buffer.alloc(8_000_000));
  assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied']);
  assert.ok(performance.now() - started < 1500, 'it came when the file had been sent');
});
