import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GetKeyLastUsageCommand,
  KMSClient,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { UsageReport } from '#services/kms/usage/usage-report.ts';
import { CofferHome, clientConfig, type RunningServer } from '../harness/coffer-home.ts';

const MONTH = new Date().toISOString().slice(0, 7);
const TEXT = Buffer.from('text');

describe('uses of KMS keys', () => {
  let home: CofferHome;
  let server: RunningServer;
  let kms: KMSClient;
  const createKey = async (more = {}) => (await kms.send(new CreateKeyCommand(more))).KeyMetadata?.KeyId ?? '';
  const lastUsage = (KeyId: string) => kms.send(new GetKeyLastUsageCommand({ KeyId }));
  const report = async (): Promise<UsageReport> => {
    const { stdout, stderr } = await home.run(['usage', '--month', MONTH, '--json']);
    assert.equal(stderr, '');
    return JSON.parse(stdout) as UsageReport;
  };

  before(async () => {
    home = await CofferHome.make();
    server = await home.start();
    kms = new KMSClient(await home.rootClientConfig());
  });
  after(async () => {
    kms.destroy();
    await home[Symbol.asyncDispose]();
  });

  it('are told by GetKeyLastUsage: the last one that succeeded, with its event', async () => {
    const key = await createKey();
    const target = await createKey();
    const unused = await lastUsage(key);
    assert.equal(unused.KeyId, key);
    assert.deepEqual(unused.KeyLastUsage, {});
    assert.ok(unused.KeyCreationDate !== undefined && unused.TrackingStartDate !== undefined);
    assert.ok(unused.TrackingStartDate >= unused.KeyCreationDate);

    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: key, Plaintext: TEXT }));
    await kms.send(new DescribeKeyCommand({ KeyId: key }));
    await assert.rejects(kms.send(new DecryptCommand({ KeyId: key, CiphertextBlob: Buffer.alloc(200, 1) })));
    await assert.rejects(kms.send(new EncryptCommand({ KeyId: key, Plaintext: TEXT, DryRun: true })));
    const used = await lastUsage(key);
    assert.equal(used.KeyLastUsage?.Operation, 'Encrypt');
    assert.ok(Math.abs(Date.now() - (used.KeyLastUsage.Timestamp?.getTime() ?? 0)) < 60_000);

    await kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: target }));
    const [one, other] = [(await lastUsage(key)).KeyLastUsage, (await lastUsage(target)).KeyLastUsage];
    assert.equal(one?.Operation, 'ReEncrypt');
    assert.deepEqual(one, other);

    const trail = new CloudTrailClient(await home.rootClientConfig());
    const LookupAttributes = [{ AttributeKey: 'EventId' as const, AttributeValue: one?.CloudTrailEventId }];
    const { Events } = await trail.send(new LookupEventsCommand({ LookupAttributes })).finally(() => trail.destroy());
    assert.equal(Events?.[0]?.EventName, 'ReEncrypt');
    assert.ok(Events?.[0]?.CloudTrailEvent?.includes(one?.KmsRequestId ?? 'none'));
  });

  it('are asked for by id or ARN, in the own account', async () => {
    const key = await createKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/used', TargetKeyId: key }));
    await assert.rejects(lastUsage('alias/used'), { name: 'ValidationException' });
    await assert.rejects(lastUsage('11111111-2222-3333-4444-555555555555'), { name: 'NotFoundException' });
    const { stdout } = await home.run(['account', 'create']);
    const made = JSON.parse(stdout) as { accessKeyId: string; secretAccessKey: string };
    const foreign = new KMSClient(clientConfig(server.endpoint, made.accessKeyId, made.secretAccessKey));
    const arn = (await kms.send(new DescribeKeyCommand({ KeyId: key }))).KeyMetadata?.Arn;
    const asking = foreign.send(new GetKeyLastUsageCommand({ KeyId: arn })).finally(() => foreign.destroy());
    await assert.rejects(asking, { name: 'AccessDeniedException' });
  });

  it('are counted by key, operation, principal and day, every one of many at once, and kept over a stop', async () => {
    const key = await createKey();
    const pair = await createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const gone = await createKey();
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: gone }));
    await Promise.all(Array.from({ length: 300 }, () => kms.send(new EncryptCommand({ KeyId: key, Plaintext: TEXT }))));
    await kms.send(new SignCommand({ KeyId: pair, Message: TEXT, SigningAlgorithm: 'ECDSA_SHA_256' }));
    await kms.send(new GenerateDataKeyPairCommand({ KeyId: key, KeyPairSpec: 'ECC_NIST_P384' }));
    await assert.rejects(kms.send(new EncryptCommand({ KeyId: pair, Plaintext: TEXT })));
    const s3 = new S3Client(await home.rootClientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'used-keys' }));
    const place = { Bucket: 'used-keys', Key: 'object' };
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key } as const;
    await s3.send(new PutObjectCommand({ ...place, ...encryption, Body: 'x' }));
    await s3.send(new GetObjectCommand(place));
    s3.destroy();

    const of = ({ days }: UsageReport, keyId: string) =>
      days
        .filter((row) => row.key_id === keyId)
        .map(({ operation, variant, requests, failed, spec }) => [operation, variant, requests, failed, spec])
        .toSorted((a, b) => String(a[0]).localeCompare(String(b[0])));
    const expected = [
      ['CreateKey', '', 1, 0, 'SYMMETRIC_DEFAULT'],
      ['Decrypt', '', 1, 0, 'SYMMETRIC_DEFAULT'],
      ['Encrypt', '', 300, 0, 'SYMMETRIC_DEFAULT'],
      ['GenerateDataKey', '', 1, 0, 'SYMMETRIC_DEFAULT'],
      ['GenerateDataKeyPair', 'ECC_NIST_P384', 1, 0, 'SYMMETRIC_DEFAULT'],
    ];
    const before = await report();
    assert.deepEqual(
      of(before, key).filter(([operation]) => operation !== 'CreateKey'),
      expected.slice(1),
    );
    const row = before.days.find(({ key_id: id, operation }) => id === key && operation === 'Encrypt');
    assert.equal(row?.principal, 'arn:aws:iam::123456789012:root');
    assert.equal(row?.account, '123456789012');
    assert.equal(row?.day.slice(0, 7), MONTH);
    assert.deepEqual(
      of(before, pair).filter(([operation]) => operation !== 'CreateKey'),
      [
        ['Encrypt', '', 1, 1, 'ECC_NIST_P256'],
        ['Sign', '', 1, 0, 'ECC_NIST_P256'],
      ],
    );
    const cost = before.costs.find(({ account }) => account === '123456789012');
    const classes = Object.fromEntries(cost?.requests.map((line) => [line.priceClass, line.requests]) ?? []);
    assert.equal(classes['asymmetric'], 1);
    assert.equal(classes['eccDataKeyPair'], 1);
    assert.equal(cost?.keys, 5, 'the one that waits for its deletion costs nothing');

    // What was gathered since the last write is written at the stop.
    await kms.send(new EncryptCommand({ KeyId: key, Plaintext: TEXT }));
    await server.end('SIGTERM');
    const later = await report();
    assert.deepEqual(of(later, key).find(([operation]) => operation === 'Encrypt')?.[2], 301);
    const { stdout, code } = await home.run(['usage', '--month', MONTH]);
    assert.equal(code, 0);
    assert.match(stdout, /301 +0 +\d{4}-\d\d-\d\d +us-east-1:\S+ +Encrypt +arn:aws:iam::123456789012:root/);
    assert.match(stdout, /https:\/\/aws\.amazon\.com\/kms\/pricing\//);
    const wrong = await home.run(['usage', '--month', '2026-13']);
    assert.match(wrong.stderr, /--month is a month such as 2026-11/);
  });
});
