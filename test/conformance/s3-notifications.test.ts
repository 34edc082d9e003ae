import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  type Event as EventType,
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  RenameObjectCommand,
  S3Client,
  type TopicConfiguration,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { ConfigError, readConfig } from '../../bin/config.ts';
import { readEvents, until } from '../harness/event-log.ts';
import { EventReceiver } from '../harness/event-receiver.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { ServerFolder } from '../harness/server-process.ts';

interface S3Record {
  readonly eventVersion: string;
  readonly eventName: string;
  readonly awsRegion: string;
  readonly eventTime: string;
  readonly userIdentity: { readonly principalId: string };
  readonly requestParameters: { readonly sourceIPAddress: string };
  readonly responseElements: Readonly<Record<string, string>>;
  readonly s3: {
    readonly configurationId: string;
    readonly bucket: { readonly name: string; readonly arn: string; readonly ownerIdentity: object };
    readonly object: {
      readonly key: string;
      readonly size?: number;
      readonly eTag?: string;
      readonly versionId?: string;
      readonly sequencer: string;
    };
  };
}

interface Message {
  readonly Records?: readonly S3Record[];
  readonly Event?: string;
  readonly Bucket?: string;
}

/** What a webhook has taken, of one bucket. */
function recordsOf(receiver: EventReceiver, bucket: string): S3Record[] {
  const messages = receiver.events as unknown as readonly Message[];
  return messages.flatMap(({ Records = [] }) => Records).filter(({ s3 }) => s3.bucket.name === bucket);
}

const webhookArn = (account: string, name = 'hook') => `arn:aws:coffer:us-east-1:${account}:webhook/${name}`;
const ALL: EventType[] = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:ObjectTagging:*'];

describe('the notifications of buckets', () => {
  let platform: TestPlatform;
  let receiver: EventReceiver;
  let s3: S3Client;

  before(async () => {
    receiver = await EventReceiver.start();
    platform = await startTestPlatform({ COFFER_S3_WEBHOOKS: `hook=${receiver.address}` });
    s3 = new S3Client(platform.clientConfig());
  });
  after(async () => {
    s3.destroy();
    await platform.stop();
    await receiver.stop();
  });

  const set = (Bucket: string, configuration: NotificationConfiguration) =>
    s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: configuration }));
  const topic = (Events: EventType[] = ALL, more: Partial<TopicConfiguration> = {}): TopicConfiguration => ({
    TopicArn: webhookArn(platform.accountId),
    Events,
    ...more,
  });
  const ends = (prefix: string, suffix: string) => ({
    Filter: {
      Key: {
        FilterRules: [
          { Name: 'prefix' as const, Value: prefix },
          { Name: 'suffix' as const, Value: suffix },
        ],
      },
    },
  });

  async function make(Bucket: string, configuration: NotificationConfiguration): Promise<void> {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await set(Bucket, configuration);
  }
  const put = (Bucket: string, Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'content' }));

  /** Waits until so many have come. */
  async function records(bucket: string, count: number): Promise<S3Record[]> {
    await until(async () => (recordsOf(receiver, bucket).length >= count ? true : undefined), 10_000);
    return recordsOf(receiver, bucket);
  }

  it('are kept as they are given, and answered', async () => {
    const Bucket = 'kept';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const get = () => s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    const { $metadata: _, ...none } = await get();
    assert.deepEqual(none, {});
    const given = {
      TopicConfigurations: [topic(['s3:ObjectCreated:*'], { Id: 'new', ...ends('in/', '.mp4') })],
      EventBridgeConfiguration: {},
    };
    await set(Bucket, given);
    const { $metadata: __, ...kept } = await get();
    assert.deepEqual(kept, given);
    await set(Bucket, {});
    assert.equal((await get()).TopicConfigurations, undefined);
  });

  it('begin with a test event', async () => {
    await make('tested', { TopicConfigurations: [topic()] });
    const message = await until(async () =>
      (receiver.events as unknown as readonly Message[]).find((event) => event.Bucket === 'tested'),
    );
    assert.equal(message.Event, 's3:TestEvent');
  });

  it('tell every kind of change to a webhook, in the format of S3, in its order', async () => {
    const Bucket = 'told';
    await make(Bucket, { TopicConfigurations: [topic(ALL, { Id: 'all' })] });
    const { ETag } = await put(Bucket, 'a');
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
    const upload = { Bucket, Key: 'c' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
    const part = await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: 'part' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }));
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging: { TagSet: [{ Key: 'k', Value: 'v' }] } }));
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'a' }));
    const Resource = `arn:aws:s3:::${Bucket}/d`;
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:PutObject', Resource }];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    const form = new FormData();
    form.set('key', 'd');
    form.set('file', new Blob(['from a form']));
    assert.equal((await fetch(`${platform.endpoint}/${Bucket}`, { method: 'POST', body: form })).status, 204);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }, { Key: 'never there' }] } }));
    await s3.send(new RenameObjectCommand({ Bucket, Key: 'e', RenameSource: `${Bucket}/d` }));
    const told = await records(Bucket, 10);
    assert.deepEqual(
      told.map(({ eventName, s3: { object } }) => `${eventName} ${object.key}`),
      [
        'ObjectCreated:Put a',
        'ObjectCreated:Copy b',
        'ObjectCreated:CompleteMultipartUpload c',
        'ObjectTagging:Put a',
        'ObjectTagging:Delete a',
        'ObjectCreated:Post d',
        'ObjectRemoved:Delete a',
        'ObjectRemoved:Delete b',
        'ObjectCreated:Copy e',
        'ObjectRemoved:Delete d',
      ],
    );
    const sequencers = told.map((record) => record.s3.object.sequencer);
    assert.deepEqual(sequencers.toSorted(), sequencers);
    assert.equal(new Set(sequencers).size, sequencers.length);
    const [first] = told;
    assert.ok(first);
    const { eventTime, responseElements, ...rest } = first;
    assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(Object.keys(responseElements), ['x-amz-request-id']);
    assert.deepEqual(rest, {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: `AWS:${platform.accountId}` },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'all',
        bucket: { name: Bucket, ownerIdentity: { principalId: platform.accountId }, arn: `arn:aws:s3:::${Bucket}` },
        object: { key: 'a', size: 7, eTag: ETag?.replaceAll('"', ''), sequencer: sequencers[0] },
      },
    });
    assert.equal(told[3]?.eventVersion, '2.3');
    assert.equal(told[5]?.userIdentity.principalId, 'Anonymous');
  });

  it('name versions, and tell delete markers from removals', async () => {
    const Bucket = 'versions';
    await make(Bucket, { TopicConfigurations: [topic(['s3:ObjectCreated:*', 's3:ObjectRemoved:*'])] });
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const { VersionId } = await put(Bucket, 'k');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId }));
    const told = await records(Bucket, 4);
    assert.deepEqual(
      told.map(({ eventName, s3: { object } }) => [eventName, object.versionId]),
      [
        ['ObjectCreated:Put', VersionId],
        ['ObjectRemoved:DeleteMarkerCreated', marker.VersionId],
        ['ObjectRemoved:Delete', marker.VersionId],
        ['ObjectRemoved:Delete', VersionId],
      ],
    );
  });

  it('are of the keys and events that were asked for, and of changes that were made', async () => {
    const Bucket = 'chosen';
    await make(Bucket, { TopicConfigurations: [topic(['s3:ObjectCreated:Put'], ends('in/', '.mp4'))] });
    for (const key of ['in/a.mp4', 'in/a.mov', 'out/a.mp4']) await put(Bucket, key);
    const refused = new PutObjectCommand({ Bucket, Key: 'in/a.mp4', Body: 'x', IfNoneMatch: '*' });
    await assert.rejects(s3.send(refused), { name: 'PreconditionFailed' });
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'in/copy.mp4', CopySource: `${Bucket}/in/a.mp4` }));
    await put(Bucket, 'in/last.mp4');
    assert.deepEqual(
      (await records(Bucket, 2)).map((record) => record.s3.object.key),
      ['in/a.mp4', 'in/last.mp4'],
    );
  });

  it('tell of access control lists that are set', async () => {
    const Bucket = 'listed';
    await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'ObjectWriter' }));
    await set(Bucket, { TopicConfigurations: [topic(['s3:ObjectAcl:Put'])] });
    await put(Bucket, 'k');
    await s3.send(new PutObjectAclCommand({ Bucket, Key: 'k', ACL: 'authenticated-read' }));
    const [told] = await records(Bucket, 1);
    assert.equal(told?.eventName, 'ObjectAcl:Put');
  });

  it('write keys so that they can be read again, whatever is in them', async () => {
    const Bucket = 'odd-keys';
    await make(Bucket, { TopicConfigurations: [topic()] });
    const keys = ['red flower.jpg', 'a+b%20c&d=e', '"\\\n\t\u0001', 'ü/日本/🎬', "it's(!)*~"];
    for (const key of keys) await put(Bucket, key);
    const told = (await records(Bucket, keys.length)).map((record) => record.s3.object.key);
    assert.equal(told[0], 'red+flower.jpg');
    assert.deepEqual(
      told.map((key) => decodeURIComponent(key.replaceAll('+', ' '))),
      keys,
    );
  });

  it('go to the event log: as EventBridge has them, and in the format of S3', async () => {
    const Bucket = 'logged';
    const TopicArn = `arn:aws:coffer:us-east-1:${platform.accountId}:event-log`;
    const Events: EventType[] = ['s3:ObjectCreated:*'];
    await make(Bucket, { TopicConfigurations: [{ TopicArn, Events }], EventBridgeConfiguration: {} });
    const { ETag } = await put(Bucket, 'a b');
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'a b', Tagging: { TagSet: [] } }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a b' }));
    const events = (await readEvents(platform.dataFolder)).filter((event) =>
      event.resources.includes(`arn:aws:s3:::${Bucket}`),
    );
    const bridged = events.filter(({ source }) => source === 'aws.s3');
    assert.deepEqual(
      bridged.map((event) => event['detail-type']),
      ['Object Created', 'Object Tags Added', 'Object Deleted'],
    );
    const [created, , deleted] = bridged;
    assert.ok(created);
    const { object, ...detail } = created.detail as { object: { sequencer: string } };
    const requestId = created.detail['request-id'];
    const common = { version: '0', bucket: { name: Bucket }, 'request-id': requestId };
    const by = { requester: platform.accountId, 'source-ip-address': '127.0.0.1' };
    assert.deepEqual(detail, { ...common, ...by, reason: 'PutObject' });
    const { sequencer } = object;
    assert.deepEqual(object, { key: 'a b', size: 7, etag: ETag?.replaceAll('"', ''), sequencer });
    assert.equal(deleted?.detail['deletion-type'], 'Permanently Deleted');
    const own = events.filter(({ source }) => source === 'coffer.s3').map((event) => event.detail as Message);
    assert.equal(own[0]?.Event, 's3:TestEvent');
    assert.deepEqual(
      own.flatMap(({ Records = [] }) => Records.map((record) => [record.eventName, record.s3.object.sequencer])),
      [['ObjectCreated:Put', sequencer]],
    );
  });

  it('refuse what AWS refuses, and AWS’s own targets by name', async () => {
    const Bucket = 'refused';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const created: EventType[] = ['s3:ObjectCreated:*'];
    const arn = (text: string) => topic(created, { TopicArn: text });
    const account = platform.accountId;
    const cases: readonly [string, NotificationConfiguration][] = [
      ['NotImplemented', { TopicConfigurations: [arn(`arn:aws:sns:us-east-1:${account}:t`)] }],
      [
        'NotImplemented',
        { QueueConfigurations: [{ QueueArn: `arn:aws:sqs:us-east-1:${account}:q`, Events: created }] },
      ],
      [
        'NotImplemented',
        {
          LambdaFunctionConfigurations: [
            { LambdaFunctionArn: `arn:aws:lambda:us-east-1:${account}:function:f`, Events: created },
          ],
        },
      ],
      ['InvalidArgument', { TopicConfigurations: [arn('hook')] }],
      ['InvalidArgument', { TopicConfigurations: [arn(receiver.address)] }],
      ['InvalidArgument', { TopicConfigurations: [arn(webhookArn(account, 'other'))] }],
      ['InvalidArgument', { TopicConfigurations: [arn(webhookArn('210987654321'))] }],
      ['InvalidArgument', { TopicConfigurations: [arn(webhookArn(account).replace('us-east-1', 'eu-west-1'))] }],
      ['InvalidArgument', { TopicConfigurations: [topic(created), topic(['s3:ObjectCreated:Put'])] }],
      ['InvalidArgument', { TopicConfigurations: [topic(created, ends('a', '')), topic(created, ends('ab', 'g'))] }],
      ['InvalidArgument', { TopicConfigurations: [topic(created, ends('a', 'pg')), topic(created, ends('a', 'jpg'))] }],
      [
        'InvalidArgument',
        { TopicConfigurations: [topic(created, { Id: 'x' }), topic(['s3:ObjectAcl:Put'], { Id: 'x' })] },
      ],
      ['InvalidArgument', { TopicConfigurations: [topic(created, ends('a'.repeat(1025), ''))] }],
      ['MalformedXML', { TopicConfigurations: [topic(['s3:ObjectMade' as EventType])] }],
      ['MalformedXML', { TopicConfigurations: [topic([])] }],
    ];
    for (const [name, configuration] of cases) {
      await assert.rejects(set(Bucket, configuration), { name }, JSON.stringify(configuration));
    }
    await set(Bucket, { TopicConfigurations: [topic(created, ends('a', 'jpg')), topic(created, ends('a', 'png'))] });
  });

  it('come again when the webhook does not take them, in the same order', async () => {
    const Bucket = 'again';
    await make(Bucket, { TopicConfigurations: [topic()] });
    await until(async () => (JSON.stringify(receiver.events).includes(`"Bucket":"${Bucket}"`) ? true : undefined));
    let refusals = 2;
    receiver.onEvent = () => (refusals-- > 0 ? 503 : 200);
    for (const key of ['1', '2', '3']) await put(Bucket, key);
    const told = await records(Bucket, 3);
    assert.deepEqual(
      told.map((record) => record.s3.object.key),
      ['1', '2', '3'],
    );
    receiver.onEvent = () => 204;
  });
});

describe('the webhooks of buckets', () => {
  it('get what was acknowledged when the server was killed, and are addresses that are safe to call', async () => {
    const receiver = await EventReceiver.start();
    receiver.onEvent = () => 500;
    const folder = await ServerFolder.make();
    folder.environment['COFFER_S3_WEBHOOKS'] = `hook=${receiver.address}`;
    try {
      const killed = await folder.start();
      const s3 = new S3Client(killed.clientConfig);
      await s3.send(new CreateBucketCommand({ Bucket: 'killed' }));
      const TopicConfigurations = [{ TopicArn: webhookArn('123456789012'), Events: ALL }];
      const NotificationConfiguration = { TopicConfigurations };
      await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: 'killed', NotificationConfiguration }));
      const acknowledged: string[] = [];
      const writing = Array.from({ length: 80 }, async (_, index) => {
        const Key = `key-${index}`;
        await s3.send(new PutObjectCommand({ Bucket: 'killed', Key, Body: 'x' }));
        acknowledged.push(Key);
      });
      const settled = Promise.allSettled(writing);
      await until(async () => (acknowledged.length > 20 ? true : undefined));
      await killed.end('SIGKILL');
      await settled;
      s3.destroy();
      receiver.onEvent = () => 200;
      const restarted = await folder.start();
      const keys = () => new Set(recordsOf(receiver, 'killed').map((record) => record.s3.object.key));
      await until(async () => (acknowledged.every((key) => keys().has(key)) ? true : undefined));
      await restarted.end('SIGTERM');
    } finally {
      await receiver.stop();
      await folder.remove();
    }
    for (const text of [
      'http://example.com/',
      'hook',
      'Hook=https://x/',
      'a=https://x/,a=https://y/',
      'a=https://u:p@x/',
    ]) {
      assert.throws(() => readConfig({}, { COFFER_S3_WEBHOOKS: text }), ConfigError, text);
    }
  });
});
