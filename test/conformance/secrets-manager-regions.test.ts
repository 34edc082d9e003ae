import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
  TagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { failsWith } from '../harness/secrets-manager.ts';

const AWAY = 'eu-west-1';

describe('Secrets in several Regions', () => {
  let platform: TestPlatform;
  let home: SecretsManagerClient;
  let away: SecretsManagerClient;
  let awayKms: KMSClient;
  const open: { destroy(): void }[] = [];

  before(async () => {
    platform = await startTestPlatform();
    home = new SecretsManagerClient(platform.clientConfig());
    away = new SecretsManagerClient(platform.clientConfig(undefined, AWAY));
    awayKms = new KMSClient(platform.clientConfig(undefined, AWAY));
    open.push(home, away, awayKms);
  });
  after(async () => {
    for (const client of open) client.destroy();
    await platform.stop();
  });

  const valueOf = async (client: SecretsManagerClient, SecretId: string, extra: object = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId, ...extra }))).SecretString;
  const details = (client: SecretsManagerClient, SecretId: string) =>
    client.send(new DescribeSecretCommand({ SecretId }));
  const statusOf = async (SecretId: string) =>
    ((await details(home, SecretId)).ReplicationStatus ?? []).map(({ Region, Status, StatusMessage }) =>
      Status === 'InSync' ? [Region, Status] : [Region, Status, StatusMessage],
    );
  const replicate = (SecretId: string, extra: object = {}, Region = AWAY, KmsKeyId?: string) =>
    home.send(
      new ReplicateSecretToRegionsCommand({
        SecretId,
        AddReplicaRegions: [{ Region, ...(KmsKeyId && { KmsKeyId }) }],
        ...extra,
      }),
    );
  const create = async (client: SecretsManagerClient, Name: string, extra: object = {}) =>
    (await client.send(new CreateSecretCommand({ Name, SecretString: `of ${Name}`, ...extra }))).ARN ?? '';

  it('are apart when nothing replicates them', async () => {
    await create(home, 'apart');
    await assert.rejects(valueOf(away, 'apart'), failsWith('ResourceNotFoundException'));
  });

  it('are the same with replicas: values, labels, tags and description follow, a policy does not', async () => {
    const arn = await create(home, 'copied', {
      Tags: [{ Key: 'a', Value: '1' }],
      Description: 'first',
      AddReplicaRegions: [{ Region: AWAY }],
    });
    assert.deepEqual(await statusOf('copied'), [[AWAY, 'InSync']]);
    const there = await details(away, 'copied');
    assert.equal(there.ARN, arn.replace('us-east-1', AWAY));
    assert.deepEqual(
      [there.PrimaryRegion, there.Description, there.Tags],
      ['us-east-1', 'first', [{ Key: 'a', Value: '1' }]],
    );
    assert.equal((await details(home, 'copied')).PrimaryRegion, 'us-east-1');
    assert.equal(await valueOf(away, 'copied'), 'of copied');

    const { VersionId } = await home.send(new PutSecretValueCommand({ SecretId: 'copied', SecretString: 'two' }));
    assert.equal(await valueOf(away, 'copied'), 'two');
    assert.equal(await valueOf(away, 'copied', { VersionStage: 'AWSPREVIOUS' }), 'of copied');
    const ids = async (client: SecretsManagerClient) => (await details(client, 'copied')).VersionIdsToStages;
    assert.deepEqual(await ids(away), await ids(home));
    const previous = Object.keys((await ids(home)) ?? {}).find((id) => id !== VersionId);
    await home.send(
      new UpdateSecretVersionStageCommand({
        SecretId: 'copied',
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: previous,
        RemoveFromVersionId: VersionId,
      }),
    );
    assert.equal(await valueOf(away, 'copied'), 'of copied');
    await home.send(new TagResourceCommand({ SecretId: 'copied', Tags: [{ Key: 'a', Value: '2' }] }));
    await home.send(new UpdateSecretCommand({ SecretId: 'copied', Description: 'second' }));
    const later = await details(away, 'copied');
    assert.deepEqual([later.Description, later.Tags], ['second', [{ Key: 'a', Value: '2' }]]);

    const ResourcePolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: `arn:aws:sts::${platform.accountId}:federated-user/x` },
          Action: 'secretsmanager:*',
          Resource: '*',
        },
      ],
    });
    await home.send(new PutResourcePolicyCommand({ SecretId: 'copied', ResourcePolicy }));
    assert.equal((await away.send(new GetResourcePolicyCommand({ SecretId: 'copied' }))).ResourcePolicy, undefined);
    const { SecretList = [] } = await away.send(
      new ListSecretsCommand({ Filters: [{ Key: 'primary-region', Values: ['us-'] }] }),
    );
    assert.deepEqual(
      SecretList.map(({ Name }) => Name),
      ['copied'],
    );
  });

  it('stay the same when values come at once', async () => {
    await create(home, 'busy', { AddReplicaRegions: [{ Region: AWAY }, { Region: 'eu-west-2' }] });
    const puts = Array.from({ length: 12 }, (_, index) =>
      home.send(new PutSecretValueCommand({ SecretId: 'busy', SecretString: `value ${index}` })),
    );
    await Promise.all(puts);
    assert.deepEqual(await statusOf('busy'), [
      [AWAY, 'InSync'],
      ['eu-west-2', 'InSync'],
    ]);
    const [here, there] = [await details(home, 'busy'), await details(away, 'busy')];
    assert.deepEqual(there.VersionIdsToStages, here.VersionIdsToStages);
    assert.equal(await valueOf(away, 'busy'), await valueOf(home, 'busy'));
  });

  it('are changed in the primary’s Region only, and deleted without replicas only', async () => {
    await create(home, 'read-only', { AddReplicaRegions: [{ Region: AWAY }] });
    const SecretId = 'read-only';
    const refused = failsWith('InvalidRequestException', /Operation not permitted on a replica secret/);
    await assert.rejects(away.send(new PutSecretValueCommand({ SecretId, SecretString: 'x' })), refused);
    await assert.rejects(away.send(new UpdateSecretCommand({ SecretId, Description: 'x' })), refused);
    await assert.rejects(away.send(new TagResourceCommand({ SecretId, Tags: [{ Key: 'a', Value: 'b' }] })), refused);
    await assert.rejects(away.send(new DeleteSecretCommand({ SecretId })), refused);
    for (const ForceDeleteWithoutRecovery of [true, false]) {
      const command = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery });
      await assert.rejects(home.send(command), failsWith('InvalidRequestException', /remove its replicas/));
    }
    const remove = (Region: string) =>
      home.send(new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [Region] }));
    await assert.rejects(remove('eu-west-2'), failsWith('InvalidParameterException', /not replicated to eu-west-2/));
    await remove(AWAY);
    await assert.rejects(valueOf(away, SecretId), failsWith('ResourceNotFoundException'));
    assert.equal((await details(home, SecretId)).PrimaryRegion, undefined);
    await home.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  });

  it('are separate again when a replica is promoted', async () => {
    const arn = await create(home, 'promoted', { AddReplicaRegions: [{ Region: AWAY }] });
    const { ARN } = await away.send(new StopReplicationToReplicaCommand({ SecretId: 'promoted' }));
    assert.equal(ARN, arn.replace('us-east-1', AWAY));
    await away.send(new PutSecretValueCommand({ SecretId: 'promoted', SecretString: 'on its own' }));
    await home.send(new PutSecretValueCommand({ SecretId: 'promoted', SecretString: 'at home' }));
    assert.equal(await valueOf(away, 'promoted'), 'on its own');
    assert.deepEqual(await statusOf('promoted'), []);
    await assert.rejects(
      away.send(new StopReplicationToReplicaCommand({ SecretId: 'promoted' })),
      failsWith('InvalidRequestException', /not a replica/),
    );
  });

  it('do not take the place of others, unless that is asked for', async () => {
    await create(away, 'taken');
    await create(home, 'taken', {});
    await home.send(new PutSecretValueCommand({ SecretId: 'taken', SecretString: 'from home' }));
    await replicate('taken');
    assert.deepEqual(await statusOf('taken'), [
      [AWAY, 'Failed', 'Secret with this name already exists in this region'],
    ]);
    assert.equal(await valueOf(away, 'taken'), 'of taken');
    await replicate('taken', { ForceOverwriteReplicaSecret: true });
    assert.deepEqual(await statusOf('taken'), [[AWAY, 'InSync']]);
    assert.equal(await valueOf(away, 'taken'), 'from home');
    const invalid = failsWith('InvalidParameterException');
    await assert.rejects(replicate('taken'), invalid);
    await assert.rejects(replicate('taken', {}, 'us-east-1'), invalid);
    await assert.rejects(replicate('taken', {}, 'nowhere'), failsWith('ValidationException'));
  });

  it('lie under a key of their Region; where KMS refuses it, that is told, and mended by the next request', async () => {
    const KeyId = (await awayKms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    await create(home, 'own-key');
    await replicate('own-key', {}, AWAY, KeyId);
    assert.equal((await details(away, 'own-key')).KmsKeyId, KeyId);
    assert.equal(await valueOf(away, 'own-key'), 'of own-key');
    await awayKms.send(new DisableKeyCommand({ KeyId }));
    await home.send(new PutSecretValueCommand({ SecretId: 'own-key', SecretString: 'two' }));
    const [status] = await statusOf('own-key');
    assert.deepEqual(status?.slice(0, 2), [AWAY, 'Failed']);
    assert.match(status?.[2] ?? '', /can't encrypt/);
    await awayKms.send(new EnableKeyCommand({ KeyId }));
    assert.equal(await valueOf(away, 'own-key'), 'of own-key', 'the replica is as it was');
    await replicate('own-key', {}, AWAY, KeyId);
    assert.deepEqual(await statusOf('own-key'), [[AWAY, 'InSync']]);
    assert.equal(await valueOf(away, 'own-key'), 'two');
  });

  it('are made with the rights of who makes them', async () => {
    const iam = new IAMClient(platform.clientConfig());
    open.push(iam);
    await iam.send(new CreateUserCommand({ UserName: 'limited' }));
    const Statement = [
      { Effect: 'Allow', Action: 'secretsmanager:*', Resource: '*' },
      {
        Effect: 'Deny',
        Action: 'secretsmanager:ReplicateSecretToRegions',
        Resource: '*',
        Condition: { 'ForAnyValue:StringNotEquals': { 'secretsmanager:AddReplicaRegions': ['eu-west-2'] } },
      },
    ];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: 'limited', PolicyName: 'p', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'limited' }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const limited = new SecretsManagerClient(platform.clientConfig(credentials));
    open.push(limited);
    await assert.rejects(
      create(limited, 'spread', { AddReplicaRegions: [{ Region: AWAY }] }),
      failsWith('AccessDeniedException', /ReplicateSecretToRegions/),
    );
    await create(limited, 'spread', { AddReplicaRegions: [{ Region: 'eu-west-2' }] });
    assert.deepEqual(await statusOf('spread'), [['eu-west-2', 'InSync']]);
  });
});
