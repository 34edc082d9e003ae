import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../fixtures/rotation_boto3.py', import.meta.url));
const hasBoto3 = spawnSync('python3', ['-c', 'import boto3']).status === 0;
const hasCli = spawnSync('aws', ['--version']).status === 0;

describe('secrets with the AWS CLI', { skip: hasCli ? false : 'the AWS CLI is not installed' }, () => {
  let platform: TestPlatform;
  let folder: string;

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'coffer-cli-'));
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  async function aws(...args: readonly string[]): Promise<Record<string, unknown>> {
    const { credentials } = platform.clientConfig();
    const { stdout } = await run('aws', ['secretsmanager', ...args, '--output', 'json'], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AWS_ENDPOINT_URL: platform.endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
      },
    });
    return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
  }

  it('are stored, read, changed, listed and deleted', async () => {
    const key = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
    const { ARN } = await aws('create-secret', '--name', '2018-12-01_baseball-game-source', '--secret-string', key);
    assert.match(String(ARN), /:secret:2018-12-01_baseball-game-source-[A-Za-z0-9]{6}$/);
    assert.equal((await aws('get-secret-value', '--secret-id', String(ARN)))['SecretString'], key);
    await writeFile(join(folder, 'value'), Buffer.from([0, 1, 254, 255]));
    await aws('put-secret-value', '--secret-id', String(ARN), '--secret-binary', `fileb://${join(folder, 'value')}`);
    assert.equal((await aws('get-secret-value', '--secret-id', String(ARN)))['SecretBinary'], 'AAH+/w==');
    const { SecretList } = await aws('list-secrets', '--filters', 'Key=name,Values=2018');
    assert.equal((SecretList as unknown[]).length, 1);
    await aws('delete-secret', '--secret-id', String(ARN), '--force-delete-without-recovery');
    await assert.rejects(aws('describe-secret', '--secret-id', String(ARN)), /ResourceNotFoundException/);
  });
});

describe('a rotation by boto3', { skip: hasBoto3 ? false : 'boto3 is not installed' }, () => {
  it('goes as AWS’s templates of rotation functions do it, with credentials that are the endpoint’s own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coffer-rotation-'));
    const settings = join(folder, 'client.json');
    const child = spawn('python3', [script, settings], { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const target = `http://127.0.0.1:${line.toString().trim()}/`;
    await using platform = await startTestPlatform({ COFFER_ROTATION_ENDPOINTS: target });
    const client = new SecretsManagerClient(platform.clientConfig());
    const iam = new IAMClient(platform.clientConfig());
    try {
      const { ARN } = await client.send(new CreateSecretCommand({ Name: 'door', SecretString: 'old' }));
      await iam.send(new CreateUserCommand({ UserName: 'rotator' }));
      const Action = ['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'];
      const Statement = [
        { Effect: 'Allow', Action: Action.map((name) => `secretsmanager:${name}`), Resource: ARN },
        { Effect: 'Allow', Action: 'secretsmanager:GetRandomPassword', Resource: '*' },
      ];
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      await iam.send(new PutUserPolicyCommand({ UserName: 'rotator', PolicyName: 'p', PolicyDocument }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'rotator' }));
      await writeFile(
        settings,
        JSON.stringify({
          endpoint_url: platform.endpoint,
          region_name: 'us-east-1',
          aws_access_key_id: AccessKey?.AccessKeyId,
          aws_secret_access_key: AccessKey?.SecretAccessKey,
        }),
        { mode: 0o600 },
      );
      const RotationRules = { AutomaticallyAfterDays: 1 };
      const { VersionId } = await client.send(
        new RotateSecretCommand({ SecretId: 'door', RotationLambdaARN: target, RotationRules }),
      );
      while ((await client.send(new DescribeSecretCommand({ SecretId: 'door' }))).LastRotatedDate === undefined) {
        assert.equal(complaints, '');
        await delay(20);
      }
      const value = await client.send(new GetSecretValueCommand({ SecretId: 'door' }));
      assert.equal(value.VersionId, VersionId);
      assert.equal(value.SecretString?.length, 32);
    } finally {
      client.destroy();
      iam.destroy();
      child.kill();
      await rm(folder, { recursive: true });
    }
  });
});
