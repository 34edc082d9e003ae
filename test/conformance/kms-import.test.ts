import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  type AlgorithmSpec,
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  type DescribeKeyResponse,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  type KeySpec,
  type KeyUsageType,
  KMSClient,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms';
import { asAccountId } from '#kernel/ids.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { wrapByOpenssl } from '../harness/key-wrapping.ts';
import { failsAs } from '../harness/service-failure.ts';

const rootOf = (accountId: string) => ({
  type: 'root' as const,
  accountId: asAccountId(accountId),
  arn: `arn:aws:iam::${accountId}:root`,
  principalId: accountId,
});
type Terms = Partial<ImportKeyMaterialCommandInput>;
const FOR_EVER: Terms = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
const NEW: Terms = { ...FOR_EVER, ImportType: 'NEW_KEY_MATERIAL' };

describe('imported key material', () => {
  let server: ClockedServer;
  let kms: KMSClient;

  before(async () => {
    server = await ClockedServer.start();
    kms = new KMSClient(server.clientConfig());
  });
  after(async () => {
    kms.destroy();
    await server.stop();
  });

  async function createKey(KeySpec: KeySpec = 'SYMMETRIC_DEFAULT', KeyUsage?: KeyUsageType): Promise<string> {
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ Origin: 'EXTERNAL', KeySpec, ...(KeyUsage && { KeyUsage }) }),
    );
    assert.deepEqual([KeyMetadata?.KeyState, KeyMetadata?.Origin], ['PendingImport', 'EXTERNAL']);
    return KeyMetadata?.KeyId ?? '';
  }

  async function importMaterial(
    KeyId: string,
    material: Uint8Array,
    terms: Terms = FOR_EVER,
    WrappingAlgorithm: AlgorithmSpec = 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: WrappingKeySpec = 'RSA_2048',
  ): Promise<string | undefined> {
    const { ImportToken, PublicKey = Buffer.of() } = await kms.send(
      new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec }),
    );
    const EncryptedKeyMaterial = await wrapByOpenssl(WrappingAlgorithm, PublicKey, material);
    const input = { KeyId, ImportToken, EncryptedKeyMaterial, ...terms };
    return (await kms.send(new ImportKeyMaterialCommand(input))).KeyMaterialId;
  }

  async function describeKey(KeyId: string) {
    return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
  }

  async function encrypt(KeyId: string): Promise<Uint8Array> {
    return (await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))).CiphertextBlob ?? Buffer.of();
  }

  async function decrypts(CiphertextBlob: Uint8Array): Promise<void> {
    const { Plaintext = Buffer.of() } = await kms.send(new DecryptCommand({ CiphertextBlob }));
    assert.equal(Buffer.from(Plaintext).toString(), 'x');
  }

  for (const [algorithm, keySpec] of [
    ['RSAES_OAEP_SHA_1', 'RSA_2048'],
    ['RSAES_OAEP_SHA_256', 'RSA_3072'],
    ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_4096'],
    ['RSA_AES_KEY_WRAP_SHA_256', 'RSA_2048'],
  ] as const) {
    it(`takes what openssl wrapped with ${algorithm} under ${keySpec}`, async () => {
      const KeyId = await createKey();
      await assert.rejects(encrypt(KeyId), failsAs('KMSInvalidStateException', /is pending import/));
      const id = await importMaterial(KeyId, randomBytes(32), FOR_EVER, algorithm, keySpec);
      const described = await describeKey(KeyId);
      assert.deepEqual(
        [described?.KeyState, described?.ExpirationModel, described?.CurrentKeyMaterialId],
        ['Enabled', 'KEY_MATERIAL_DOES_NOT_EXPIRE', id],
      );
      await decrypts(await encrypt(KeyId));
    });
  }

  it('refuses by name what AWS does not take', async () => {
    const KeyId = await createKey();
    for (const input of [
      { WrappingAlgorithm: 'RSAES_PKCS1_V1_5', WrappingKeySpec: 'RSA_2048' },
      { WrappingAlgorithm: 'SM2PKE', WrappingKeySpec: 'SM2' },
    ] as const) {
      await assert.rejects(
        kms.send(new GetParametersForImportCommand({ KeyId, ...input })),
        failsAs('UnsupportedOperationException', new RegExp(input.WrappingAlgorithm)),
      );
    }
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const own = {
      KeyId: KeyMetadata?.KeyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    } as const;
    await assert.rejects(
      kms.send(new GetParametersForImportCommand(own)),
      failsAs('UnsupportedOperationException', /origin is AWS_KMS/),
    );
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/imported', TargetKeyId: KeyId }));
    for (const command of [new EnableKeyRotationCommand({ KeyId }), new GetKeyRotationStatusCommand({ KeyId })]) {
      await assert.rejects(kms.send(command as EnableKeyRotationCommand), failsAs('UnsupportedOperationException'));
    }
    await assert.rejects(kms.send(new DisableKeyCommand({ KeyId })), failsAs('KMSInvalidStateException'));
  });

  it('takes a token with its own key, and for a day', async () => {
    const [KeyId, other] = [await createKey(), await createKey()];
    const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
    const given = await kms.send(new GetParametersForImportCommand({ KeyId, ...wrapping }));
    const { ImportToken = Buffer.of(), PublicKey = Buffer.of() } = given;
    const day = (given.ParametersValidTo?.getTime() ?? 0) - Date.now();
    assert.ok(Math.abs(day - 86_400_000) < 60_000);
    const EncryptedKeyMaterial = await wrapByOpenssl('RSAES_OAEP_SHA_256', PublicKey, randomBytes(32));
    const input = { KeyId, ImportToken, EncryptedKeyMaterial, ...FOR_EVER };
    const changed = Buffer.from(ImportToken);
    changed[20] = (changed[20] ?? 0) ^ 1;
    for (const wrong of [{ ImportToken: changed }, { ImportToken: Buffer.from('no') }, { KeyId: other }]) {
      await assert.rejects(
        kms.send(new ImportKeyMaterialCommand({ ...input, ...wrong })),
        failsAs('InvalidImportTokenException'),
      );
    }
    for (const wrong of [randomBytes(256), EncryptedKeyMaterial.subarray(1), Buffer.of(1)]) {
      await assert.rejects(
        kms.send(new ImportKeyMaterialCommand({ ...input, EncryptedKeyMaterial: wrong })),
        failsAs('InvalidCiphertextException'),
      );
    }
    for (const isSwept of [false, true]) {
      server.parts.now = Date.now() + 86_460_000;
      if (isSwept) await server.parts.services.kmsJanitor.sweep();
      // From inside, since clients sign with the machine's clock.
      const call = server.parts.services.gateway.invoke('kms', 'ImportKeyMaterial', input, {
        ...server.parts.authority,
        caller: rootOf(server.accountId),
        via: [],
      });
      await assert.rejects(call, { code: 'ExpiredImportTokenException' });
      server.parts.now = Date.now();
    }
    assert.equal((await describeKey(KeyId))?.KeyState, 'PendingImport');
  });

  it('checks what is imported, and on which terms', async () => {
    const KeyId = await createKey();
    for (const length of [16, 31, 33]) {
      await assert.rejects(importMaterial(KeyId, randomBytes(length)), failsAs('IncorrectKeyMaterialException'));
    }
    const tomorrow = new Date(Date.now() + 86_400_000);
    for (const terms of [
      {},
      { ExpirationModel: 'KEY_MATERIAL_EXPIRES' },
      { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', ValidTo: tomorrow },
      { ValidTo: new Date(server.parts.now - 1000) },
      { ValidTo: new Date(server.parts.now + 366 * 86_400_000) },
      { ...NEW, KeyMaterialId: 'a'.repeat(64) },
    ] as const) {
      await assert.rejects(importMaterial(KeyId, randomBytes(32), terms), failsAs('ValidationException'));
    }
    assert.equal((await describeKey(KeyId))?.KeyState, 'PendingImport');
  });

  it('takes the same material alone after it was deleted', async () => {
    const KeyId = await createKey();
    const material = randomBytes(32);
    const id = await importMaterial(KeyId, material, { ...FOR_EVER, KeyMaterialDescription: 'of the vault' });
    const sealed = await encrypt(KeyId);
    const deleted = await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
    assert.equal(deleted.KeyMaterialId, id);
    assert.equal((await describeKey(KeyId))?.KeyState, 'PendingImport');
    await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob: sealed })), failsAs('KMSInvalidStateException'));
    await assert.rejects(importMaterial(KeyId, randomBytes(32)), failsAs('IncorrectKeyMaterialException'));
    await assert.rejects(
      importMaterial(KeyId, material, { ...FOR_EVER, KeyMaterialId: 'a'.repeat(64) }),
      failsAs('IncorrectKeyMaterialException'),
    );
    assert.equal(await importMaterial(KeyId, material, { ...FOR_EVER, KeyMaterialId: id }), id);
    await decrypts(sealed);
    const all = await kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }));
    assert.deepEqual(all.Rotations, [
      {
        KeyId,
        KeyMaterialId: id,
        KeyMaterialDescription: 'of the vault',
        ImportState: 'IMPORTED',
        KeyMaterialState: 'CURRENT',
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      },
    ]);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await assert.rejects(importMaterial(KeyId, material), failsAs('KMSInvalidStateException'));
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
    assert.equal((await describeKey(KeyId))?.KeyState, 'PendingDeletion');
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    assert.equal((await describeKey(KeyId))?.KeyState, 'PendingImport');
  });

  it('destroys material at the moment it expires, and takes it again', async () => {
    const KeyId = await createKey();
    const material = randomBytes(32);
    const ValidTo = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000);
    const id = await importMaterial(KeyId, material, { ValidTo });
    assert.deepEqual((await describeKey(KeyId))?.ValidTo, ValidTo);
    const sealed = await encrypt(KeyId);
    // Within the clock skew that signatures may have.
    server.parts.now = ValidTo.getTime() - 1;
    await decrypts(sealed);
    const before = await storedMaterials(KeyId);
    assert.equal(before, 1);
    server.parts.now = ValidTo.getTime();
    try {
      await assert.rejects(
        kms.send(new DecryptCommand({ CiphertextBlob: sealed })),
        failsAs('KMSInvalidStateException', /pending import/),
      );
      assert.equal(await storedMaterials(KeyId), 0);
      const { Rotations } = await kms.send(
        new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
      );
      assert.deepEqual([Rotations?.[0]?.KeyMaterialId, Rotations?.[0]?.ImportState], [id, 'PENDING_IMPORT']);
      assert.equal(await importMaterial(KeyId, material), id);
      await decrypts(sealed);
    } finally {
      server.parts.now = Date.now();
    }
  });

  async function storedMaterials(KeyId: string): Promise<number> {
    const materials = await server.parts.services.kms.store.allMaterials();
    return materials.filter((row) => row.key_id === KeyId).length;
  }

  it('rotates to new material that was imported for it', async () => {
    const KeyId = await createKey();
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const firstId = await importMaterial(KeyId, first, NEW);
    const sealed = await encrypt(KeyId);
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId })), failsAs('KMSInvalidStateException'));
    await assert.rejects(importMaterial(KeyId, second), failsAs('IncorrectKeyMaterialException'));
    await assert.rejects(importMaterial(KeyId, first, NEW), failsAs('IncorrectKeyMaterialException'));
    const passing = await importMaterial(KeyId, randomBytes(32), NEW);
    await assert.rejects(importMaterial(KeyId, second, NEW), failsAs('KMSInvalidStateException'));
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: passing }));
    const secondId = await importMaterial(KeyId, second, NEW);
    assert.equal((await describeKey(KeyId))?.CurrentKeyMaterialId, firstId);
    const states = async () =>
      (await kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))).Rotations?.map(
        (entry) => [entry.KeyMaterialId, entry.KeyMaterialState, entry.ImportState],
      );
    assert.deepEqual(await states(), [
      [firstId, 'CURRENT', 'IMPORTED'],
      [secondId, 'PENDING_ROTATION', 'IMPORTED'],
    ]);
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    const sealedAgain = await encrypt(KeyId);
    await decrypts(sealed);
    await decrypts(sealedAgain);
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: firstId }));
    assert.deepEqual(await states(), [
      [firstId, 'NON_CURRENT', 'PENDING_IMPORT'],
      [secondId, 'CURRENT', 'IMPORTED'],
    ]);
    // All that belongs to the key has to be there.
    await assert.rejects(encrypt(KeyId), failsAs('KMSInvalidStateException'));
    await importMaterial(KeyId, first);
    await decrypts(sealed);
  });

  const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const curve = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const der = (key: ReturnType<typeof rsa>) => key.export({ format: 'der', type: 'pkcs8' });
  for (const [spec, usage, algorithm, material, other] of [
    ['RSA_2048', 'SIGN_VERIFY', 'RSA_AES_KEY_WRAP_SHA_256', der(rsa()), der(rsa())],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'RSAES_OAEP_SHA_256', der(curve()), der(curve())],
    ['HMAC_384', 'GENERATE_VERIFY_MAC', 'RSAES_OAEP_SHA_1', randomBytes(48), randomBytes(48)],
  ] as const) {
    it(`takes a ${spec} key, and no other in its place`, async () => {
      const KeyId = await createKey(spec, usage);
      for (const wrong of [randomBytes(32), spec === 'RSA_2048' ? der(curve()) : randomBytes(40)]) {
        await assert.rejects(
          importMaterial(KeyId, wrong, FOR_EVER, algorithm),
          failsAs('IncorrectKeyMaterialException'),
        );
      }
      await assert.rejects(importMaterial(KeyId, material, NEW, algorithm), failsAs('UnsupportedOperationException'));
      assert.equal(await importMaterial(KeyId, material, FOR_EVER, algorithm), undefined);
      assert.equal((await describeKey(KeyId))?.KeyState, 'Enabled');
      await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
      assert.equal((await describeKey(KeyId))?.KeyState, 'PendingImport');
      await assert.rejects(importMaterial(KeyId, other, FOR_EVER, algorithm), failsAs('IncorrectKeyMaterialException'));
      await importMaterial(KeyId, material, FOR_EVER, algorithm);
      assert.equal((await describeKey(KeyId))?.KeyState, 'Enabled');
      await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId })), failsAs('UnsupportedOperationException'));
    });
  }

  it('lies in no file in the clear', async () => {
    const KeyId = await createKey();
    const material = randomBytes(32);
    await importMaterial(KeyId, material);
    for (const name of ['records.db', 'records.db-wal']) {
      assert.ok(!(await readFile(join(server.parts.folder, name))).includes(material));
    }
  });

  it('writes the end of material into the audit log, whether upkeep or a request notices it', async () => {
    const { parts } = server;
    const { gateway, kmsJanitor } = parts.services;
    const authority = { ...parts.authority, caller: rootOf(server.accountId), via: [] };
    const encryptLate = (KeyId: string) =>
      assert.rejects(gateway.invoke('kms', 'Encrypt', { KeyId, Plaintext: Buffer.from('x') }, authority), {
        code: 'KMSInvalidStateException',
      });
    for (const notice of [() => kmsJanitor.sweep(), encryptLate]) {
      const KeyId = await createKey();
      const Arn = (await describeKey(KeyId))?.Arn;
      const materialId = await importMaterial(KeyId, randomBytes(32), { ValidTo: new Date(Date.now() + 3_600_000) });
      parts.now += 2 * 3_600_000;
      await notice(KeyId);
      const EndTime = new Date(parts.now);
      parts.now = Date.now();
      const trail = new CloudTrailClient(server.clientConfig());
      const LookupAttributes = [{ AttributeKey: 'ResourceName', AttributeValue: Arn }] as const;
      const { Events = [] } = await trail.send(
        new LookupEventsCommand({ LookupAttributes: [...LookupAttributes], EndTime }),
      );
      trail.destroy();
      const ends = Events.filter(({ EventName }) => EventName === 'DeleteExpiredKeyMaterial');
      assert.equal(ends.length, 1);
      assert.equal(ends[0]?.Username, undefined);
      const event = JSON.parse(ends[0]?.CloudTrailEvent ?? '{}') as Record<string, unknown>;
      assert.equal(event['eventType'], 'AwsServiceEvent');
      assert.deepEqual(event['serviceEventDetails'], { keyId: KeyId, keyMaterialId: materialId });
    }
  });

  it('keeps tokens over a restart', async () => {
    const KeyId = await createKey();
    const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
    const { ImportToken, PublicKey = Buffer.of() } = await kms.send(
      new GetParametersForImportCommand({ KeyId, ...wrapping }),
    );
    const EncryptedKeyMaterial = await wrapByOpenssl('RSAES_OAEP_SHA_256', PublicKey, randomBytes(32));
    const { parts } = server;
    await parts.close();
    await parts.open();
    const input = { KeyId, ImportToken, EncryptedKeyMaterial, ...FOR_EVER };
    const authority = { ...parts.authority, caller: rootOf(server.accountId), via: [] };
    await parts.services.gateway.invoke('kms', 'ImportKeyMaterial', input, authority);
    const described = await parts.services.gateway.invoke('kms', 'DescribeKey', { KeyId }, authority);
    assert.equal((described as DescribeKeyResponse).KeyMetadata?.KeyState, 'Enabled');
  });
});
