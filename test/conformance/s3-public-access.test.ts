import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetBucketRequestPaymentCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutBucketRequestPaymentCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createAccount, type TestAccount } from '../harness/accounts.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const Bucket = 'open-films';

let platform: TestPlatform;
let root: S3Client;
let other: TestAccount;
let stranger: S3Client;

before(async () => {
  platform = await startTestPlatform();
  root = new S3Client(platform.clientConfig());
  other = await createAccount(platform);
  stranger = new S3Client(platform.clientConfig(other));
  await root.send(new CreateBucketCommand({ Bucket }));
  await root.send(new PutObjectCommand({ Bucket, Key: 'film', Body: 'content' }));
});

after(async () => {
  root.destroy();
  stranger.destroy();
  await platform.stop();
});

const policyFor = (Principal: unknown, Condition?: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*`, Condition },
    ],
  });
const putPolicy = (Policy: string) => root.send(new PutBucketPolicyCommand({ Bucket, Policy }));
const block = (flags: object) =>
  root.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: flags }));
const anonymously = async () => (await fetch(`${platform.endpoint}/${Bucket}/film`)).status;
const read = (client: S3Client) => client.send(new GetObjectCommand({ Bucket, Key: 'film' }));
const isPublic = async () =>
  (await root.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic ?? false;

test('a bucket says what of it the public does not get, until that is taken away', async () => {
  const missing = { name: 'NoSuchPublicAccessBlockConfiguration' };
  const get = () => root.send(new GetPublicAccessBlockCommand({ Bucket }));
  await assert.rejects(get(), missing);
  await block({ BlockPublicPolicy: true, IgnorePublicAcls: true });
  assert.deepEqual((await get()).PublicAccessBlockConfiguration, {
    BlockPublicAcls: false,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: false,
  });
  await root.send(new DeletePublicAccessBlockCommand({ Bucket }));
  await assert.rejects(get(), missing);
});

test('a policy that lets everyone in is refused where public policies are blocked, and no other', async () => {
  await block({ BlockPublicPolicy: true });
  await assert.rejects(putPolicy(policyFor('*')), { name: 'AccessDenied', message: /BlockPublicPolicy setting/ });
  await assert.rejects(putPolicy(policyFor({ AWS: '*' })), { name: 'AccessDenied' });
  await assert.rejects(putPolicy(policyFor('*', { IpAddress: { 'aws:SourceIp': '10.0.0.0/7' } })));
  await putPolicy(policyFor('*', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }));
  assert.equal(await isPublic(), false);
  await block({});
  await putPolicy(policyFor('*'));
  assert.equal(await isPublic(), true);
});

test('a public bucket that is restricted is open to its own account alone, from the next request on', async () => {
  await block({});
  await putPolicy(policyFor('*'));
  assert.equal(await anonymously(), 200);
  await read(stranger);
  await block({ RestrictPublicBuckets: true });
  assert.equal(await anonymously(), 403);
  await assert.rejects(read(stranger), { name: 'AccessDenied' });
  await read(root);
  await root.send(new DeletePublicAccessBlockCommand({ Bucket }));
  assert.equal(await anonymously(), 200);
});

test('a restriction leaves alone what a policy allows to a named account', async () => {
  await block({ RestrictPublicBuckets: true });
  await putPolicy(policyFor({ AWS: other.accountId }));
  await read(stranger);
  assert.equal(await anonymously(), 403);
});

test('other accounts get in where the requester pays when they say so, and anonymous callers not at all', async () => {
  await block({});
  await putPolicy(policyFor('*'));
  const payer = (Payer: 'Requester' | 'BucketOwner') =>
    root.send(new PutBucketRequestPaymentCommand({ Bucket, RequestPaymentConfiguration: { Payer } }));
  const asked = async () => (await root.send(new GetBucketRequestPaymentCommand({ Bucket }))).Payer;
  assert.equal(await asked(), 'BucketOwner');
  await payer('Requester');
  assert.equal(await asked(), 'Requester');
  await assert.rejects(read(stranger), { name: 'AccessDenied' });
  const paid = await stranger.send(new GetObjectCommand({ Bucket, Key: 'film', RequestPayer: 'requester' }));
  assert.equal(paid.RequestCharged, 'requester');
  assert.equal((await read(root)).RequestCharged, undefined);
  const headers = { 'x-amz-request-payer': 'requester' };
  assert.equal((await fetch(`${platform.endpoint}/${Bucket}/film`, { headers })).status, 403);
  await payer('BucketOwner');
  await read(stranger);
});
