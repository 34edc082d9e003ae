import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DisableKeyCommand,
  KMSClient,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  ValidateResourcePolicyCommand,
} from '@aws-sdk/client-secrets-manager';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { createAccount, type TestAccount } from '../harness/accounts.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { failsWith } from '../harness/secrets-manager.ts';

interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Principal?: object | '*';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

describe('Access to secrets', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let kms: KMSClient;
  let root: SecretsManagerClient;
  let foreign: TestAccount;
  const open: { destroy(): void }[] = [];

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    kms = new KMSClient(platform.clientConfig());
    root = new SecretsManagerClient(platform.clientConfig());
    foreign = await createAccount(platform);
    open.push(iam, kms, root);
  });
  after(async () => {
    for (const client of open) client.destroy();
    await platform.stop();
  });

  const documentOf = (...statements: readonly Statement[]) =>
    JSON.stringify({ Version: '2012-10-17', Statement: statements.map((one) => ({ Effect: 'Allow', ...one })) });

  async function credentialsOf(client: IAMClient, UserName: string, ...statements: readonly Statement[]) {
    await client.send(new CreateUserCommand({ UserName }));
    if (statements.length > 0) {
      const PolicyDocument = documentOf(...statements);
      await client.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument }));
    }
    const { AccessKey } = await client.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }
  function clientOf(credentials: ClientConfig['credentials']): SecretsManagerClient {
    const client = new SecretsManagerClient(platform.clientConfig(credentials));
    open.push(client);
    return client;
  }
  const user = async (UserName: string, ...statements: readonly Statement[]) =>
    clientOf(await credentialsOf(iam, UserName, ...statements));

  async function create(Name: string, extra: object = {}): Promise<string> {
    const { ARN } = await root.send(new CreateSecretCommand({ Name, SecretString: `of ${Name}`, ...extra }));
    return ARN ?? '';
  }
  const read = async (client: SecretsManagerClient, SecretId: string, extra: object = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId, ...extra }))).SecretString;
  const denied = (action: string, resource = '') =>
    failsWith(
      'AccessDeniedException',
      new RegExp(
        `is not authorized to perform: secretsmanager:${action} on resource: ${resource.replaceAll('?', '\\?')}`,
      ),
    );
  const kmsDenied = failsWith('AccessDeniedException', /^Access to KMS is not allowed$/);

  it('is refused without a policy, in words that name the secret, whether or not it exists', async () => {
    const nobody = await user('nobody');
    const arn = await create('closed');
    await assert.rejects(read(nobody, 'closed'), denied('GetSecretValue', arn));
    const unknown = `arn:aws:secretsmanager:us-east-1:${platform.accountId}:secret:nowhere-??????`;
    await assert.rejects(read(nobody, 'nowhere'), denied('GetSecretValue', unknown));
    await assert.rejects(nobody.send(new ListSecretsCommand({})), denied('ListSecrets'));
    await assert.rejects(nobody.send(new CreateSecretCommand({ Name: 'mine' })), denied('CreateSecret'));
    await assert.rejects(
      nobody.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'x' })),
      denied('PutSecretValue', arn),
    );
    await assert.rejects(nobody.send(new DeleteSecretCommand({ SecretId: arn })), denied('DeleteSecret', arn));
    await assert.rejects(
      nobody.send(new DeleteSecretCommand({ SecretId: 'nowhere', ForceDeleteWithoutRecovery: true })),
      denied('DeleteSecret'),
    );
    await assert.rejects(
      nobody.send(new BatchGetSecretValueCommand({ SecretIdList: [arn] })),
      denied('BatchGetSecretValue'),
    );
  });

  it('follows conditions on versions, labels, tags, names and recovery windows', async () => {
    const arn = await create('conditions', { Tags: [{ Key: 'team', Value: 'blue' }] });
    const { VersionId } = await root.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'two' }));
    const current = await user('current-only', {
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
      Condition: { StringEquals: { 'secretsmanager:VersionStage': 'AWSCURRENT' } },
    });
    assert.equal(await read(current, arn), 'two');
    assert.equal(await read(current, arn, { VersionStage: 'AWSCURRENT' }), 'two');
    await assert.rejects(read(current, arn, { VersionStage: 'AWSPREVIOUS' }), denied('GetSecretValue'));
    await assert.rejects(read(current, arn, { VersionId }), denied('GetSecretValue'));

    const blue = await user('blue', {
      Action: 'secretsmanager:*',
      Resource: '*',
      Condition: { StringEquals: { 'secretsmanager:ResourceTag/team': 'blue' } },
    });
    assert.equal(await read(blue, arn), 'two');
    const untagged = await create('untagged');
    await assert.rejects(read(blue, untagged), denied('GetSecretValue', untagged));
    // Who would lose the secret by a change of its tags cannot make that change.
    await assert.rejects(
      blue.send(new UntagResourceCommand({ SecretId: arn, TagKeys: ['team'] })),
      failsWith('AccessDeniedException', /take your own permissions/),
    );
    await assert.rejects(
      blue.send(new TagResourceCommand({ SecretId: arn, Tags: [{ Key: 'team', Value: 'red' }] })),
      failsWith('AccessDeniedException', /take your own permissions/),
    );
    assert.equal(await read(blue, arn), 'two');

    const named = await user(
      'named',
      {
        Action: 'secretsmanager:CreateSecret',
        Resource: `arn:aws:secretsmanager:us-east-1:${platform.accountId}:secret:app/*`,
        Condition: { StringLike: { 'secretsmanager:Name': 'app/*' } },
      },
      {
        Action: 'secretsmanager:DeleteSecret',
        Resource: '*',
        Condition: { NumericGreaterThanEquals: { 'secretsmanager:RecoveryWindowInDays': '15' } },
      },
    );
    await named.send(new CreateSecretCommand({ Name: 'app/one' }));
    await assert.rejects(named.send(new CreateSecretCommand({ Name: 'ops/one' })), denied('CreateSecret'));
    const withTags = new CreateSecretCommand({ Name: 'app/two', Tags: [{ Key: 'a', Value: 'b' }] });
    await assert.rejects(named.send(withTags), denied('TagResource'));
    await assert.rejects(named.send(new DeleteSecretCommand({ SecretId: 'app/one' })), denied('DeleteSecret'));
    await assert.rejects(
      named.send(new DeleteSecretCommand({ SecretId: 'app/one', ForceDeleteWithoutRecovery: true })),
      denied('DeleteSecret'),
    );
    await named.send(new DeleteSecretCommand({ SecretId: 'app/one', RecoveryWindowInDays: 15 }));
  });

  it('asks KMS in the reader’s name, with the encryption context of the secret', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KmsKeyId = KeyMetadata?.Arn ?? '';
    const arn = await create('own-key', { KmsKeyId });
    assert.equal((await root.send(new DescribeSecretCommand({ SecretId: arn }))).KmsKeyId, KmsKeyId);
    const secrets = { Action: 'secretsmanager:*', Resource: '*' };
    await assert.rejects(read(await user('no-kms', secrets), arn), kmsDenied);
    await assert.rejects(
      (await user('no-kms-2', secrets)).send(new CreateSecretCommand({ Name: 'x', SecretString: 'y', KmsKeyId })),
      kmsDenied,
    );
    const using = (Condition: object) => ({ Action: 'kms:Decrypt', Resource: KmsKeyId, Condition });
    const right = await user(
      'right-context',
      secrets,
      using({
        StringEquals: {
          'kms:EncryptionContext:SecretARN': arn,
          'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com',
        },
      }),
    );
    assert.equal(await read(right, arn), 'of own-key');
    const wrong = await user(
      'wrong-context',
      secrets,
      using({ StringEquals: { 'kms:EncryptionContext:SecretARN': 'x' } }),
    );
    await assert.rejects(read(wrong, arn), kmsDenied);

    await assert.rejects(
      root
        .send(new PutSecretValueCommand({ SecretId: await create('y'), SecretString: 'z' }))
        .then(() => root.send(new CreateSecretCommand({ Name: 'z', SecretString: 'z', KmsKeyId: 'no-such-key' }))),
      failsWith('EncryptionFailure'),
    );
    await kms.send(new DisableKeyCommand({ KeyId: KmsKeyId }));
    await assert.rejects(read(root, arn), failsWith('DecryptionFailure'));
    await assert.rejects(
      root.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'z' })),
      failsWith('EncryptionFailure'),
    );
  });

  it('seals the versions in use anew when the key changes, where the caller may use the new key', async () => {
    const key = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    const [first, second, third] = [await key(), await key(), await key()];
    const arn = await create('rekeyed', { KmsKeyId: first });
    await root.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'two' }));
    await root.send(new UpdateSecretCommand({ SecretId: arn, KmsKeyId: second }));
    const keysOf = async () => {
      const { Versions = [] } = await root.send(new ListSecretVersionIdsCommand({ SecretId: arn }));
      return Versions.flatMap(({ KmsKeyIds }) => KmsKeyIds);
    };
    assert.deepEqual(await keysOf(), [second, second]);
    // The old key is not needed any more.
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: first }));
    assert.equal(await read(root, arn), 'two');
    assert.equal(await read(root, arn, { VersionStage: 'AWSPREVIOUS' }), 'of rekeyed');

    const limited = await user(
      'old-key-only',
      { Action: 'secretsmanager:*', Resource: '*' },
      { Action: 'kms:*', Resource: second },
    );
    await limited.send(new UpdateSecretCommand({ SecretId: arn, KmsKeyId: third }));
    assert.deepEqual(await keysOf(), [second, second]);
    assert.equal((await root.send(new DescribeSecretCommand({ SecretId: arn }))).KmsKeyId, third);
    await root.send(new UpdateSecretCommand({ SecretId: arn, KmsKeyId: 'alias/aws/secretsmanager' }));
    assert.deepEqual(await keysOf(), ['DefaultEncryptionKey', 'DefaultEncryptionKey']);
    assert.equal((await root.send(new DescribeSecretCommand({ SecretId: arn }))).KmsKeyId, undefined);
  });

  it('is given to another account by the secret’s policy, its own policy and the key’s, all three, by ARN', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KmsKeyId = KeyMetadata?.Arn ?? '';
    const arn = await create('shared', { KmsKeyId });
    const foreignIam = new IAMClient(platform.clientConfig(foreign));
    open.push(foreignIam);
    const reader = clientOf(
      await credentialsOf(foreignIam, 'reader', { Action: ['secretsmanager:*', 'kms:*'], Resource: '*' }),
    );
    const silent = clientOf(await credentialsOf(foreignIam, 'silent'));
    const Principal = { AWS: `arn:aws:iam::${foreign.accountId}:root` };
    await assert.rejects(read(reader, arn), denied('GetSecretValue', arn));
    await root.send(
      new PutResourcePolicyCommand({
        SecretId: arn,
        ResourcePolicy: documentOf({
          Principal,
          Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
          Resource: '*',
        }),
      }),
    );
    await assert.rejects(read(reader, arn), kmsDenied);
    const Policy = documentOf(
      { Principal: { AWS: `arn:aws:iam::${platform.accountId}:root` }, Action: 'kms:*', Resource: '*' },
      { Principal, Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '*' },
    );
    await kms.send(new PutKeyPolicyCommand({ KeyId: KmsKeyId, Policy }));
    assert.equal(await read(reader, arn), 'of shared');
    assert.equal(await read(reader, arn.slice(0, -7)), 'of shared');
    await reader.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'from there' }));
    assert.equal(await read(root, arn), 'from there');
    await assert.rejects(read(silent, arn), denied('GetSecretValue', arn));
    await assert.rejects(read(reader, 'shared'), failsWith('ResourceNotFoundException'));
    await assert.rejects(reader.send(new DescribeSecretCommand({ SecretId: arn })), denied('DescribeSecret', arn));

    // The AWS managed key is for its own account only, whatever the secret's policy says.
    const plain = await create('shared-default');
    await root.send(
      new PutResourcePolicyCommand({
        SecretId: plain,
        ResourcePolicy: documentOf({ Principal, Action: 'secretsmanager:*', Resource: '*' }),
      }),
    );
    await assert.rejects(read(reader, plain), kmsDenied);
    await assert.rejects(reader.send(new PutSecretValueCommand({ SecretId: plain, SecretString: 'x' })), kmsDenied);
  });

  it('checks, keeps, tells and removes a secret’s policy', async () => {
    const arn = await create('with-policy');
    const Action = 'secretsmanager:GetSecretValue';
    const put = (ResourcePolicy: string, BlockPublicPolicy?: boolean) =>
      root.send(
        new PutResourcePolicyCommand({
          SecretId: arn,
          ResourcePolicy,
          ...(BlockPublicPolicy && { BlockPublicPolicy }),
        }),
      );
    const everyone = documentOf({ Principal: '*', Action, Resource: '*' });
    const bound = documentOf({
      Principal: '*',
      Action,
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalAccount': platform.accountId } },
    });
    await assert.rejects(put(everyone, true), failsWith('PublicPolicyException'));
    await put(bound, true);
    assert.equal((await root.send(new GetResourcePolicyCommand({ SecretId: arn }))).ResourcePolicy, bound);
    assert.equal(await read(await user('by-policy'), arn), 'of with-policy');
    for (const policy of [
      '{',
      '{}',
      documentOf({ Action, Resource: '*' }),
      documentOf({ Principal: '*', Action: 's3:*', Resource: '*' }),
    ]) {
      await assert.rejects(put(policy), failsWith('MalformedPolicyDocumentException'), policy);
    }
    await assert.rejects(put(' '.repeat(20_481)), failsWith('ValidationException', /20480/));
    const validate = async (ResourcePolicy: string) => {
      const answer = await root.send(new ValidateResourcePolicyCommand({ SecretId: arn, ResourcePolicy }));
      return [answer.PolicyValidationPassed, ...(answer.ValidationErrors ?? []).map(({ CheckName }) => CheckName)];
    };
    assert.deepEqual(await validate(bound), [true]);
    assert.deepEqual(await validate(everyone), [false, 'BlockPublicPolicy']);
    assert.deepEqual(await validate('{'), [false, 'PolicySyntax']);
    assert.deepEqual(
      await validate(documentOf({ Effect: 'Deny', Principal: '*', Action: 'secretsmanager:*', Resource: '*' })),
      [false, 'LockOut'],
    );
    // A Deny in it holds against everything that identity policies give.
    await put(documentOf({ Effect: 'Deny', Principal: '*', Action, Resource: '*' }));
    await assert.rejects(read(root, arn), /explicit deny in a resource-based policy/);
    await root.send(new DeleteResourcePolicyCommand({ SecretId: arn }));
    assert.equal((await root.send(new GetResourcePolicyCommand({ SecretId: arn }))).ResourcePolicy, undefined);
    assert.equal(await read(root, arn), 'of with-policy');
  });

  it('reads many at once, each with its own rights, and tells what it could not', async () => {
    const [first, second] = [await create('batch/1'), await create('batch/2')];
    const client = await user(
      'batch',
      { Action: ['secretsmanager:BatchGetSecretValue', 'secretsmanager:ListSecrets'], Resource: '*' },
      { Action: 'secretsmanager:GetSecretValue', Resource: first },
    );
    const answer = await client.send(new BatchGetSecretValueCommand({ SecretIdList: [first, second] }));
    assert.deepEqual(
      answer.SecretValues?.map(({ SecretString }) => SecretString),
      ['of batch/1'],
    );
    assert.deepEqual(
      answer.Errors?.map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode]),
      [[second, 'AccessDeniedException']],
    );
    const missing = await root.send(new BatchGetSecretValueCommand({ SecretIdList: ['batch/1', 'batch/3'] }));
    assert.deepEqual(
      missing.Errors?.map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode]),
      [['batch/3', 'ResourceNotFoundException']],
    );
    const Filters = [{ Key: 'name', Values: ['batch/'] } as const].map(({ Key, Values }) => ({
      Key,
      Values: [...Values],
    }));
    const one = await root.send(new BatchGetSecretValueCommand({ Filters, MaxResults: 1 }));
    const two = await root.send(new BatchGetSecretValueCommand({ Filters, MaxResults: 1, NextToken: one.NextToken }));
    assert.deepEqual(
      [one, two].flatMap(({ SecretValues = [] }) => SecretValues.map(({ Name }) => Name)),
      ['batch/2', 'batch/1'],
    );
    assert.equal(two.NextToken, undefined);
    const either = failsWith('InvalidParameterException', /Either 'SecretIdList' or 'Filters'/);
    await assert.rejects(root.send(new BatchGetSecretValueCommand({})), either);
    await assert.rejects(root.send(new BatchGetSecretValueCommand({ Filters, SecretIdList: [first] })), either);
    const tooMany = new BatchGetSecretValueCommand({ SecretIdList: Array(21).fill(first) as string[] });
    await assert.rejects(root.send(tooMany), failsWith('ValidationException', /20/));

    // Each read stands in the audit log as one, with the secret's ARN and who made it.
    const trail = new CloudTrailClient(platform.clientConfig());
    open.push(trail);
    const LookupAttributes = [{ AttributeKey: 'ResourceName', AttributeValue: second } as const];
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
    const reads = Events.filter(({ EventName }) => EventName === 'GetSecretValue').map(
      ({ CloudTrailEvent = '' }) => CloudTrailEvent,
    );
    assert.ok(reads.some((event) => event.includes('user/batch') && event.includes('AccessDenied')));
    assert.ok(reads.every((event) => !event.includes('of batch/2')));
  });
});
