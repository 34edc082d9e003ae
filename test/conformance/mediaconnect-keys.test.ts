import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  AddFlowOutputsCommand,
  CreateFlowCommand,
  DeleteFlowCommand,
  type Encryption,
  ListFlowsCommand,
  MediaConnectClient,
  StartFlowCommand,
  StopFlowCommand,
  UpdateFlowOutputCommand,
} from '@aws-sdk/client-mediaconnect';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { filesUnder } from '../harness/files-under.ts';
import { flowAddress } from '../harness/flow-calls.ts';
import { describeFlow, flowBecomes, refusedWith } from '../harness/mediaconnect.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const anybody = ['127.0.0.0/8'];

function document(statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

function trustOf(service: string, Condition: object = {}): string {
  return document({ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole', Condition });
}

describe('the key of a flow', () => {
  let platform: TestPlatform;
  let client: MediaConnectClient;
  let secrets: SecretsManagerClient;
  let iam: IAMClient;
  let kms: KMSClient;
  let port = 5000;
  let names = 0;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIACONNECT_ADDRESS: flowAddress() });
    const config = platform.clientConfig();
    client = new MediaConnectClient(config);
    secrets = new SecretsManagerClient(config);
    iam = new IAMClient(config);
    kms = new KMSClient(config);
  });
  after(async () => {
    for (const one of [client, secrets, iam, kms]) one.destroy();
    await platform.stop();
  });

  afterEach(async () => {
    const { Flows = [] } = await client.send(new ListFlowsCommand({}));
    for (const { FlowArn, Status } of Flows) {
      if (Status === 'STANDBY' || Status === 'ERROR') await client.send(new DeleteFlowCommand({ FlowArn }));
    }
  });

  async function secret(SecretString: string, KmsKeyId?: string): Promise<string> {
    const Name = `key-${names++}`;
    const { ARN = '' } = await secrets.send(
      new CreateSecretCommand({ Name, SecretString, ...(KmsKeyId !== undefined && { KmsKeyId }) }),
    );
    return ARN;
  }

  /** A role that MediaConnect may assume, and that may do what is given. */
  async function role(Action: string | readonly string[], Resource: string, trust?: string): Promise<string> {
    const RoleName = `role-${names++}`;
    const AssumeRolePolicyDocument = trust ?? trustOf('mediaconnect.amazonaws.com');
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = document({ Effect: 'Allow', Action, Resource });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
    return Role?.Arn ?? '';
  }

  async function flow(Decryption: Encryption): Promise<string> {
    const Protocol = Decryption.KeyType === 'srt-password' ? 'srt-listener' : 'zixi-push';
    const Source = { Name: 'camera', Protocol, IngestPort: port++, WhitelistCidr: '127.0.0.0/8', Decryption } as const;
    const { Flow } = await client.send(new CreateFlowCommand({ Name: 'encrypted', Source }));
    return Flow?.FlowArn ?? '';
  }

  /** Starts a flow that must not run. @returns why */
  async function failure(FlowArn: string): Promise<string> {
    assert.equal((await client.send(new StartFlowCommand({ FlowArn }))).Status, 'STARTING');
    const { flow: ended, errors } = await flowBecomes(client, FlowArn, ({ flow }) => flow.Status !== 'STARTING');
    assert.equal(ended.Status, 'ERROR');
    return errors.join('\n');
  }

  async function succeeds(FlowArn: string): Promise<void> {
    await client.send(new StartFlowCommand({ FlowArn }));
    const { flow: started, errors } = await flowBecomes(client, FlowArn, ({ flow }) => flow.Status !== 'STARTING');
    assert.equal(started.Status, 'ACTIVE', errors.join('\n'));
  }

  async function ends(FlowArn: string): Promise<void> {
    await client.send(new StopFlowCommand({ FlowArn }));
    await flowBecomes(client, FlowArn, ({ flow }) => flow.Status === 'STANDBY');
  }

  const staticKey = (RoleArn: string, SecretArn: string) =>
    ({ KeyType: 'static-key', Algorithm: 'aes256', RoleArn, SecretArn }) as const;

  it('is read at each start with the role’s session, and the audit log says for which flow', async () => {
    const SecretArn = await secret(`${KEY}\n`);
    const condition = {
      StringEquals: { 'aws:SourceAccount': platform.accountId },
      ArnLike: { 'aws:SourceArn': `arn:aws:mediaconnect:us-east-1:${platform.accountId}:flow:*` },
    };
    const trust = trustOf('mediaconnect.amazonaws.com', condition);
    const RoleArn = await role('secretsmanager:GetSecretValue', SecretArn, trust);
    const arn = await flow(staticKey(RoleArn, SecretArn));
    await succeeds(arn);
    await ends(arn);
    await secrets.send(new PutSecretValueCommand({ SecretId: SecretArn, SecretString: 'a new value, and no key' }));
    assert.match(await failure(arn), /does not hold such a key/);
    await secrets.send(new PutSecretValueCommand({ SecretId: SecretArn, SecretString: KEY.toUpperCase() }));
    await succeeds(arn);
    await ends(arn);
    const trail = new CloudTrailClient(platform.clientConfig());
    const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue: 'GetSecretValue' } as const];
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
    trail.destroy();
    assert.equal(Events.length, 3);
    const event = JSON.parse(Events[0]?.CloudTrailEvent ?? '') as {
      userIdentity: { arn: string };
      sourceIPAddress: string;
    };
    const key = arn.split(':')[6]?.split('-')[1] ?? '';
    assert.match(event.userIdentity.arn, new RegExp(`:assumed-role/role-\\d+/MediaConnect-${key}$`));
    assert.equal(event.sourceIPAddress, 'mediaconnect.amazonaws.com');
  });

  it('that is missing fails the start, and the reason names the step of the set-up', async () => {
    const SecretArn = await secret(KEY);
    const good = await role('secretsmanager:GetSecretValue', '*');
    const encryption = staticKey(good, SecretArn);
    const missingSecret = SecretArn.replace(/:key-\d+-/, ':absent-');
    const cases: readonly (readonly [Encryption, RegExp])[] = [
      [staticKey(good, missingSecret), /secret \S+ does not exist, or has no value \(step 1/],
      [{ ...encryption, RoleArn: `${good}-absent` }, /role \S+-absent does not exist, or its trust policy .* \(step 3/],
      [
        { ...encryption, RoleArn: await role('secretsmanager:GetSecretValue', '*', trustOf('ec2.amazonaws.com')) },
        /does not exist, or its trust policy does not let mediaconnect\.amazonaws\.com assume it \(step 3/,
      ],
      [
        { ...encryption, RoleArn: await role('secretsmanager:DescribeSecret', '*') },
        /may not read the secret \S+ \(step 2 .*secretsmanager:GetSecretValue/,
      ],
      [
        { ...encryption, RoleArn: await role('secretsmanager:GetSecretValue', `${missingSecret}`) },
        /may not read the secret \S+ \(step 2/,
      ],
    ];
    for (const [Decryption, reason] of cases) {
      const message = await failure(await flow(Decryption));
      assert.match(message, /^The key of the source camera could not be read: /);
      assert.match(message, reason);
    }
    await secrets.send(new DeleteSecretCommand({ SecretId: SecretArn }));
    assert.match(await failure(await flow(encryption)), /scheduled for deletion \(step 1/);
  });

  it('under a customer’s KMS key needs kms:Decrypt', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const SecretArn = await secret(KEY, KeyMetadata?.Arn);
    const without = await role('secretsmanager:GetSecretValue', SecretArn);
    assert.match(
      await failure(await flow(staticKey(without, SecretArn))),
      /may not use the KMS key of the secret \S+: a customer managed key needs kms:Decrypt/,
    );
    const arn = await flow(staticKey(await role(['secretsmanager:GetSecretValue', 'kms:Decrypt'], '*'), SecretArn));
    await succeeds(arn);
    await ends(arn);
    await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }));
    assert.match(await failure(arn), /KMS key of the secret \S+ is disabled/);
  });

  it('has the length and the form of its algorithm, and no message says anything of it', async () => {
    const RoleArn = await role('secretsmanager:GetSecretValue', '*');
    const password = 'not-a-key-but-a-word';
    const cases: readonly (readonly [value: string, more: Partial<Encryption>, rule: RegExp])[] = [
      [KEY.slice(0, 32), {}, /a static key for aes256 is plain text of 64 hexadecimal digits/],
      [KEY, { Algorithm: 'aes128' }, /a static key for aes128 is plain text of 32 hexadecimal digits/],
      [KEY, { Algorithm: 'aes192' }, /a static key for aes192 is plain text of 48 hexadecimal digits/],
      [KEY.replace('0', 'g'), {}, /64 hexadecimal digits/],
      [` ${KEY}`, {}, /64 hexadecimal digits/],
      [`${KEY}\n\n`, {}, /64 hexadecimal digits/],
      [JSON.stringify({ key: KEY }), {}, /64 hexadecimal digits/],
      ['p'.repeat(9), { KeyType: 'srt-password' }, /an SRT password is plain text of 10 to 80 bytes/],
      ['ä'.repeat(41), { KeyType: 'srt-password' }, /an SRT password is plain text of 10 to 80 bytes/],
      [password, {}, /64 hexadecimal digits/],
    ];
    for (const [value, more, rule] of cases) {
      const message = await failure(await flow({ ...staticKey(RoleArn, await secret(value)), ...more }));
      assert.match(message, rule);
      assert.match(message, /\(step 1 of setting up the key/);
      for (const part of [value, KEY.slice(0, 16), password]) assert.ok(!message.includes(part), message);
    }
    for (const [value, more] of [
      [KEY.slice(0, 32), { Algorithm: 'aes128' }],
      [KEY.slice(0, 48), { Algorithm: 'aes192' }],
      ['p'.repeat(10), { KeyType: 'srt-password' }],
      ['p'.repeat(80), { KeyType: 'srt-password', Algorithm: 'aes192' }],
    ] as const) {
      const arn = await flow({ ...staticKey(RoleArn, await secret(value)), ...more });
      await succeeds(arn);
      await ends(arn);
    }
  });

  it('of an output is read when it is added to a flow that runs, which goes on when that fails', async () => {
    const RoleArn = await role('secretsmanager:GetSecretValue', '*');
    const arn = await flow(staticKey(RoleArn, await secret(KEY)));
    await succeeds(arn);
    const output = { Name: 'taker', Protocol: 'zixi-pull' as const, CidrAllowList: anybody, RemoteId: 'r' };
    const add = (Encryption: Encryption) =>
      client.send(new AddFlowOutputsCommand({ FlowArn: arn, Outputs: [{ ...output, Port: port++, Encryption }] }));
    const short = staticKey(RoleArn, await secret('0123'));
    const reason = /^The key of the output taker could not be read: .*64 hexadecimal digits/;
    await assert.rejects(add(short), refusedWith('BadRequestException', reason));
    const after = await describeFlow(client, arn);
    assert.deepEqual([after.flow.Status, after.flow.Outputs], ['ACTIVE', []]);
    const { Outputs } = await add(staticKey(RoleArn, await secret(KEY)));
    const OutputArn = Outputs?.[0]?.OutputArn;
    const Encryption = { SecretArn: short.SecretArn };
    const change = client.send(new UpdateFlowOutputCommand({ FlowArn: arn, OutputArn, Encryption }));
    await assert.rejects(change, refusedWith('BadRequestException', reason));
    const { flow: kept } = await describeFlow(client, arn);
    assert.deepEqual(kept.Outputs?.[0]?.Encryption, Outputs?.[0]?.Encryption);
    const plain = client.send(
      new UpdateFlowOutputCommand({ FlowArn: arn, OutputArn, Protocol: 'rtp', Destination: '127.0.0.1' }),
    );
    await assert.rejects(plain, refusedWith('BadRequestException', /Encryption is not valid for the protocol rtp/));
    await ends(arn);
  });

  it('stays out of every file, and what is wrong with several is told of each', async () => {
    const RoleArn = await role('secretsmanager:GetSecretValue', '*');
    const RoleName = RoleArn.split('/').at(-1) ?? '';
    const value = 'fedcba98'.repeat(8);
    const arn = await flow(staticKey(RoleArn, await secret(value)));
    const output = { Protocol: 'zixi-pull' as const, CidrAllowList: anybody, RemoteId: 'r' };
    const Encryption = staticKey(RoleArn, await secret(value));
    const Outputs = ['one', 'two'].map((Name) => ({ ...output, Name, Port: port++, Encryption }));
    await client.send(new AddFlowOutputsCommand({ FlowArn: arn, Outputs }));
    await succeeds(arn);
    for (const file of await filesUnder(platform.dataFolder)) {
      const bytes = await readFile(file);
      assert.ok(!bytes.includes(value) && !bytes.includes(Buffer.from(value, 'hex')), file);
    }
    await ends(arn);
    await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }));
    const message = await failure(arn);
    for (const what of ['source camera', 'output one', 'output two']) assert.ok(message.includes(`key of the ${what}`));
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trustOf('medialive.amazonaws.com') }));
    assert.match(await failure(arn), /step 3/);
  });
});
