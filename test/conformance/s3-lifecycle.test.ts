import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ClockedServer } from '../harness/clocked-server.ts';

const DAY = 86_400;

describe('the lifecycle of buckets', () => {
  let server: ClockedServer;
  let s3: S3Client;

  before(async () => {
    server = await ClockedServer.start();
    s3 = new S3Client(server.clientConfig());
  });

  after(async () => {
    s3.destroy();
    await server.stop();
  });

  async function make(Bucket: string, options: { readonly versioned?: boolean; readonly locked?: boolean } = {}) {
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: options.locked ?? false }));
    if (options.versioned !== true) return;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }

  const rule = (Bucket: string, ...Rules: LifecycleRule[]) =>
    s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  const put = (Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: 'content', ...more }));

  /** What is due so many days from now is done; then the clock is the machine's again. */
  async function sweepAfter(days: number): Promise<void> {
    server.pass(days * DAY);
    await server.parts.services.s3Lifecycle.sweep();
    server.pass(-days * DAY);
  }

  async function keys(Bucket: string): Promise<(string | undefined)[]> {
    return ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
  }

  async function versions(Bucket: string) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    return { Versions, DeleteMarkers };
  }

  it('keeps the rules as they are given, each with an id', async () => {
    const Bucket = 'kept-rules';
    await make(Bucket);
    const get = new GetBucketLifecycleConfigurationCommand({ Bucket });
    await assert.rejects(s3.send(get), { name: 'NoSuchLifecycleConfiguration' });
    const rules: LifecycleRule[] = [
      { ID: 'all', Status: 'Enabled', Filter: {}, Expiration: { Date: new Date('2031-01-01T00:00:00Z') } },
      {
        ID: 'some',
        Status: 'Disabled',
        Filter: { And: { Prefix: 'a/', Tags: [{ Key: 'k', Value: 'v' }], ObjectSizeGreaterThan: 10 } },
        Expiration: { Days: 70 },
        Transitions: [
          { Days: 30, StorageClass: 'STANDARD_IA' },
          { Days: 60, StorageClass: 'GLACIER_IR' },
        ],
        NoncurrentVersionExpiration: { NoncurrentDays: 9, NewerNoncurrentVersions: 2 },
        NoncurrentVersionTransitions: [{ NoncurrentDays: 3, StorageClass: 'GLACIER_IR' }],
      },
    ];
    await rule(Bucket, ...rules);
    const answer = await s3.send(get);
    assert.deepEqual(answer.Rules, rules);
    assert.equal(answer.TransitionDefaultMinimumObjectSize, 'all_storage_classes_128K');
    await rule(Bucket, { Status: 'Enabled', Prefix: 'x', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
    const [only] = (await s3.send(get)).Rules ?? [];
    assert.ok(only?.ID);
    assert.equal(only.Prefix, 'x');
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    await assert.rejects(s3.send(get), { name: 'NoSuchLifecycleConfiguration' });
  });

  it('refuses what AWS refuses', async () => {
    const Bucket = 'refused-rules';
    await make(Bucket);
    const Filter = { Prefix: '' };
    const base = { Status: 'Enabled', Filter, Expiration: { Days: 1 } } as const;
    const cases: readonly [string, readonly LifecycleRule[]][] = [
      ['InvalidArgument', [{ ...base, Expiration: { Days: 0 } }]],
      ['InvalidArgument', [{ ...base, ID: 'x'.repeat(256) }]],
      [
        'InvalidArgument',
        [
          { ...base, ID: 'a' },
          { ...base, ID: 'a' },
        ],
      ],
      ['InvalidArgument', [{ ...base, Expiration: { Date: new Date('2031-01-01T01:00:00Z') } }]],
      ['InvalidArgument', [{ Status: 'Enabled', Filter, NoncurrentVersionExpiration: { NoncurrentDays: 0 } }]],
      ['InvalidArgument', [{ Status: 'Enabled', Filter, Transitions: [{ Days: 3, StorageClass: 'STANDARD_IA' }] }]],
      ['InvalidRequest', [{ Status: 'Enabled', Filter }]],
      ['InvalidRequest', [{ ...base }, { Status: 'Enabled', Prefix: 'a', Expiration: { Days: 1 } }]],
      [
        'InvalidRequest',
        [
          {
            Status: 'Enabled',
            Filter: { Tag: { Key: 'a', Value: 'b' } },
            Expiration: { ExpiredObjectDeleteMarker: true },
          },
        ],
      ],
      ['MalformedXML', [{ Status: 'Enabled', Expiration: { Days: 1 } }]],
      ['MalformedXML', [{ ...base, Status: 'enabled' as 'Enabled' }]],
      ['MalformedXML', [{ ...base, Filter: { Prefix: 'a', ObjectSizeLessThan: 4 } }]],
      ['MalformedXML', [{ ...base, Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } }]],
      ['NotImplemented', [{ Status: 'Enabled', Filter, Transitions: [{ Days: 3, StorageClass: 'GLACIER' }] }]],
    ];
    for (const [name, rules] of cases) await assert.rejects(rule(Bucket, ...rules), { name }, JSON.stringify(rules));
  });

  it('objects go at the midnight after their days, by prefix, tag and size, and answers say when', async () => {
    const Bucket = 'expiring';
    await make(Bucket);
    await rule(
      Bucket,
      { ID: 'prefix rule', Status: 'Enabled', Filter: { Prefix: 'old/' }, Expiration: { Days: 2 } },
      { ID: 'tag', Status: 'Enabled', Filter: { Tag: { Key: 'gone', Value: 'yes' } }, Expiration: { Days: 2 } },
      { ID: 'size', Status: 'Enabled', Filter: { ObjectSizeGreaterThan: 100 }, Expiration: { Days: 2 } },
      { ID: 'off', Status: 'Disabled', Filter: {}, Expiration: { Days: 1 } },
    );
    const answer = await put(Bucket, 'old/a');
    const midnight = new Date((Math.floor(server.parts.now / 86_400_000) + 3) * 86_400_000);
    const expected = `expiry-date="${midnight.toUTCString()}", rule-id="prefix%20rule"`;
    assert.equal(answer.Expiration, expected);
    assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: 'old/a' }))).Expiration, expected);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'old/a' }));
    await got.Body?.transformToByteArray();
    assert.equal(got.Expiration, expected);
    assert.equal((await put(Bucket, 'stays')).Expiration, undefined);
    await put(Bucket, 'tagged', { Tagging: 'gone=yes' });
    await put(Bucket, 'other-tag', { Tagging: 'gone=no' });
    await put(Bucket, 'big', { Body: Buffer.alloc(101) });
    await put(Bucket, 'limit', { Body: Buffer.alloc(100) });
    await sweepAfter(2);
    assert.equal((await keys(Bucket)).length, 6);
    await sweepAfter(3);
    assert.deepEqual(await keys(Bucket), ['limit', 'other-tag', 'stays']);
    const trail = new CloudTrailClient(server.clientConfig());
    await server.parts.services.log.flush();
    const { Events = [] } = await trail.send(
      new LookupEventsCommand({
        EndTime: new Date(Date.now() + 5 * DAY * 1000),
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'S3.EXPIRE.OBJECT' }],
      }),
    );
    trail.destroy();
    assert.equal(Events.length, 3);
    const event = JSON.parse(Events[0]?.CloudTrailEvent ?? '') as { userIdentity: Record<string, unknown> };
    assert.equal(event.userIdentity['invokedBy'], 's3.amazonaws.com');
  });

  it('what it does is told to the event log, and in the bucket’s access log', async () => {
    const Bucket = 'telling';
    await make(Bucket, { versioned: true });
    const NotificationConfiguration = { EventBridgeConfiguration: {} };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    const LoggingEnabled = { TargetBucket: Bucket, TargetPrefix: 'log/' };
    await s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));
    await put(Bucket, 'moves', { Body: Buffer.alloc(200_000) });
    await put(Bucket, 'hides');
    await rule(
      Bucket,
      { Status: 'Enabled', Filter: { Prefix: 'hides' }, Expiration: { Days: 1 } },
      { Status: 'Enabled', Filter: { Prefix: 'moves' }, Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] },
    );
    await sweepAfter(3);
    const told: (readonly unknown[])[] = [];
    for await (const { event } of server.parts.services.events.read({ after: 0, from: 0, source: 'aws.s3' })) {
      const { reason, requester, object } = event.detail;
      const { 'deletion-type': deletion, 'destination-storage-class': to } = event.detail;
      if (requester !== 's3.amazonaws.com') continue;
      told.push([event['detail-type'], (object as { readonly key: string }).key, reason, deletion ?? to]);
    }
    assert.deepEqual(told, [
      ['Object Deleted', 'hides', 'Lifecycle Expiration', 'Delete Marker Created'],
      ['Object Storage Class Changed', 'moves', undefined, 'GLACIER_IR'],
    ]);
    await server.parts.services.s3.accessLog.flush();
    const rows = await server.parts.services.s3.accessLogStore.next(Bucket, 1_000_000, false);
    assert.match(rows.map(({ lines }) => lines).join('\n'), / s3\.amazonaws\.com \S+ S3\.CREATE\.DELETEMARKER hides /);
  });

  it('versions are hidden, then go, and the delete marker last; newer ones are kept in their number', async () => {
    const Bucket = 'versions-expire';
    await make(Bucket, { versioned: true });
    await rule(
      Bucket,
      { ID: 'hide', Status: 'Enabled', Filter: { Prefix: 'hidden' }, Expiration: { Days: 1 } },
      {
        ID: 'kept',
        Status: 'Enabled',
        Filter: { Prefix: 'many' },
        NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 },
      },
      {
        ID: 'markers',
        Status: 'Enabled',
        Filter: { Prefix: 'marked' },
        Expiration: { ExpiredObjectDeleteMarker: true },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
    );
    await put(Bucket, 'hidden');
    for (let index = 0; index < 6; index += 1) await put(Bucket, 'many');
    await put(Bucket, 'marked');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'marked' }));
    await sweepAfter(1);
    let now = await versions(Bucket);
    assert.equal(now.Versions.length, 8);
    await sweepAfter(2);
    now = await versions(Bucket);
    assert.deepEqual(
      now.Versions.map(({ Key, IsLatest }) => [Key, IsLatest]),
      [
        ['hidden', false],
        ['many', true],
        ['many', false],
        ['many', false],
      ],
    );
    assert.deepEqual(
      now.DeleteMarkers.map(({ Key }) => Key),
      ['hidden', 'marked'],
    );
    await sweepAfter(2);
    assert.deepEqual(
      (await versions(Bucket)).DeleteMarkers.map(({ Key }) => Key),
      ['hidden'],
    );
  });

  it('locked versions stay, and so does what was written anew', async () => {
    const Bucket = 'locked-versions';
    await make(Bucket, { locked: true });
    await rule(Bucket, {
      ID: 'all',
      Status: 'Enabled',
      Filter: {},
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    });
    const { VersionId: held } = await put(Bucket, 'held');
    await s3.send(new PutObjectLegalHoldCommand({ Bucket, Key: 'held', VersionId: held, LegalHold: { Status: 'ON' } }));
    await put(Bucket, 'held');
    await put(Bucket, 'free');
    await put(Bucket, 'free');
    await sweepAfter(3);
    const { Versions } = await versions(Bucket);
    assert.deepEqual(
      Versions.map(({ Key, IsLatest }) => [Key, IsLatest]),
      [
        ['free', true],
        ['held', true],
        ['held', false],
      ],
    );
  });

  it('objects go to another storage class, uploads that were never completed end', async () => {
    const Bucket = 'transitions';
    await make(Bucket);
    await rule(Bucket, {
      ID: 'classes',
      Status: 'Enabled',
      Filter: { Prefix: '' },
      Transitions: [
        { Days: 30, StorageClass: 'STANDARD_IA' },
        { Days: 60, StorageClass: 'GLACIER_IR' },
      ],
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    });
    await put(Bucket, 'small');
    await put(Bucket, 'large', { Body: Buffer.alloc(200_000) });
    const upload = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'never' }));
    assert.equal(upload.AbortRuleId, 'classes');
    assert.equal(upload.AbortDate?.getTime(), (Math.floor(server.parts.now / 86_400_000) + 8) * 86_400_000);
    const classOf = async (Key: string) => (await s3.send(new HeadObjectCommand({ Bucket, Key }))).StorageClass;
    await sweepAfter(31);
    assert.deepEqual([await classOf('large'), await classOf('small')], ['STANDARD_IA', undefined]);
    assert.equal((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads, undefined);
    await sweepAfter(61);
    assert.equal(await classOf('large'), 'GLACIER_IR');
  });
});
