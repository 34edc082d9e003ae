import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Caller, ServiceCaller } from '#kernel/caller.ts';
import type { Authority } from '#kernel/door.ts';
import { asRegion } from '#kernel/ids.ts';
import { silentLogger } from '#kernel/logger.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { StsApi } from '#services/sts/api.ts';
import { readConfig } from '../../bin/config.ts';
import { Platform } from '../../bin/platform.ts';

const region = asRegion('eu-west-1');
const isDenied = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ServiceError, String(error));
  assert.equal(error.code, 'AccessDenied');
  assert.match(error.message, message);
  return true;
};

describe('A service that assumes a role in its own name', () => {
  let folder: string;
  let platform: Platform;
  let sts: StsApi;
  let root: Authority;
  let service: ServiceCaller;
  let queueArn: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-sts-'));
    const environment = { COFFER_DATA: join(folder, 'data'), COFFER_ROOT_KEY_FILE: join(folder, 'root.key') };
    platform = await Platform.open(readConfig({}, environment), environment, silentLogger);
    sts = new StsApi(platform.gateway, platform.iam);
    const [account] = await platform.iam.accounts.list();
    assert.ok(account);
    const { accountId } = account;
    const caller: Caller = { type: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, principalId: accountId };
    root = { caller, region, via: [] };
    queueArn = `arn:aws:mediaconvert:${region}:${accountId}:queues/Default`;
    service = {
      type: 'service',
      service: 'mediaconvert.amazonaws.com',
      sourceAccount: accountId,
      sourceArn: queueArn,
    };
  });
  after(async () => {
    await platform.close();
    await rm(folder, { recursive: true });
  });

  async function createRole(RoleName: string, condition: object): Promise<string> {
    const statement = {
      Effect: 'Allow',
      Principal: { Service: 'mediaconvert.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Condition: condition,
    };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement });
    await platform.gateway.invoke('iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument }, root);
    return `arn:aws:iam::${service.sourceAccount}:role/${RoleName}`;
  }

  const assume = (RoleArn: string, caller: Caller) =>
    sts.assumeRole({ RoleArn, RoleSessionName: 'job' }, { caller, region, via: [] });

  it('gets the role’s session when the role trusts it for this account and resource', async () => {
    const roleArn = await createRole('Guarded', {
      StringEquals: { 'aws:SourceAccount': service.sourceAccount },
      ArnLike: { 'aws:SourceArn': queueArn.replace('Default', '*') },
    });
    const { caller, credentials } = await assume(roleArn, service);
    assert.equal(caller.type, 'assumed-role');
    assert.equal(caller.roleArn, roleArn);
    assert.equal(caller.arn, `arn:aws:sts::${service.sourceAccount}:assumed-role/Guarded/job`);
    assert.equal(caller.accessKeyId, credentials.AccessKeyId);
    const found = await platform.iam.findCredentials(
      credentials.AccessKeyId ?? '',
      credentials.SessionToken,
      Date.now(),
    );
    assert.ok(typeof found === 'object' && found.secretAccessKey === credentials.SecretAccessKey);
    await assert.rejects(
      assume(roleArn, { ...service, sourceArn: 'arn:aws:mediaconvert:x:1:queues/y' }),
      isDenied(/./),
    );
  });

  it('gets nothing from a role that trusts another service, and nothing but trust lets it in', async () => {
    const roleArn = await createRole('Other', {});
    await assert.rejects(
      assume(roleArn, { ...service, service: 'mediaconnect.amazonaws.com' }),
      isDenied(/^User: mediaconnect\.amazonaws\.com is not authorized .* because no role trust policy allows/),
    );
    await assert.rejects(platform.gateway.invoke('iam', 'ListUsers', {}, { ...root, caller: service }), isDenied(/./));
  });
});
