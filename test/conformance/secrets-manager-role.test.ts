import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { asAccountId, asRegion } from '#kernel/ids.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { failsWith } from '../harness/secrets-manager.ts';

const region = asRegion('us-east-1');

/** As AWS's guide to static keys in MediaConnect sets it up. */
describe('A role that lets a flow service read one secret', () => {
  let server: ClockedServer;
  let root: SecretsManagerClient;
  let iam: IAMClient;

  before(async () => {
    server = await ClockedServer.start();
    root = new SecretsManagerClient(server.clientConfig());
    iam = new IAMClient(server.clientConfig());
  });
  after(async () => {
    root.destroy();
    iam.destroy();
    await server.stop();
  });

  async function assume(RoleArn: string, service: string): Promise<SecretsManagerClient> {
    const caller = {
      type: 'service',
      service,
      sourceAccount: asAccountId(server.accountId),
      sourceArn: `arn:aws:mediaconnect:${region}:${server.accountId}:flow:1-a:flow`,
    } as const;
    const input = { RoleArn, RoleSessionName: 'flow' };
    const answer = await server.parts.services.gateway.invoke('sts', 'AssumeRole', input, { caller, region, via: [] });
    const { Credentials } = answer as {
      Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
    };
    const credentials = {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    };
    return new SecretsManagerClient({ ...server.clientConfig(), credentials });
  }

  it('gives the service that secret and no other, and nothing to other services', async () => {
    const create = async (Name: string) =>
      (await root.send(new CreateSecretCommand({ Name, SecretString: `of ${Name}` }))).ARN ?? '';
    const [arn, other] = [await create('aes256'), await create('other')];
    const trust = { Effect: 'Allow', Principal: { Service: 'mediaconnect.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'MediaConnect-ASM', AssumeRolePolicyDocument }));
    const Action = ['GetResourcePolicy', 'GetSecretValue', 'DescribeSecret', 'ListSecretVersionIds'].map(
      (name) => `secretsmanager:${name}`,
    );
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: 'MediaConnect-ASM',
        PolicyName: 'SecretsManagerForMediaConnect',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action, Resource: [arn] }],
        }),
      }),
    );
    const flow = await assume(Role?.Arn ?? '', 'mediaconnect.amazonaws.com');
    assert.equal((await flow.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString, 'of aes256');
    assert.equal((await flow.send(new DescribeSecretCommand({ SecretId: arn }))).Name, 'aes256');
    assert.equal((await flow.send(new ListSecretVersionIdsCommand({ SecretId: arn }))).Versions?.length, 1);
    assert.equal((await flow.send(new GetResourcePolicyCommand({ SecretId: arn }))).Name, 'aes256');
    const denied = failsWith('AccessDeniedException', /no identity-based policy allows/);
    await assert.rejects(flow.send(new GetSecretValueCommand({ SecretId: other })), denied);
    await assert.rejects(flow.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'x' })), denied);
    flow.destroy();
    await assert.rejects(
      assume(Role?.Arn ?? '', 'medialive.amazonaws.com'),
      /not authorized to perform: sts:AssumeRole/,
    );
  });
});
