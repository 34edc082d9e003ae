import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketInventoryConfigurationCommand,
  DeleteObjectCommand,
  GetBucketInventoryConfigurationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type InventoryConfiguration,
  type InventoryOptionalField,
  type InventoryS3BucketDestination,
  ListBucketInventoryConfigurationsCommand,
  ListObjectsV2Command,
  PutBucketInventoryConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ClockedServer } from '../harness/clocked-server.ts';

const DAY = 86_400;

interface Manifest {
  readonly sourceBucket: string;
  readonly destinationBucket: string;
  readonly fileFormat: string;
  readonly fileSchema: string;
  readonly files: readonly { readonly key: string; readonly size: number; readonly MD5checksum: string }[];
}

describe('the inventories of buckets', () => {
  let server: ClockedServer;
  let s3: S3Client;

  before(async () => {
    server = await ClockedServer.start();
    s3 = new S3Client(server.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'reports' }));
    await letIn('reports');
  });
  after(async () => {
    s3.destroy();
    await server.stop();
  });

  /** As AWS's guide has it. */
  async function letIn(Bucket: string, place: object = { Resource: `arn:aws:s3:::${Bucket}/*` }): Promise<void> {
    const Statement = {
      Effect: 'Allow',
      Principal: { Service: 's3.amazonaws.com' },
      Action: 's3:PutObject',
      ...place,
      Condition: {
        ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::*' },
        StringEquals: { 'aws:SourceAccount': server.accountId, 's3:x-amz-acl': 'bucket-owner-full-control' },
      },
    };
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  }

  const configurationOf = (
    Id: string,
    more: Partial<InventoryConfiguration> = {},
    destination: Partial<InventoryS3BucketDestination> = {},
  ): InventoryConfiguration => ({
    Id,
    IsEnabled: true,
    IncludedObjectVersions: 'Current',
    Schedule: { Frequency: 'Daily' },
    Destination: { S3BucketDestination: { Bucket: 'arn:aws:s3:::reports', Format: 'CSV', ...destination } },
    ...more,
  });
  const set = (Bucket: string, InventoryConfiguration: InventoryConfiguration) =>
    s3.send(
      new PutBucketInventoryConfigurationCommand({ Bucket, Id: InventoryConfiguration.Id, InventoryConfiguration }),
    );
  const put = (Bucket: string, Key: string, Body = 'content') => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const sweep = () => server.parts.services.s3Inventory.sweep();

  async function keys(Prefix: string, Bucket = 'reports'): Promise<string[]> {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    return Contents.map(({ Key = '' }) => Key);
  }
  async function bytes(Key: string, Bucket = 'reports'): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** The newest whole report under a prefix: its manifest, and its lines. */
  async function report(prefix: string): Promise<{ readonly manifest: Manifest; readonly lines: string[][] }> {
    const checksum = (await keys(prefix)).filter((key) => key.endsWith('/manifest.checksum')).at(-1) ?? '';
    const json = await bytes(checksum.replace(/checksum$/, 'json'));
    assert.equal((await bytes(checksum)).toString(), createHash('md5').update(json).digest('hex'));
    const manifest = JSON.parse(json.toString()) as Manifest;
    const lines: string[][] = [];
    for (const file of manifest.files) {
      const content = await bytes(file.key);
      assert.equal(content.length, file.size);
      assert.equal(createHash('md5').update(content).digest('hex'), file.MD5checksum);
      const text = gunzipSync(content).toString();
      for (const line of text.split('\n').slice(0, -1)) lines.push(JSON.parse(`[${line}]`) as string[]);
    }
    return { manifest, lines };
  }

  it('are set, listed in pages, answered and removed', async () => {
    const Bucket = 'set-inventories';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const get = (Id: string) => s3.send(new GetBucketInventoryConfigurationCommand({ Bucket, Id }));
    await assert.rejects(get('a'), { name: 'NoSuchConfiguration' });
    const given = configurationOf('a', {
      OptionalFields: ['Size', 'ETag'],
      Filter: { Prefix: 'p/' },
      IsEnabled: false,
    });
    await set(Bucket, given);
    assert.deepEqual((await get('a')).InventoryConfiguration, given);
    const ids = Array.from({ length: 101 }, (_, index) => `b${String(index).padStart(3, '0')}`);
    await Promise.all(ids.map((id) => set(Bucket, configurationOf(id, { IsEnabled: false }))));
    const list = new ListBucketInventoryConfigurationsCommand({ Bucket });
    const first = await s3.send(list);
    assert.deepEqual([first.InventoryConfigurationList?.length, first.IsTruncated], [100, true]);
    const ContinuationToken = first.NextContinuationToken;
    const rest = await s3.send(new ListBucketInventoryConfigurationsCommand({ Bucket, ContinuationToken }));
    assert.deepEqual(
      [rest.InventoryConfigurationList?.map(({ Id }) => Id), rest.IsTruncated],
      [['b099', 'b100'], false],
    );
    const remove = new DeleteBucketInventoryConfigurationCommand({ Bucket, Id: 'a' });
    await s3.send(remove);
    await assert.rejects(s3.send(remove), { name: 'NoSuchConfiguration' });
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await s3.send(new CreateBucketCommand({ Bucket }));
    assert.equal((await s3.send(list)).InventoryConfigurationList, undefined);
  });

  it('report the current objects under a prefix, with the fields that were asked for', async () => {
    const Bucket = 'current';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const Rules = [{ ID: 'r', Status: 'Enabled' as const, Filter: {}, Expiration: { Date: new Date('2099-01-01') } }];
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
    const odd = 'in/a "b",\n日本+%';
    const { ETag } = await put(Bucket, odd);
    await put(Bucket, 'out/side');
    const OptionalFields: InventoryOptionalField[] = [
      'StorageClass',
      'Size',
      'ETag',
      'IsMultipartUploaded',
      'EncryptionStatus',
      'BucketKeyStatus',
      'ChecksumAlgorithm',
      'LifecycleExpirationDate',
      'ReplicationStatus',
    ];
    await set(Bucket, configurationOf('daily', { OptionalFields, Filter: { Prefix: 'in/' } }, { Prefix: 'of' }));
    await sweep();
    const { manifest, lines } = await report('of/current/daily/');
    assert.deepEqual(
      [manifest.sourceBucket, manifest.destinationBucket, manifest.fileFormat],
      [Bucket, 'arn:aws:s3:::reports', 'CSV'],
    );
    assert.equal(
      manifest.fileSchema,
      'Bucket, Key, Size, ETag, StorageClass, IsMultipartUploaded, ReplicationStatus, EncryptionStatus, BucketKeyStatus, ' +
        'ChecksumAlgorithm, LifecycleExpirationDate',
    );
    const [line = [], ...others] = lines;
    assert.equal(others.length, 0);
    assert.equal(decodeURIComponent(line[1] ?? ''), odd);
    assert.deepEqual(line.slice(2), [
      '7',
      ETag?.replaceAll('"', ''),
      'STANDARD',
      'false',
      '',
      'SSE-S3',
      '',
      'CRC32',
      '2099-01-01T00:00:00.000Z',
    ]);
    const found = await keys('of/current/daily/');
    assert.equal(found.filter((key) => /\/\d{4}-\d\d-\d\dT\d\d-\d\dZ\/manifest\.(json|checksum)$/.test(key)).length, 2);
    const link = found.find((key) => /\/hive\/dt=\d{4}-\d\d-\d\d-\d\d-\d\d\/symlink\.txt$/.test(key)) ?? '';
    assert.equal((await bytes(link)).toString(), `s3://reports/${manifest.files[0]?.key}`);
  });

  it('report all versions, and which are delete markers and the latest', async () => {
    const Bucket = 'all-versions';
    await s3.send(new CreateBucketCommand({ Bucket }));
    await put(Bucket, 'early');
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const first = await put(Bucket, 'k');
    const second = await put(Bucket, 'k', 'longer content');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await set(Bucket, configurationOf('all', { IncludedObjectVersions: 'All', OptionalFields: ['Size'] }));
    await sweep();
    const { manifest, lines } = await report('all-versions/all/');
    assert.equal(manifest.fileSchema, 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size');
    assert.deepEqual(
      lines.map((line) => line.slice(1)),
      [
        ['early', 'null', 'true', 'false', '7'],
        ['k', marker.VersionId, 'true', 'true', ''],
        ['k', second.VersionId, 'false', 'false', '14'],
        ['k', first.VersionId, 'false', 'false', '7'],
      ],
    );
  });

  it('are written once a day, or each Sunday, also of nothing', async () => {
    const Bucket = 'scheduled';
    await s3.send(new CreateBucketCommand({ Bucket }));
    await set(Bucket, configurationOf('daily'));
    await set(Bucket, configurationOf('weekly', { Schedule: { Frequency: 'Weekly' } }));
    await set(Bucket, configurationOf('off', { IsEnabled: false }));
    const counts = async () =>
      await Promise.all(
        ['daily', 'weekly', 'off'].map(
          async (id) => (await keys(`scheduled/${id}/`)).filter((key) => key.endsWith('/manifest.checksum')).length,
        ),
      );
    await sweep();
    await sweep();
    assert.deepEqual(await counts(), [1, 1, 0]);
    assert.deepEqual((await report('scheduled/daily/')).lines, []);
    for (let day = 1; day <= 7; day++) {
      server.pass(day * DAY);
      await sweep();
      server.pass(-day * DAY);
    }
    assert.deepEqual(await counts(), [8, 2, 0]);
  });

  it('go where policies of the bucket and of the key let them in, and are tried again', async () => {
    const kms = new KMSClient(server.clientConfig());
    const KeyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    for (const Bucket of ['closed', 'secret']) await s3.send(new CreateBucketCommand({ Bucket }));
    await put('secret', 'k');
    const destination = { Bucket: 'arn:aws:s3:::closed', Encryption: { SSEKMS: { KeyId } } };
    await set('secret', configurationOf('sealed', {}, destination));
    const written = async () => {
      await sweep();
      return await keys('', 'closed');
    };
    assert.deepEqual(await written(), []);
    await letIn('closed');
    assert.deepEqual(await written(), []);
    const allow = (Principal: object, Action: string) => ({ Effect: 'Allow', Principal, Action, Resource: '*' });
    const Statement = [
      allow({ AWS: `arn:aws:iam::${server.accountId}:root` }, 'kms:*'),
      allow({ Service: 's3.amazonaws.com' }, 'kms:GenerateDataKey'),
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
    kms.destroy();
    const found = await written();
    assert.equal(found.length, 4);
    for (const Key of found) {
      const head = await s3.send(new HeadObjectCommand({ Bucket: 'closed', Key }));
      assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId], ['aws:kms', KeyId]);
    }
  });

  it('are made anew when they were interrupted, and whole when their checksum is there', async () => {
    for (const Bucket of ['interrupting', 'interrupted']) await s3.send(new CreateBucketCommand({ Bucket }));
    await put('interrupted', 'k');
    await letIn('interrupting', { NotResource: ['arn:aws:s3:::interrupting/*/manifest.checksum'] });
    await set('interrupted', configurationOf('id', {}, { Bucket: 'arn:aws:s3:::interrupting' }));
    const count = async (end: string) => {
      await sweep();
      return (await keys('', 'interrupting')).filter((key) => key.endsWith(end)).length;
    };
    assert.equal(await count('.csv.gz'), 1);
    assert.equal(await count('.csv.gz'), 2);
    await letIn('interrupting');
    assert.equal(await count('/manifest.checksum'), 1);
    assert.equal(await count('.csv.gz'), 3);
  });

  it('refuse what AWS refuses, and what is not carried out by name', async () => {
    const Bucket = 'refusing-inventory';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const cases: readonly [string, InventoryConfiguration][] = [
      ['InvalidConfigurationId', configurationOf('a b')],
      ['InvalidConfigurationId', configurationOf('x'.repeat(65))],
      ['InvalidS3DestinationBucket', configurationOf('a', {}, { Bucket: 'reports' })],
      ['InvalidS3DestinationBucket', configurationOf('a', {}, { Bucket: 'arn:aws:s3:::nowhere-to-be-found' })],
      ['NotImplemented', configurationOf('a', {}, { Format: 'ORC' })],
      ['NotImplemented', configurationOf('a', {}, { Format: 'Parquet' })],
      ['NotImplemented', configurationOf('a', { OptionalFields: ['ObjectAccessControlList'] })],
      ['MalformedXML', configurationOf('a', { OptionalFields: ['Colour' as InventoryOptionalField] })],
      ['MalformedXML', configurationOf('a', {}, { Encryption: { SSES3: {}, SSEKMS: { KeyId: 'k' } } })],
      ['InvalidArgument', configurationOf('a', { Filter: { Prefix: 'x'.repeat(513) } })],
    ];
    for (const [name, given] of cases) await assert.rejects(set(Bucket, given), { name }, JSON.stringify(given));
    const other = new PutBucketInventoryConfigurationCommand({
      Bucket,
      Id: 'b',
      InventoryConfiguration: configurationOf('a'),
    });
    await assert.rejects(s3.send(other), { name: 'InvalidConfigurationId' });
  });
});
