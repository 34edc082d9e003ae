import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  type GetKeyRotationStatusResponse,
  KMSClient,
  ListKeyRotationsCommand,
  type ListKeyRotationsResponse,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { ClockedServer } from '../harness/clocked-server.ts';
import { failsAs } from '../harness/service-failure.ts';

const DAY = 86_400_000;

describe('rotation of KMS keys', () => {
  let server: ClockedServer;
  let kms: KMSClient;
  const begin = Date.now();

  before(async () => {
    server = await ClockedServer.start();
    kms = new KMSClient(server.clientConfig());
  });
  after(async () => {
    kms.destroy();
    await server.stop();
  });

  async function createKey(): Promise<string> {
    return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
  }

  async function encrypt(KeyId: string): Promise<Uint8Array> {
    return (await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('old') }))).CiphertextBlob ?? Buffer.of();
  }

  async function currentMaterial(KeyId: string): Promise<string | undefined> {
    return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId;
  }

  /** Turns the clock, lets what is due happen, and turns the clock back, since clients sign with the machine's. */
  async function after_(days: number): Promise<void> {
    server.parts.now = begin + days * DAY;
    await server.parts.services.kmsJanitor.sweep();
    server.parts.now = Date.now();
  }

  it('changes the material on demand, and still reads what older materials encrypted', async () => {
    const KeyId = await createKey();
    const sealed = [await encrypt(KeyId)];
    const materials = [await currentMaterial(KeyId)];
    for (let i = 0; i < 2; i++) {
      assert.equal((await kms.send(new RotateKeyOnDemandCommand({ KeyId }))).KeyId, KeyId);
      sealed.push(await encrypt(KeyId));
      materials.push(await currentMaterial(KeyId));
    }
    assert.equal(new Set(materials).size, 3);
    for (const [i, CiphertextBlob] of sealed.entries()) {
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob }));
      assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), 'old');
      assert.equal(opened.KeyMaterialId, materials[i]);
    }
    const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand({ KeyId }));
    assert.deepEqual(
      Rotations.map(({ KeyMaterialId, KeyMaterialState, RotationType }) => [
        KeyMaterialId,
        KeyMaterialState,
        RotationType,
      ]),
      [
        [materials[1], 'NON_CURRENT', 'ON_DEMAND'],
        [materials[2], 'CURRENT', 'ON_DEMAND'],
      ],
    );
    const all = await kms.send(
      new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 2 }),
    );
    assert.deepEqual(
      [all.Truncated, all.Rotations?.map((entry) => entry.KeyMaterialId)],
      [true, materials.slice(0, 2)],
    );
    assert.equal(all.Rotations?.[0]?.RotationDate, undefined);
    const rest = await kms.send(
      new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Marker: all.NextMarker }),
    );
    assert.deepEqual([rest.Truncated, rest.Rotations?.map((entry) => entry.KeyMaterialId)], [false, [materials[2]]]);
  });

  it('refuses the 26th rotation on demand', async () => {
    const KeyId = await createKey();
    for (let i = 0; i < 25; i++) await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId })), failsAs('LimitExceededException'));
  });

  it('rotates by itself after the period, and then again', async () => {
    const KeyId = await createKey();
    assert.equal((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled, false);
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId }));
    assert.deepEqual([status.KeyId, status.KeyRotationEnabled, status.RotationPeriodInDays], [KeyId, true, 90]);
    assert.ok(Math.abs((status.NextRotationDate?.getTime() ?? 0) - (Date.now() + 90 * DAY)) < 60_000);
    const sealed = await encrypt(KeyId);
    const materials = [await currentMaterial(KeyId)];
    for (const [days, isRotated] of [
      [89, false],
      [91, true],
      [179, false],
      [181, true],
    ] as const) {
      await after_(days);
      const material = await currentMaterial(KeyId);
      assert.equal(material !== materials.at(-1), isRotated, `after ${days} days`);
      if (isRotated) materials.push(material);
    }
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed }));
    assert.equal(opened.KeyMaterialId, materials[0]);
    const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand({ KeyId }));
    assert.deepEqual(
      Rotations.map((entry) => entry.RotationType),
      ['AUTOMATIC', 'AUTOMATIC'],
    );
    await kms.send(new DisableKeyRotationCommand({ KeyId }));
    await after_(1000);
    assert.equal(await currentMaterial(KeyId), materials.at(-1));
  });

  it('does not rotate a disabled key, and catches up once it is enabled', async () => {
    const KeyId = await createKey();
    await kms.send(new EnableKeyRotationCommand({ KeyId }));
    await kms.send(new DisableKeyCommand({ KeyId }));
    const material = await currentMaterial(KeyId);
    await after_(800);
    assert.equal(await currentMaterial(KeyId), material);
    assert.equal((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled, true);
    for (const command of [
      new EnableKeyRotationCommand({ KeyId }),
      new DisableKeyRotationCommand({ KeyId }),
      new RotateKeyOnDemandCommand({ KeyId }),
    ]) {
      await assert.rejects(kms.send(command as RotateKeyOnDemandCommand), failsAs('DisabledException'));
    }
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 30 }));
    assert.equal((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled, false);
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId })), failsAs('KMSInvalidStateException'));
  });

  it('rotates AWS managed keys every year, and lets nobody change that', async () => {
    const KeyId = 'alias/aws/s3';
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    const arn = KeyMetadata?.Arn ?? '';
    const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId: arn }));
    assert.deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 365]);
    await after_(366);
    assert.notEqual(await currentMaterial(KeyId), KeyMetadata?.CurrentKeyMaterialId);
    for (const command of [
      new EnableKeyRotationCommand({ KeyId: arn }),
      new DisableKeyRotationCommand({ KeyId: arn }),
      new RotateKeyOnDemandCommand({ KeyId: arn }),
    ]) {
      // By their policies, which nobody can change.
      await assert.rejects(kms.send(command as RotateKeyOnDemandCommand), failsAs('AccessDeniedException'));
    }
  });

  it('refuses a rotation on demand just before an automatic one', async () => {
    const { parts } = server;
    const { KeyMetadata } = (await parts.kms('CreateKey', {})) as { KeyMetadata: { KeyId: string } };
    const { KeyId } = KeyMetadata;
    await parts.kms('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    parts.now += 90 * DAY - 10 * 60_000;
    try {
      await assert.rejects(parts.kms('RotateKeyOnDemand', { KeyId }), { code: 'ConflictException' });
    } finally {
      parts.now = Date.now();
    }
  });

  /** What stands in the audit log of a key that no request asked for, oldest first. */
  async function serviceEventsOf(arn: string): Promise<readonly Record<string, unknown>[]> {
    const trail = new CloudTrailClient(server.clientConfig());
    const LookupAttributes = [{ AttributeKey: 'ResourceName', AttributeValue: arn }] as const;
    const EndTime = new Date(begin + 1000 * DAY);
    const { Events = [] } = await trail.send(
      new LookupEventsCommand({ LookupAttributes: [...LookupAttributes], EndTime }),
    );
    trail.destroy();
    const all = Events.map((event) => JSON.parse(event.CloudTrailEvent ?? '{}') as Record<string, unknown>);
    return all.filter(({ eventType }) => eventType === 'AwsServiceEvent').toReversed();
  }

  it('writes what happens to keys by itself into the audit log, as a service event', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { KeyId = '', Arn = '', CurrentKeyMaterialId: first } = KeyMetadata ?? {};
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    const second = await currentMaterial(KeyId);
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    await after_(91);
    const third = await currentMaterial(KeyId);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await after_(100);
    const [onDemand, automatic, deletion, ...others] = await serviceEventsOf(Arn);
    assert.deepEqual(others, []);
    const materials = [
      { previousKeyMaterialId: first, currentKeyMaterialId: second },
      { previousKeyMaterialId: second, currentKeyMaterialId: third },
    ];
    const kind = { keyOrigin: 'AWS_KMS', keyId: KeyId };
    assert.deepEqual(onDemand?.['serviceEventDetails'], { rotationType: 'ON_DEMAND', ...kind, ...materials[0] });
    assert.deepEqual(automatic?.['serviceEventDetails'], { rotationType: 'AUTOMATIC', ...kind, ...materials[1] });
    assert.deepEqual([deletion?.['eventName'], deletion?.['responseElements']], ['DeleteKey', { keyId: Arn }]);
    const { eventID, eventTime, ...rest } = automatic;
    assert.ok(typeof eventID === 'string' && typeof eventTime === 'string');
    assert.equal(eventTime.slice(0, 10), new Date(begin + 91 * DAY).toISOString().slice(0, 10));
    assert.deepEqual(rest, {
      eventVersion: '1.11',
      userIdentity: { accountId: server.accountId, invokedBy: 'AWS Internal' },
      eventSource: 'kms.amazonaws.com',
      eventName: 'RotateKey',
      awsRegion: 'us-east-1',
      sourceIPAddress: 'AWS Internal',
      userAgent: 'AWS Internal',
      requestParameters: null,
      responseElements: null,
      readOnly: false,
      resources: [{ accountId: server.accountId, type: 'AWS::KMS::Key', ARN: Arn }],
      eventType: 'AwsServiceEvent',
      managementEvent: true,
      recipientAccountId: server.accountId,
      serviceEventDetails: automatic['serviceEventDetails'],
      eventCategory: 'Management',
    });
  });

  it('keeps to 90 to 2560 days', async () => {
    const KeyId = await createKey();
    for (const RotationPeriodInDays of [89, 2561]) {
      await assert.rejects(
        kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays })),
        failsAs('ValidationException'),
      );
    }
    for (const RotationPeriodInDays of [90, 2560])
      await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays }));
  });

  it('loses neither schedule nor rotations at a restart', async () => {
    const { parts } = server;
    const { KeyMetadata } = (await parts.kms('CreateKey', {})) as { KeyMetadata: { KeyId: string } };
    const { KeyId } = KeyMetadata;
    await parts.kms('EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 });
    await parts.kms('RotateKeyOnDemand', { KeyId });
    const status = (await parts.kms('GetKeyRotationStatus', { KeyId })) as GetKeyRotationStatusResponse;
    const rotations = (await parts.kms('ListKeyRotations', { KeyId })) as ListKeyRotationsResponse;
    await parts.close();
    await parts.open();
    assert.deepEqual(await parts.kms('GetKeyRotationStatus', { KeyId }), status);
    assert.deepEqual(await parts.kms('ListKeyRotations', { KeyId }), rotations);
  });
});
