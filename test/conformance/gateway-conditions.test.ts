import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, TagResourceCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

type Credentials = ClientConfig['credentials'];
type Conditions = AccessEvaluation['conditions'];

/** In every request from a socket, whoever makes it. */
const OF_REQUESTS = [
  'aws:currenttime',
  'aws:epochtime',
  'aws:principalisawsservice',
  'aws:principaltype',
  'aws:requestedregion',
  'aws:resourceaccount',
  'aws:securetransport',
  'aws:sourceip',
  'aws:useragent',
  'aws:userid',
  'aws:viaawsservice',
];
const OF_PRINCIPALS = ['aws:principalaccount', 'aws:principalarn'];
const OF_SESSIONS = ['aws:multifactorauthpresent', 'aws:tokenissuetime'];

describe('condition keys', () => {
  let platform: TestPlatform;
  let root: { iam: IAMClient; kms: KMSClient; s3: S3Client; sts: STSClient; trail: CloudTrailClient };
  let alice: Credentials;
  let keyArn: string;
  let roleArn: string;

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    root = {
      iam: new IAMClient(config),
      kms: new KMSClient(config),
      s3: new S3Client(config),
      sts: new STSClient(config),
      trail: new CloudTrailClient(config),
    };
    await root.iam.send(new CreateUserCommand({ UserName: 'alice', Tags: [{ Key: 'Team', Value: 'news' }] }));
    const { AccessKey } = await root.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }));
    alice = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
    const allow = (Action: string[]) =>
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
    await root.iam.send(
      new PutUserPolicyCommand({
        UserName: 'alice',
        PolicyName: 'p',
        PolicyDocument: allow(['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity', 's3:PutObject']),
      }),
    );
    const trust = {
      Effect: 'Allow',
      Principal: { AWS: platform.accountId },
      Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    };
    const { Role } = await root.iam.send(
      new CreateRoleCommand({
        RoleName: 'editor',
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
      }),
    );
    roleArn = Role?.Arn ?? '';
    const { KeyMetadata } = await root.kms.send(
      new CreateKeyCommand({ Tags: [{ TagKey: 'project', TagValue: 'films' }] }),
    );
    keyArn = KeyMetadata?.Arn ?? '';
    await root.s3.send(new CreateBucketCommand({ Bucket: 'seen' }));
  });
  after(async () => {
    for (const client of Object.values(root)) client.destroy();
    await platform.stop();
  });

  /** What the engine saw of a request that it refused. */
  async function seenBy(name: string, request: () => Promise<unknown>): Promise<Conditions> {
    await assert.rejects(request());
    const { Events = [] } = await root.trail.send(
      new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: name }] }),
    );
    const [last] = Events.map(
      (event) =>
        JSON.parse(event.CloudTrailEvent ?? '{}') as {
          readonly additionalEventData: { readonly refusals?: readonly AccessEvaluation[] };
        },
    );
    const refusal = last?.additionalEventData.refusals?.[0];
    assert.ok(refusal, JSON.stringify(last));
    return refusal.conditions;
  }

  async function describeKey(credentials: Credentials): Promise<Conditions> {
    const kms = new KMSClient(platform.clientConfig(credentials));
    const seen = await seenBy('DescribeKey', () => kms.send(new DescribeKeyCommand({ KeyId: keyArn })));
    kms.destroy();
    return seen;
  }

  const globalKeysIn = (seen: Conditions) => Object.keys(seen).filter((key) => key.startsWith('aws:'));
  const sorted = (...keys: readonly (string | readonly string[])[]) => new Set(keys.flat());

  it('of a user with long-term credentials: who, whence, when, and the tags of both sides', async () => {
    const seen = await describeKey(alice);
    const own = ['aws:username', 'aws:principaltag/team', 'aws:resourcetag/project'];
    assert.deepEqual(new Set(globalKeysIn(seen)), sorted(OF_REQUESTS, OF_PRINCIPALS, own));
    const { 'aws:currenttime': time, 'aws:epochtime': epoch, 'aws:userid': id, 'aws:useragent': agent } = seen;
    assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
    assert.equal(Date.parse(String(time)) / 1000, Number(epoch));
    assert.match(String(id), /^AIDA/);
    assert.match(String(agent), /aws-sdk-js/);
    const { accountId } = platform;
    const expected = {
      'aws:sourceip': '127.0.0.1',
      'aws:securetransport': 'false',
      'aws:viaawsservice': 'false',
      'aws:principalisawsservice': 'false',
      'aws:principaltype': 'User',
      'aws:principalarn': `arn:aws:iam::${accountId}:user/alice`,
      'aws:principalaccount': accountId,
      'aws:resourceaccount': accountId,
      'aws:requestedregion': 'us-east-1',
      'aws:username': 'alice',
      'aws:principaltag/team': 'news',
      'aws:resourcetag/project': 'films',
    };
    for (const [key, value] of Object.entries(expected)) assert.equal(seen[key], value, key);
  });

  it('of a user’s session: that it was without MFA, and when it began', async () => {
    const sts = new STSClient(platform.clientConfig(alice));
    const { Credentials: given } = await sts.send(new GetSessionTokenCommand({}));
    sts.destroy();
    const seen = await describeKey(credentialsOf(given));
    const own = ['aws:username', 'aws:principaltag/team', 'aws:resourcetag/project'];
    assert.deepEqual(new Set(globalKeysIn(seen)), sorted(OF_REQUESTS, OF_PRINCIPALS, OF_SESSIONS, own));
    assert.equal(seen['aws:multifactorauthpresent'], 'false');
    assert.ok(Math.abs(Date.parse(String(seen['aws:tokenissuetime'])) - Date.now()) < 60_000);
  });

  it('of a role’s session: the role, the session’s tags and its source identity, and no user name', async () => {
    const sts = new STSClient(platform.clientConfig(alice));
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: 'one',
        SourceIdentity: 'Alice',
        Tags: [{ Key: 'shift', Value: 'night' }],
      }),
    );
    sts.destroy();
    const seen = await describeKey(credentialsOf(given));
    const own = ['aws:sourceidentity', 'aws:principaltag/shift', 'aws:resourcetag/project'];
    assert.deepEqual(new Set(globalKeysIn(seen)), sorted(OF_REQUESTS, OF_PRINCIPALS, OF_SESSIONS, own));
    assert.equal(seen['aws:principalarn'], roleArn);
    assert.equal(seen['aws:principaltype'], 'AssumedRole');
    assert.match(String(seen['aws:userid']), /^AROA\w+:one$/);
    assert.equal(seen['aws:sourceidentity'], 'Alice');
    assert.equal(seen['aws:principaltag/shift'], 'night');
  });

  it('of a service that calls in the caller’s name: through whom, and not whence', async () => {
    const s3 = new S3Client(platform.clientConfig(alice));
    const upload = {
      Bucket: 'seen',
      Key: 'x',
      Body: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyArn,
    } as const;
    const seen = await seenBy('GenerateDataKey', () => s3.send(new PutObjectCommand(upload)));
    s3.destroy();
    assert.equal(seen['aws:viaawsservice'], 'true');
    assert.deepEqual(seen['aws:calledvia'], ['s3.amazonaws.com']);
    assert.equal(seen['aws:calledviafirst'], 's3.amazonaws.com');
    assert.equal(seen['aws:calledvialast'], 's3.amazonaws.com');
    assert.equal(seen['kms:viaservice'], 's3.us-east-1.amazonaws.com');
    assert.equal(seen['kms:encryptioncontext:aws:s3:arn'], 'arn:aws:s3:::seen/x');
    assert.equal(seen['aws:sourceip'], undefined);
  });

  it('of tags in a request: each, and the list of their keys', async () => {
    const kms = new KMSClient(platform.clientConfig(alice));
    const tags = [
      { TagKey: 'Project', TagValue: 'news' },
      { TagKey: 'cost', TagValue: '7' },
    ];
    const seen = await seenBy('TagResource', () => kms.send(new TagResourceCommand({ KeyId: keyArn, Tags: tags })));
    kms.destroy();
    assert.equal(seen['aws:requesttag/project'], 'news');
    assert.equal(seen['aws:requesttag/cost'], '7');
    assert.deepEqual(seen['aws:tagkeys'], ['Project', 'cost']);
    assert.equal(seen['aws:resourcetag/project'], 'films');
  });

  it('of anonymous requests: nothing of a principal, and the referer that they tell', async () => {
    const seen = await seenBy('GetObject', async () => {
      const headers = { referer: 'https://films.example/' };
      const response = await fetch(`${platform.endpoint}/seen/x`, { headers });
      await response.arrayBuffer();
      if (response.status === 403) throw new Error('refused');
    });
    assert.deepEqual(new Set(globalKeysIn(seen)), sorted(OF_REQUESTS, 'aws:referer'));
    assert.equal(seen['aws:principaltype'], 'Anonymous');
    assert.equal(seen['aws:userid'], 'anonymous');
    assert.equal(seen['aws:referer'], 'https://films.example/');
  });

  it('of an address that IPv6 maps are IPv4’s', async () => {
    const s3 = new S3Client(platform.clientConfig(alice));
    const seen = await seenBy('GetObject', () => s3.send(new GetObjectCommand({ Bucket: 'seen', Key: 'x' })));
    s3.destroy();
    assert.equal(seen['aws:sourceip'], '127.0.0.1');
    assert.equal(seen['s3:authtype'], 'REST-HEADER');
    assert.equal(seen['s3:signatureversion'], 'AWS4-HMAC-SHA256');
  });
});

function credentialsOf(
  given: Readonly<Partial<Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string | undefined>>> | undefined,
): Credentials {
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
}
