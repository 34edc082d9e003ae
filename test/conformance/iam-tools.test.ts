import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { trusting } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../fixtures/iam_boto3.py', import.meta.url));
const hasBoto3 = spawnSync('python3', ['-c', 'import boto3']).status === 0;
const hasCli = spawnSync('aws', ['--version']).status === 0;

describe('IAM with the tools of AWS', () => {
  let platform: TestPlatform;
  let folder: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'coffer-iam-'));
    const { credentials } = platform.clientConfig();
    env = {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
    };
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  it('boto3: its waiters and paginators, the report and the details', {
    skip: hasBoto3 ? false : 'boto3 is not installed',
  }, async () => {
    const { stdout } = await run('python3', [script], { env });
    assert.match(stdout, /^OK$/m);
  });

  it('the AWS CLI', { skip: hasCli ? false : 'the AWS CLI is not installed' }, async () => {
    const aws = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
      const { stdout } = await run('aws', ['iam', ...args, '--output', 'json'], { env });
      return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
    };
    const trust = trusting({ Service: 'ec2.amazonaws.com' });
    await aws('create-role', '--role-name', 'media', '--assume-role-policy-document', trust);
    await aws('create-instance-profile', '--instance-profile-name', 'media');
    await aws('add-role-to-instance-profile', '--instance-profile-name', 'media', '--role-name', 'media');
    const { InstanceProfiles } = await aws('list-instance-profiles-for-role', '--role-name', 'media');
    assert.equal((InstanceProfiles as readonly unknown[]).length, 1);
    // The CLI opens the documents.
    const { RoleDetailList } = await aws('get-account-authorization-details', '--filter', 'Role');
    const [role] = RoleDetailList as readonly { AssumeRolePolicyDocument: unknown }[];
    assert.deepEqual(role?.AssumeRolePolicyDocument, JSON.parse(trust));
    const refused = run('aws', ['iam', 'delete-role', '--role-name', 'media'], { env });
    await assert.rejects(refused, /\(DeleteConflict\) when calling the DeleteRole operation: Cannot delete entity/);
  });
});
