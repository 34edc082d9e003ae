import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketTaggingCommand,
  GetBucketAbacCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketAbacCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createAccount, type TestAccount } from '../harness/accounts.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

const Bucket = 'account-films';
const BLOCK = '/v20180820/configuration/publicAccessBlock';
const TAGS = `/v20180820/tags/arn:aws:s3:::${Bucket}`;

let platform: TestPlatform;
let root: S3Client;
let other: TestAccount;
let user: ClientConfig['credentials'];
let iam: IAMClient;

before(async () => {
  platform = await startTestPlatform();
  root = new S3Client(platform.clientConfig());
  iam = new IAMClient(platform.clientConfig());
  other = await createAccount(platform);
  await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
  user = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  await root.send(new CreateBucketCommand({ Bucket }));
  await root.send(new PutObjectCommand({ Bucket, Key: 'film', Body: 'content' }));
});

after(async () => {
  root.destroy();
  iam.destroy();
  await platform.stop();
});

/** S3 Control's client is not at hand: its requests are made by hand, as the AWS CLI makes them. */
async function control(
  method: string,
  path: string,
  options: {
    readonly body?: string;
    readonly query?: readonly (readonly [string, string])[];
    readonly credentials?: ClientConfig['credentials'];
  } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const body = Buffer.from(options.body ?? '');
  const headers = [['x-amz-account-id', platform.accountId]] as const;
  const request = { method, path, headers, body, ...(options.query !== undefined && { query: options.query }) };
  const credentials = options.credentials ?? platform.clientConfig().credentials;
  const { host } = new URL(platform.endpoint);
  const signed = signHeader(request, { credentials, service: 's3', host });
  const response = await fetch(platform.endpoint + signed.target, {
    method,
    headers: signed.headers.filter(([name]) => name !== 'Host').map(([...pair]) => pair),
    ...(body.length > 0 && { body }),
  });
  return { status: response.status, text: await response.text() };
}

const blockXml = (flags: string) =>
  `<PublicAccessBlockConfiguration xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">${flags}</PublicAccessBlockConfiguration>`;
const policyFor = (Principal: unknown) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }],
  });
const putPolicy = () => root.send(new PutBucketPolicyCommand({ Bucket, Policy: policyFor('*') }));
const anonymously = async () => (await fetch(`${platform.endpoint}/${Bucket}/film`)).status;

test('an account’s block holds for each of its buckets, from the next request on, beside the bucket’s own', async () => {
  await putPolicy();
  assert.equal(await anonymously(), 200);
  assert.match((await control('GET', BLOCK)).text, /NoSuchPublicAccessBlockConfiguration/);
  const restricted = blockXml('<RestrictPublicBuckets>true</RestrictPublicBuckets>');
  assert.equal((await control('PUT', BLOCK, { body: restricted })).status, 201);
  assert.equal(await anonymously(), 403);
  const { text } = await control('GET', BLOCK);
  assert.match(text, /<RestrictPublicBuckets>true<.*|<BlockPublicAcls>false</);
  // The bucket's own block does not loosen it.
  const off = { RestrictPublicBuckets: false, BlockPublicPolicy: false };
  await root.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: off }));
  assert.equal(await anonymously(), 403);
  const noPolicies = blockXml('<BlockPublicPolicy>true</BlockPublicPolicy>');
  await control('PUT', BLOCK, { body: noPolicies });
  assert.equal(await anonymously(), 200);
  await assert.rejects(putPolicy(), { name: 'AccessDenied', message: /BlockPublicPolicy/ });
  assert.equal((await control('DELETE', BLOCK)).status, 204);
  await putPolicy();
});

test('an account’s block is over access control lists, too: of objects, and of buckets that are to be made', async () => {
  const open = { Bucket: 'account-lists', ObjectOwnership: 'ObjectWriter' } as const;
  await root.send(new CreateBucketCommand(open));
  const put = () => root.send(new PutObjectCommand({ Bucket: open.Bucket, Key: 'film', ACL: 'public-read' }));
  const read = async () => (await fetch(`${platform.endpoint}/${open.Bucket}/film`)).status;
  await put();
  assert.equal(await read(), 200);
  const flags = '<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>';
  await control('PUT', BLOCK, { body: blockXml(flags) });
  assert.equal(await read(), 403);
  await assert.rejects(put(), { name: 'AccessDenied', message: /BlockPublicAcls setting/ });
  const made = { ...open, Bucket: 'account-lists-2', ACL: 'public-read' } as const;
  await assert.rejects(root.send(new CreateBucketCommand(made)), { name: 'AccessDenied' });
  await control('DELETE', BLOCK);
  assert.equal(await read(), 200);
  await root.send(new CreateBucketCommand(made));
});

test('an account’s block is its own: other accounts, and users without the right, are refused', async () => {
  for (const credentials of [other, user]) {
    const { status, text } = await control('DELETE', BLOCK, { credentials });
    assert.deepEqual([status, /<Code>(\w+)</.exec(text)?.[1]], [403, 'AccessDenied']);
  }
  await allow('ann', { Effect: 'Allow', Action: 's3:PutAccountPublicAccessBlock', Resource: '*' });
  assert.equal((await control('DELETE', BLOCK, { credentials: user })).status, 204);
  assert.equal((await control('GET', '/v20180820/jobs')).status, 501);
});

async function allow(UserName: string, statement: object): Promise<void> {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'only', PolicyDocument }));
}

const setAbac = (Status: 'Enabled' | 'Disabled') =>
  root.send(new PutBucketAbacCommand({ Bucket, AbacStatus: { Status } }));
const tag = (Key: string, Value: string, credentials?: ClientConfig['credentials']) =>
  control('POST', TAGS, {
    body: `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags><Tag><Key>${Key}</Key><Value>${Value}</Value></Tag></Tags></TagResourceRequest>`,
    ...(credentials !== undefined && { credentials }),
  });

test('tags of a bucket decide on access to it and to what is in it, where that is enabled', async () => {
  const client = new S3Client(platform.clientConfig(user));
  const read = () => client.send(new GetObjectCommand({ Bucket, Key: 'film' }));
  const list = () => client.send(new ListObjectsV2Command({ Bucket }));
  assert.equal((await tag('team', 'red')).status, 204);
  await root.send(new PutBucketPolicyCommand({ Bucket, Policy: policyFor({ AWS: platform.accountId }) }));
  for (const key of ['aws:ResourceTag/team', 's3:BucketTag/team']) {
    const Condition = { StringEquals: { [key]: 'red' } };
    await allow('ann', { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition });
    await setAbac('Disabled');
    await assert.rejects(list(), { name: 'AccessDenied' }, key);
    await setAbac('Enabled');
    await list();
    await read();
    await tag('team', 'blue');
    await assert.rejects(list(), { name: 'AccessDenied' }, key);
    await tag('team', 'red');
  }
  client.destroy();
});

test('where tags decide on access they are changed by TagResource and UntagResource alone', async () => {
  await setAbac('Enabled');
  assert.equal((await root.send(new GetBucketAbacCommand({ Bucket }))).AbacStatus?.Status, 'Enabled');
  const TagSet = [{ Key: 'team', Value: 'green' }];
  await assert.rejects(root.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } })), {
    name: 'InvalidRequest',
  });
  await assert.rejects(root.send(new DeleteBucketTaggingCommand({ Bucket })), { name: 'InvalidRequest' });
  await tag('other', 'x');
  assert.match((await control('GET', TAGS)).text, /<Key>team<.*<Key>other</);
  assert.equal((await control('DELETE', TAGS, { query: [['tagKeys', 'other']] })).status, 204);
  assert.doesNotMatch((await control('GET', TAGS)).text, /other/);
  const Condition = { StringEquals: { 'aws:RequestTag/team': 'red' } };
  await allow('ann', { Effect: 'Allow', Action: 's3:TagResource', Resource: '*', Condition });
  assert.equal((await tag('team', 'blue', user)).status, 403);
  assert.equal((await tag('team', 'red', user)).status, 204);
  assert.equal((await tag('team', 'red', other)).status, 403);
});
