import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  type GetFederationTokenCommandInput,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { allowing, failsWith, type Keys, keysOf, makeRole, makeUser, policyOf } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('federated users', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let broker: STSClient;
  let s3: S3Client;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    broker = new STSClient(platform.clientConfig(await makeUser(iam, 'broker', allowing('sts:*', 's3:*'))));
    s3 = new S3Client(platform.clientConfig());
    for (const Bucket of ['films', 'drafts']) {
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(new PutObjectCommand({ Bucket, Key: 'one', Body: 'x' }));
    }
  });
  after(async () => {
    for (const client of [iam, broker, s3]) client.destroy();
    await platform.stop();
  });

  const federate = (facts: Partial<GetFederationTokenCommandInput> = {}, client = broker) =>
    client.send(new GetFederationTokenCommand({ Name: 'carol', ...facts }));
  const list = (keys: Keys, Bucket: string) =>
    new S3Client(platform.clientConfig(keys)).send(new ListObjectsV2Command({ Bucket }));
  const readFilms = policyOf({ Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::films' });

  it('are who their maker says, and may do what both allow', async () => {
    const { Credentials, FederatedUser, PackedPolicySize } = await federate({
      Policy: readFilms,
      DurationSeconds: 900,
    });
    const { accountId } = platform;
    assert.deepEqual(FederatedUser, {
      FederatedUserId: `${accountId}:carol`,
      Arn: `arn:aws:sts::${accountId}:federated-user/carol`,
    });
    assert.ok((PackedPolicySize ?? 0) > 0);
    const keys = keysOf(Credentials);
    const identity = await new STSClient(platform.clientConfig(keys)).send(new GetCallerIdentityCommand({}));
    assert.deepEqual(
      [identity.Account, identity.UserId, identity.Arn],
      [accountId, `${accountId}:carol`, `arn:aws:sts::${accountId}:federated-user/carol`],
    );
    await list(keys, 'films');
    await assert.rejects(list(keys, 'drafts'), failsWith('AccessDenied', /federated-user\/carol .*no session policy/));
    const more = keysOf((await federate({ Policy: allowing('kms:*', 's3:*') })).Credentials);
    await list(more, 'drafts');
  });

  it('may do nothing without session policies, but what a resource’s policy gives them by name', async () => {
    const keys = keysOf((await federate()).Credentials);
    await assert.rejects(list(keys, 'films'), failsWith('AccessDenied'));
    const Policy = policyOf({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:sts::${platform.accountId}:federated-user/carol` },
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::films',
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'films', Policy }));
    await list(keys, 'films');
    await assert.rejects(
      list(keysOf((await federate({ Name: 'dave' })).Credentials), 'films'),
      failsWith('AccessDenied'),
    );
  });

  it('carry tags', async () => {
    const Policy = policyOf({
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::${aws:PrincipalTag/bucket}',
    });
    const Tags = [{ Key: 'bucket', Value: 'drafts' }];
    const keys = keysOf((await federate({ Name: 'tagged', Policy, Tags })).Credentials);
    await list(keys, 'drafts');
    await assert.rejects(list(keys, 'films'), failsWith('AccessDenied'));
    await assert.rejects(
      federate({
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'A', Value: '2' },
        ],
      }),
      failsWith('InvalidParameterValue', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'),
    );
  });

  it('reach neither IAM nor STS, and make no more of their kind', async () => {
    const config = platform.clientConfig(keysOf((await federate({ Policy: allowing('*') })).Credentials));
    await assert.rejects(new IAMClient(config).send(new GetUserCommand({})), failsWith('InvalidClientTokenId'));
    const sts = new STSClient(config);
    const RoleArn = await makeRole(iam, 'Any', { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' });
    for (const command of [
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' }),
      new GetFederationTokenCommand({ Name: 'other' }),
      new GetSessionTokenCommand({}),
    ]) {
      await assert.rejects(
        sts.send(command as GetSessionTokenCommand),
        failsWith('AccessDenied', /with session credentials$/),
      );
    }
    const own = keysOf((await broker.send(new GetSessionTokenCommand({}))).Credentials);
    await assert.rejects(federate({}, new STSClient(platform.clientConfig(own))), failsWith('AccessDenied'));
    const role = keysOf(
      (await broker.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' }))).Credentials,
    );
    await assert.rejects(
      federate({}, new STSClient(platform.clientConfig(role))),
      failsWith('AccessDenied', 'Cannot call GetFederationToken with session credentials'),
    );
  });

  it('of the root user live for an hour at most, within its rights', async () => {
    const root = new STSClient(platform.clientConfig());
    const { Credentials } = await federate({ Policy: allowing('s3:ListBucket'), DurationSeconds: 129_600 }, root);
    assert.ok((Credentials?.Expiration?.getTime() ?? 0) - Date.now() <= 3_600_000);
    await list(keysOf(Credentials), 'drafts');
    for (const facts of [{ Name: 'x' }, { Name: 'a b' }, { DurationSeconds: 899 }, { DurationSeconds: 129_601 }]) {
      await assert.rejects(federate(facts), failsWith('ValidationError'), JSON.stringify(facts));
    }
  });

  it('have session policies and tags that fit into a token, as all sessions do', async () => {
    const Tags = Array.from({ length: 50 }, (_, index) => ({
      Key: `key-${index}`,
      Value: Array.from({ length: 25 }, (__, place) => ((index * 7919 + place * 104_729) % 99_991).toString(36)).join(
        '.',
      ),
    }));
    await assert.rejects(
      federate({ Tags }),
      failsWith('PackedPolicyTooLargeException', /^Packed size of session tags consumes \d+% of allotted space\.$/),
    );
    await assert.rejects(
      federate({
        PolicyArns: [
          { arn: `arn:aws:iam::aws:policy/${'x'.repeat(2000)}` },
          { arn: `arn:aws:iam::aws:policy/${'x'.repeat(100)}` },
        ],
      }),
      failsWith(
        'PackedPolicyTooLargeException',
        /^Packed policy consumes \d+% of allotted space, please use smaller policy\.$/,
      ),
    );
    const arn = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
    await assert.rejects(
      federate({ PolicyArns: Array.from({ length: 11 }, () => ({ arn })) }),
      failsWith('ValidationError', /less than or equal to 10$/),
    );
    const { Credentials } = await federate({ Policy: readFilms, PolicyArns: [{ arn }] });
    await list(keysOf(Credentials), 'drafts');
  });

  it('tell their account by their keys', async () => {
    const { Credentials } = await federate();
    const info = await broker.send(new GetAccessKeyInfoCommand({ AccessKeyId: Credentials?.AccessKeyId }));
    assert.equal(info.Account, platform.accountId);
    for (const AccessKeyId of ['ASIAAAAAAAAAAAAAAAAA', 'AKIAUNKNOWNUNKNOWN00']) {
      await assert.rejects(broker.send(new GetAccessKeyInfoCommand({ AccessKeyId })), failsWith('ValidationError'));
    }
  });

  it('have no part in roles whose ARN is none', async () => {
    for (const RoleArn of [
      'arn:aws:iam::123456789012:user/not-a-role',
      'arn:aws:iam::12:role/short-account',
      'x'.repeat(20),
    ]) {
      await assert.rejects(
        broker.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' })),
        failsWith('ValidationError', `${RoleArn} is invalid`),
      );
    }
  });
});
