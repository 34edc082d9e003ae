import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createAccount } from '../harness/accounts.ts';
import { flowAddress } from '../harness/flow-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const run = promisify(execFile);
const hasCli = spawnSync('aws', ['--version']).status === 0;

interface Answer {
  readonly ARN: string;
  readonly Policy: { readonly Arn: string };
  readonly Role: { readonly Arn: string };
  readonly Flow: FlowAnswer;
  readonly Messages: { readonly Errors: readonly string[] };
  readonly Flows: readonly FlowAnswer[];
  readonly Entitlements: readonly { readonly EntitlementArn: string; readonly EntitlementName: string }[];
  readonly Tags: Readonly<Record<string, string>>;
  readonly Status: string;
}

interface FlowAnswer {
  readonly FlowArn: string;
  readonly Status: string;
  readonly Source: { readonly IngestPort: number; readonly Decryption: object };
  readonly Outputs: readonly { readonly Name: string; readonly Port: number; readonly EntitlementArn?: string }[];
}

/** As AWS's guide has it: "Setting up static key encryption using AWS Elemental MediaConnect". */
describe('static keys with the AWS CLI', { skip: hasCli ? false : 'the AWS CLI is not installed' }, () => {
  let platform: TestPlatform;
  let folder: string;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIACONNECT_ADDRESS: flowAddress() });
    folder = await mkdtemp(join(tmpdir(), 'coffer-cli-'));
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  async function aws(...args: readonly string[]): Promise<Answer> {
    return as(platform.clientConfig().credentials, ...args);
  }

  async function as(
    credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
    ...args: readonly string[]
  ): Promise<Answer> {
    const { stdout } = await run('aws', [...args, '--output', 'json'], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AWS_ENDPOINT_URL: platform.endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
      },
    });
    return (stdout === '' ? {} : JSON.parse(stdout)) as Answer;
  }

  async function json(name: string, content: object): Promise<string> {
    await writeFile(join(folder, name), JSON.stringify(content));
    return `file://${join(folder, name)}`;
  }

  it('secret, policy and role, and a flow that is encrypted in, out and to a partner', async () => {
    const key = randomBytes(32).toString('hex');
    const store = ['secretsmanager', 'create-secret', '--name', '2018-12-01_baseball-game-source'];
    const { ARN } = await aws(...store, '--secret-string', key);

    const Action = ['GetResourcePolicy', 'GetSecretValue', 'DescribeSecret', 'ListSecretVersionIds'];
    const policy = await json('policy.json', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: Action.map((name) => `secretsmanager:${name}`), Resource: [ARN] }],
    });
    const makePolicy = ['iam', 'create-policy', '--policy-name', 'SecretsManagerForMediaConnect'];
    const { Policy } = await aws(...makePolicy, '--policy-document', policy);

    const trust = (service: string) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    });
    const role = ['--role-name', 'MediaConnectASM'];
    const ec2 = await json('ec2.json', trust('ec2.amazonaws.com'));
    const { Role } = await aws('iam', 'create-role', ...role, '--assume-role-policy-document', ec2);
    await aws('iam', 'attach-role-policy', ...role, '--policy-arn', Policy.Arn);

    const encryption = { roleArn: Role.Arn, secretArn: ARN, keyType: 'static-key', algorithm: 'aes256' };
    const camel = (member: object) =>
      Object.fromEntries(
        Object.entries(member).map(([name, value]) => [`${name[0]?.toUpperCase()}${name.slice(1)}`, value as string]),
      );
    const partner = await createAccount(platform);
    const flow = await json('flow.json', {
      Name: 'BaseballGame',
      FlowTags: { sport: 'baseball' },
      Source: {
        Name: 'stadium',
        Protocol: 'zixi-push',
        WhitelistCidr: '127.0.0.1/32',
        Decryption: camel(encryption),
        SourceTags: { kind: 'venue' },
      },
      Outputs: [
        { Name: 'studio', Protocol: 'zixi-push', Destination: '127.0.0.1', Port: 5009, Encryption: camel(encryption) },
      ],
      Entitlements: [{ Name: 'partner', Subscribers: [partner.accountId], Encryption: camel(encryption) }],
    });
    const { Flow } = await aws('mediaconnect', 'create-flow', '--cli-input-json', flow);
    const named = ['--flow-arn', Flow.FlowArn];
    assert.equal(Flow.Status, 'STANDBY');
    assert.equal(Flow.Source.IngestPort, 2088);
    assert.deepEqual(Flow.Source.Decryption, camel(encryption));
    assert.deepEqual((await aws('mediaconnect', 'list-tags-for-resource', '--resource-arn', Flow.FlowArn)).Tags, {
      sport: 'baseball',
    });

    // Before the trust relationship is edited, step 3 is not done.
    assert.equal((await aws('mediaconnect', 'start-flow', ...named)).Status, 'STARTING');
    await assert.rejects(aws('mediaconnect', 'wait', 'flow-active', ...named), /Waiter FlowActive failed/);
    const failed = await aws('mediaconnect', 'describe-flow', ...named);
    assert.equal(failed.Flow.Status, 'ERROR');
    assert.match(failed.Messages.Errors[0] ?? '', /MediaConnectASM.*step 3/);
    const mediaConnect = await json('trust.json', trust('mediaconnect.amazonaws.com'));
    await aws('iam', 'update-assume-role-policy', ...role, '--policy-document', mediaConnect);

    await aws('mediaconnect', 'start-flow', ...named);
    await aws('mediaconnect', 'wait', 'flow-active', ...named);
    const { Flow: running } = await aws('mediaconnect', 'describe-flow', ...named);
    assert.deepEqual(
      running.Outputs.map(({ Name }) => Name),
      ['studio', 'partner'],
    );
    const { Entitlements } = await as(partner, 'mediaconnect', 'list-entitlements');
    assert.deepEqual(
      Entitlements.map(({ EntitlementName }) => EntitlementName),
      ['partner'],
    );
    assert.equal(running.Outputs[1]?.EntitlementArn, Entitlements[0]?.EntitlementArn);
    assert.equal((await aws('mediaconnect', 'list-flows')).Flows[0]?.Status, 'ACTIVE');
    await aws('mediaconnect', 'stop-flow', ...named);
    await aws('mediaconnect', 'wait', 'flow-standby', ...named);
    await aws('mediaconnect', 'delete-flow', ...named);
    await aws('mediaconnect', 'wait', 'flow-deleted', ...named);
  });

  it('refuses by name what is not built', async () => {
    await assert.rejects(aws('mediaconnect', 'list-bridges'), /NotImplemented.*ListBridges of mediaconnect/);
    await assert.rejects(aws('mediaconnect', 'list-offerings'), /NotImplemented.*ListOfferings of mediaconnect/);
    await assert.rejects(aws('mediaconnect', 'list-router-inputs'), /NotImplemented.*ListRouterInputs of mediaconnect/);
  });
});
