import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  type DescribeKeyResponse,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type ImportType,
  KMSClient,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdatePrimaryRegionCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import { asAccountId, asRegion } from '#kernel/ids.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { wrapByOpenssl } from '../harness/key-wrapping.ts';
import { failsAs } from '../harness/service-failure.ts';

const DAY = 86_400_000;

describe('multi-Region keys', () => {
  let server: ClockedServer;
  let here: KMSClient;
  let there: KMSClient;
  let far: KMSClient;

  before(async () => {
    server = await ClockedServer.start();
    const client = (region: string) => new KMSClient({ ...server.clientConfig(), region });
    [here, there, far] = [client('us-east-1'), client('eu-west-1'), client('ap-south-1')];
  });
  after(async () => {
    for (const client of [here, there, far]) client.destroy();
    await server.stop();
  });

  async function createKey(input: CreateKeyCommandInput = {}): Promise<string> {
    const { KeyMetadata } = await here.send(new CreateKeyCommand({ MultiRegion: true, ...input }));
    assert.match(KeyMetadata?.KeyId ?? '', /^mrk-[0-9a-f]{32}$/);
    return KeyMetadata?.KeyId ?? '';
  }

  async function replicate(KeyId: string, ReplicaRegion = 'eu-west-1'): Promise<void> {
    await here.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }));
  }

  const describeBy = async (kms: KMSClient, KeyId: string) =>
    (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;

  async function passes(KeyId: string, from: KMSClient, to: KMSClient): Promise<void> {
    const { CiphertextBlob } = await from.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    const opened = await to.send(new DecryptCommand({ CiphertextBlob }));
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), 'x');
    assert.ok(opened.KeyId?.endsWith(`${await to.config.region()}:${server.accountId}:key/${KeyId}`));
  }

  it('decrypts in each Region what another one encrypted, and nowhere else', async () => {
    const KeyId = await createKey();
    await assert.rejects(passes(KeyId, here, there), failsAs('AccessDeniedException'));
    const Tags = [{ TagKey: 'film', TagValue: 'one' }];
    const made = await here.send(
      new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1', Description: 'copy', Tags }),
    );
    assert.deepEqual([made.ReplicaKeyMetadata?.KeyState, made.ReplicaTags], ['Creating', Tags]);
    assert.ok(made.ReplicaPolicy?.includes(':root'));
    const replica = await describeBy(there, KeyId);
    const arn = (region: string) => `arn:aws:kms:${region}:${server.accountId}:key/${KeyId}`;
    const expected = {
      PrimaryKey: { Arn: arn('us-east-1'), Region: 'us-east-1' },
      ReplicaKeys: [{ Arn: arn('eu-west-1'), Region: 'eu-west-1' }],
    };
    assert.deepEqual([replica?.KeyState, replica?.Description, replica?.Arn], ['Enabled', 'copy', arn('eu-west-1')]);
    assert.deepEqual(replica?.MultiRegionConfiguration, { ...expected, MultiRegionKeyType: 'REPLICA' });
    assert.deepEqual((await describeBy(here, KeyId))?.MultiRegionConfiguration, {
      ...expected,
      MultiRegionKeyType: 'PRIMARY',
    });
    assert.deepEqual((await there.send(new ListResourceTagsCommand({ KeyId }))).Tags, Tags);
    await passes(KeyId, here, there);
    await passes(KeyId, there, here);
    const nowhere = failsAs('AccessDeniedException', /the resource does not exist in this Region/);
    await assert.rejects(passes(KeyId, here, far), nowhere);
    const single = (await here.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    await assert.rejects(passes(single, here, there), nowhere);
  });

  it('has a policy, aliases and a state in each Region', async () => {
    const KeyId = await createKey();
    await replicate(KeyId);
    await there.send(new CreateAliasCommand({ AliasName: 'alias/there', TargetKeyId: KeyId }));
    assert.deepEqual((await here.send(new ListAliasesCommand({ KeyId }))).Aliases, []);
    const { Policy = '' } = await here.send(new GetKeyPolicyCommand({ KeyId }));
    const changed = JSON.stringify({ ...JSON.parse(Policy), Id: 'changed' });
    await there.send(new PutKeyPolicyCommand({ KeyId, Policy: changed }));
    assert.equal((await here.send(new GetKeyPolicyCommand({ KeyId }))).Policy, Policy);
    await there.send(new DisableKeyCommand({ KeyId }));
    await assert.rejects(passes(KeyId, here, there), failsAs('DisabledException'));
    await passes(KeyId, here, here);
  });

  it('refuses what cannot be replicated', async () => {
    const KeyId = await createKey();
    await replicate(KeyId);
    const to = (kms: KMSClient, key: string, ReplicaRegion: string) =>
      kms.send(new ReplicateKeyCommand({ KeyId: key, ReplicaRegion }));
    await assert.rejects(to(here, KeyId, 'eu-west-1'), failsAs('AlreadyExistsException'));
    await assert.rejects(to(here, KeyId, 'us-east-1'), failsAs('AlreadyExistsException'));
    await assert.rejects(to(here, KeyId, 'cn-north-1'), failsAs('UnsupportedOperationException'));
    await assert.rejects(to(there, KeyId, 'ap-south-1'), failsAs('UnsupportedOperationException', /primary/));
    const single = (await here.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    await assert.rejects(to(here, single, 'eu-west-1'), failsAs('UnsupportedOperationException', /primary/));
    await here.send(new DisableKeyCommand({ KeyId }));
    await assert.rejects(to(here, KeyId, 'ap-south-1'), failsAs('DisabledException'));
  });

  it('rotates in all Regions at once', async () => {
    const KeyId = await createKey();
    await here.send(new RotateKeyOnDemandCommand({ KeyId }));
    await replicate(KeyId);
    const before = await here.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await here.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 100 }));
    await here.send(new RotateKeyOnDemandCommand({ KeyId }));
    for (const command of [new RotateKeyOnDemandCommand({ KeyId }), new EnableKeyRotationCommand({ KeyId })]) {
      await assert.rejects(there.send(command as RotateKeyOnDemandCommand), failsAs('UnsupportedOperationException'));
    }
    const status = await there.send(new GetKeyRotationStatusCommand({ KeyId }));
    assert.deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 100]);
    server.parts.now = Date.now() + 101 * DAY;
    await server.parts.services.kmsJanitor.sweep();
    server.parts.now = Date.now();
    const [one, other] = [await describeBy(here, KeyId), await describeBy(there, KeyId)];
    assert.equal(one?.CurrentKeyMaterialId, other?.CurrentKeyMaterialId);
    const rotations = async (kms: KMSClient) => (await kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations;
    assert.deepEqual(await rotations(here), await rotations(there));
    assert.equal((await rotations(there))?.length, 3);
    await passes(KeyId, there, here);
    await there.send(new DecryptCommand({ CiphertextBlob: before.CiphertextBlob }));
  });

  it('makes a replica the primary', async () => {
    const KeyId = await createKey();
    await replicate(KeyId);
    await here.send(new EnableKeyRotationCommand({ KeyId }));
    const to = (kms: KMSClient, PrimaryRegion: string) =>
      kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion }));
    await assert.rejects(to(here, 'ap-south-1'), failsAs('NotFoundException'));
    await assert.rejects(to(there, 'eu-west-1'), failsAs('UnsupportedOperationException'));
    await to(here, 'eu-west-1');
    assert.equal((await describeBy(here, KeyId))?.MultiRegionConfiguration?.MultiRegionKeyType, 'REPLICA');
    assert.equal((await describeBy(there, KeyId))?.MultiRegionConfiguration?.MultiRegionKeyType, 'PRIMARY');
    assert.equal((await here.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled, true);
    await there.send(new RotateKeyOnDemandCommand({ KeyId }));
    await there.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'ap-south-1' }));
    await passes(KeyId, far, here);
  });

  it('signs in one Region what another one verifies', async () => {
    const KeyId = await createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    await replicate(KeyId);
    const request = { KeyId, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' } as const;
    const { Signature } = await there.send(new SignCommand(request));
    assert.equal((await here.send(new VerifyCommand({ ...request, Signature }))).SignatureValid, true);
  });

  it('deletes a primary after its replicas', async () => {
    const KeyId = await createKey();
    await replicate(KeyId);
    const begin = Date.now();
    const scheduled = await here.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 10 }));
    assert.deepEqual([scheduled.KeyState, scheduled.DeletionDate], ['PendingReplicaDeletion', undefined]);
    const waiting = await describeBy(here, KeyId);
    assert.deepEqual([waiting?.KeyState, waiting?.PendingDeletionWindowInDays], ['PendingReplicaDeletion', 10]);
    await assert.rejects(passes(KeyId, here, here), failsAs('KMSInvalidStateException'));
    await passes(KeyId, there, there);
    await here.send(new CancelKeyDeletionCommand({ KeyId }));
    assert.equal((await describeBy(here, KeyId))?.KeyState, 'Disabled');
    await here.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 10 }));
    await there.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    const states: unknown[] = [];
    for (const days of [6, 8, 16, 18]) {
      server.parts.now = begin + days * DAY;
      await server.parts.services.kmsJanitor.sweep();
      states.push([await stateIn('us-east-1'), await stateIn('eu-west-1')]);
    }
    server.parts.now = Date.now();
    assert.deepEqual(states, [
      ['PendingReplicaDeletion', 'PendingDeletion'],
      ['PendingDeletion', undefined],
      ['PendingDeletion', undefined],
      [undefined, undefined],
    ]);
    const materials = await server.parts.services.kms.store.allMaterials();
    assert.ok(!materials.some((row) => row.key_id === KeyId));

    /** From inside, since clients sign with the machine's clock. */
    async function stateIn(region: string): Promise<string | undefined> {
      const accountId = asAccountId(server.accountId);
      const caller = {
        type: 'root',
        accountId,
        arn: `arn:aws:iam::${accountId}:root`,
        principalId: accountId,
      } as const;
      const authority = { ...server.parts.authority, caller, region: asRegion(region), via: [] };
      try {
        const described = await server.parts.services.gateway.invoke('kms', 'DescribeKey', { KeyId }, authority);
        return (described as DescribeKeyResponse).KeyMetadata?.KeyState;
      } catch {
        return undefined;
      }
    }
  });

  it('takes imported material in each Region, the same alone', async () => {
    const KeyId = await createKey({ Origin: 'EXTERNAL' });
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const importInto = async (kms: KMSClient, material: Buffer, ImportType?: ImportType) => {
      const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
      const { ImportToken, PublicKey = Buffer.of() } = await kms.send(
        new GetParametersForImportCommand({ KeyId, ...wrapping }),
      );
      const EncryptedKeyMaterial = await wrapByOpenssl('RSAES_OAEP_SHA_256', PublicKey, material);
      const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
      const input = {
        KeyId,
        ImportToken,
        EncryptedKeyMaterial,
        ExpirationModel,
        ...(ImportType && { ImportType }),
      } as const;
      return (await kms.send(new ImportKeyMaterialCommand(input))).KeyMaterialId;
    };
    await importInto(here, first);
    await replicate(KeyId);
    assert.equal((await describeBy(there, KeyId))?.KeyState, 'PendingImport');
    await assert.rejects(importInto(there, second), failsAs('IncorrectKeyMaterialException'));
    await assert.rejects(importInto(there, second, 'NEW_KEY_MATERIAL'), failsAs('UnsupportedOperationException'));
    await importInto(there, first);
    await passes(KeyId, here, there);
    const secondId = await importInto(here, second, 'NEW_KEY_MATERIAL');
    const pendingState = async () => {
      const { Rotations } = await here.send(
        new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
      );
      return Rotations?.at(-1)?.KeyMaterialState;
    };
    assert.equal(await pendingState(), 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION');
    await assert.rejects(here.send(new RotateKeyOnDemandCommand({ KeyId })), failsAs('KMSInvalidStateException'));
    assert.equal(await importInto(there, second), secondId);
    assert.equal(await pendingState(), 'PENDING_ROTATION');
    await here.send(new RotateKeyOnDemandCommand({ KeyId }));
    assert.equal((await describeBy(there, KeyId))?.CurrentKeyMaterialId, secondId);
    await passes(KeyId, there, here);
    await there.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
    assert.equal((await describeBy(there, KeyId))?.KeyState, 'PendingImport');
    await passes(KeyId, here, here);
  });
});
