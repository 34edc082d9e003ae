import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  GetRoleCommand,
  IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Server } from '../../bin/server.ts';
import { readConfig } from '../../bin/config.ts';
import { silentLogger } from '#kernel/logger.ts';
import { allowing, failsWith, newUser, trusting } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('the last use', () => {
  let platform: TestPlatform;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  const lastUseOf = async (AccessKeyId: string) => iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));

  it('of an access key is told with service and region, also of a call that was refused', async () => {
    const config = await newUser(platform, iam, 'ann');
    const { accessKeyId } = config.credentials;
    const unused = await lastUseOf(accessKeyId);
    assert.deepEqual(
      [unused.UserName, unused.AccessKeyLastUsed?.ServiceName, unused.AccessKeyLastUsed?.Region],
      ['ann', 'N/A', 'N/A'],
    );
    assert.equal(unused.AccessKeyLastUsed?.LastUsedDate, undefined);
    const s3 = new S3Client({ ...config, region: 'eu-west-1' });
    const earliest = Math.floor(Date.now() / 1000) * 1000;
    await assert.rejects(s3.send(new ListBucketsCommand({})));
    s3.destroy();
    const used = (await lastUseOf(accessKeyId)).AccessKeyLastUsed;
    assert.deepEqual([used?.ServiceName, used?.Region], ['s3', 'eu-west-1']);
    assert.ok((used?.LastUsedDate?.getTime() ?? 0) >= earliest);
  });

  it('of a key is not moved by what is signed wrongly, or by another account’s curiosity', async () => {
    const config = await newUser(platform, iam, 'ben');
    const { accessKeyId } = config.credentials;
    const wrong = new STSClient({ ...config, credentials: { accessKeyId, secretAccessKey: 'wrong' } });
    await assert.rejects(wrong.send(new GetCallerIdentityCommand({})));
    wrong.destroy();
    assert.equal((await lastUseOf(accessKeyId)).AccessKeyLastUsed?.ServiceName, 'N/A');
    await assert.rejects(
      lastUseOf('AKIAABCDEFGHIJKLMNOP'),
      failsWith('AccessDenied', /GetAccessKeyLastUsed on resource: access key AKIAABCDEFGHIJKLMNOP$/),
    );
  });

  it('of a role is told by GetRole', async () => {
    const config = await newUser(platform, iam, 'cat', allowing('sts:AssumeRole'));
    const AssumeRolePolicyDocument = trusting({ AWS: platform.accountId });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }));
    const lastUse = async () => (await iam.send(new GetRoleCommand({ RoleName: 'worker' }))).Role?.RoleLastUsed;
    const sts = new STSClient(config);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'session' }));
    sts.destroy();
    assert.equal((await lastUse())?.LastUsedDate, undefined);
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const worker = new STSClient(platform.clientConfig(credentials, 'eu-north-1'));
    await worker.send(new GetCallerIdentityCommand({}));
    worker.destroy();
    assert.equal((await lastUse())?.Region, 'eu-north-1');
  });

  it('lets keys be rotated: two at most, the old one switched off at once, then deleted', async () => {
    const config = await newUser(platform, iam, 'dan');
    const UserName = 'dan';
    const old = config.credentials.accessKeyId;
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    await assert.rejects(
      iam.send(new CreateAccessKeyCommand({ UserName })),
      failsWith('LimitExceededException', 'Cannot exceed quota for AccessKeysPerUser: 2'),
    );
    const sts = new STSClient(config);
    await sts.send(new GetCallerIdentityCommand({}));
    await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: old, Status: 'Inactive' }));
    await assert.rejects(sts.send(new GetCallerIdentityCommand({})), { name: 'InvalidClientTokenId' });
    sts.destroy();
    assert.equal((await lastUseOf(old)).AccessKeyLastUsed?.ServiceName, 'sts');
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: old }));
    const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName }));
    assert.deepEqual(
      AccessKeyMetadata?.map(({ AccessKeyId, Status }) => [AccessKeyId, Status]),
      [[AccessKey?.AccessKeyId, 'Active']],
    );
  });
});

it('the last use of a key is still known after the server was started again', async () => {
  const platform = await startTestPlatform();
  const iam = new IAMClient(platform.clientConfig());
  const config = await newUser(platform, iam, 'ann');
  const sts = new STSClient(config);
  await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  iam.destroy();
  await platform.server.stop();
  const again = await Server.start(readConfig({}, platform.environment), platform.environment, silentLogger);
  try {
    const later = new IAMClient({ ...platform.clientConfig(), endpoint: again.endpoint });
    const AccessKeyId = config.credentials.accessKeyId;
    const { AccessKeyLastUsed } = await later.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
    assert.equal(AccessKeyLastUsed?.ServiceName, 'sts');
    later.destroy();
  } finally {
    await again.stop();
    await rm(dirname(platform.dataFolder), { recursive: true });
  }
});
