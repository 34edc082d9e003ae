import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetBucketLoggingCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type LoggingEnabled,
  PutBucketEncryptionCommand,
  PutBucketLoggingCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { writeLogLine } from '#services/s3/access-log/log-line.ts';
import { ClockedServer } from '../harness/clocked-server.ts';

const FIELDS = [
  'owner',
  'bucket',
  'time',
  'ip',
  'requester',
  'requestId',
  'operation',
  'key',
  'uri',
  'status',
  'error',
  'sent',
  'size',
  'total',
  'turnAround',
  'referer',
  'agent',
  'version',
  'host',
  'signature',
  'cipher',
  'authentication',
  'hostHeader',
  'tls',
  'accessPoint',
  'acl',
] as const;

type Line = Readonly<Record<(typeof FIELDS)[number], string>>;

function parseLine(text: string): Line {
  const values = text.match(/\[[^\]]*\]|"[^"]*"|[^ ]+/g) ?? [];
  assert.equal(values.length, FIELDS.length, text);
  return Object.fromEntries(FIELDS.map((name, index) => [name, values[index] ?? ''])) as Line;
}

describe('the access logs of buckets', () => {
  let server: ClockedServer;
  let s3: S3Client;

  before(async () => {
    server = await ClockedServer.start();
    s3 = new S3Client(server.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'logs' }));
    await letIn('logs');
  });
  after(async () => {
    s3.destroy();
    await server.stop();
  });

  /** As AWS's guide has it. */
  async function letIn(bucket: string, source = '*'): Promise<void> {
    const Statement = {
      Effect: 'Allow',
      Principal: { Service: 'logging.s3.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucket}/*`,
      Condition: {
        ArnLike: { 'aws:SourceArn': `arn:aws:s3:::${source}` },
        StringEquals: { 'aws:SourceAccount': server.accountId },
      },
    };
    await s3.send(
      new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
    );
  }

  const log = (Bucket: string, LoggingEnabled: LoggingEnabled) =>
    s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));

  async function make(Bucket: string, more: Partial<LoggingEnabled> = {}): Promise<void> {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await log(Bucket, { TargetBucket: 'logs', TargetPrefix: `${Bucket}/`, ...more });
  }

  const deliver = () => server.parts.services.s3LogDelivery.deliver();

  async function keys(prefix: string, Bucket = 'logs'): Promise<string[]> {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    return Contents.map(({ Key = '' }) => Key);
  }

  async function lines(prefix: string): Promise<Line[]> {
    await deliver();
    const texts = await Promise.all(
      (await keys(prefix)).map(async (Key) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'logs', Key }));
        return (await Body?.transformToString()) ?? '';
      }),
    );
    return texts.flatMap((text) => text.trimEnd().split('\n').map(parseLine));
  }

  it('are set and answered', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'set' }));
    const get = async () => (await s3.send(new GetBucketLoggingCommand({ Bucket: 'set' }))).LoggingEnabled;
    assert.equal(await get(), undefined);
    const given: LoggingEnabled = {
      TargetBucket: 'logs',
      TargetPrefix: 'p/',
      TargetObjectKeyFormat: { PartitionedPrefix: { PartitionDateSource: 'EventTime' } },
    };
    await log('set', given);
    assert.deepEqual(await get(), given);
    await s3.send(new PutBucketLoggingCommand({ Bucket: 'set', BucketLoggingStatus: {} }));
    assert.equal(await get(), undefined);
  });

  it('tell each request in the fields of AWS, refused ones too', async () => {
    await make('told');
    const place = { Bucket: 'told', Key: 'a/b c' };
    await s3.send(new PutObjectCommand({ ...place, Body: 'content' }));
    await s3.send(new GetObjectCommand({ ...place, Range: 'bytes=1-3' }));
    await s3.send(new HeadObjectCommand(place));
    await s3.send(new CopyObjectCommand({ Bucket: 'told', Key: 'copy', CopySource: 'told/a/b c' }));
    await assert.rejects(s3.send(new GetObjectCommand({ Bucket: 'told', Key: 'absent' })), { name: 'NoSuchKey' });
    await s3.send(new DeleteObjectsCommand({ Bucket: 'told', Delete: { Objects: [{ Key: 'copy' }] } }));
    assert.equal((await fetch(`${server.endpoint}/told/anonymous`)).status, 403);
    const stranger = new S3Client(
      server.clientConfig({ accessKeyId: 'AKIANOBODYATALL00000', secretAccessKey: 'not a secret of anybody' }),
    );
    await assert.rejects(stranger.send(new GetObjectCommand(place)), { name: 'InvalidAccessKeyId' });
    stranger.destroy();
    const told = await lines('told/');
    assert.deepEqual(
      told.map(({ operation, key, status, error, size }) => [operation, key, status, error, size].join(' ')),
      [
        'REST.PUT.OBJECT a/b%20c 200 - 7',
        'REST.GET.OBJECT a/b%20c 206 - 7',
        'REST.HEAD.OBJECT a/b%20c 200 - 7',
        'REST.COPY.OBJECT_GET a/b%20c 200 - -',
        'REST.COPY.OBJECT copy 200 - -',
        'REST.GET.OBJECT absent 404 NoSuchKey -',
        'REST.POST.MULTI_OBJECT_DELETE - 200 - -',
        'BATCH.DELETE.OBJECT copy 204 - -',
        'REST.GET.OBJECT anonymous 403 AccessDenied -',
        'REST.GET.OBJECT a/b%20c 403 InvalidAccessKeyId -',
      ],
    );
    const [, read, , , , , , , anonymous, unknown] = told;
    assert.ok(read && anonymous && unknown);
    const owner = (await server.parts.services.iam.accounts.find(server.parts.account))?.canonicalId;
    assert.match(read.time, /^\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\]$/);
    assert.deepEqual(
      [read.bucket, read.ip, read.sent, read.signature, read.authentication, read.hostHeader, read.uri],
      [
        'told',
        '127.0.0.1',
        '3',
        'SigV4',
        'AuthHeader',
        new URL(server.endpoint).host,
        '"GET /told/a/b%20c?x-id=GetObject HTTP/1.1"',
      ],
    );
    assert.match(read.agent, /^"aws-sdk-js/);
    assert.equal(read.owner.length, 64);
    assert.equal(anonymous.requester, '-');
    assert.equal(anonymous.signature, '-');
    assert.equal(unknown.requester, '-');
    if (server.accountId === server.parts.account) assert.equal(read.requester, owner);
  });

  it('are one line a request whatever a client sends, and hold nothing that signs', async () => {
    await make('hostile');
    const target = '/hostile/%0A%22x?X-Amz-Signature=abc&X-Amz-Securit%79-Token=def&a=%22';
    const headers = { 'user-agent': 'a" 200 - "b\\', referer: 'http://x/?Signature=ghi&b=1' };
    assert.equal((await fetch(`${server.endpoint}${target}`, { headers })).status >= 400, true);
    const [line] = await lines('hostile/');
    assert.ok(line);
    assert.equal(line.key, '%0A%22x');
    assert.equal(line.agent, '"a%22 200 - %22b\\"');
    assert.equal(
      line.uri,
      '"GET /hostile/%0A%22x?X-Amz-Signature=REDACTED&X-Amz-Securit%79-Token=REDACTED&a=%22 HTTP/1.1"',
    );
    assert.equal(line.referer, '"http://x/?Signature=REDACTED&b=1"');
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (key, userAgent, path) => {
        const request = { method: 'GET', target: path, httpVersion: '1.1' };
        const about = { ownerId: 'o', bucket: 'b', time: 0, sourceIp: '::1', requester: path, requestId: 'r' };
        const written = writeLogLine({
          ...about,
          operation: 'REST.GET.OBJECT',
          key,
          request,
          userAgent,
          host: userAgent,
        });
        parseLine(written);
        assert.match(written, /^[ -~]*$/);
      }),
      { numRuns: 300 },
    );
  });

  it('are of other days in other folders, by the day of the request or of the delivery', async () => {
    const folder = `days/${server.accountId}/us-east-1/days/`;
    await make('days', { TargetObjectKeyFormat: { PartitionedPrefix: { PartitionDateSource: 'EventTime' } } });
    await s3.send(new PutObjectCommand({ Bucket: 'days', Key: 'k', Body: 'x' }));
    const day = new Date(server.parts.now).toISOString().slice(0, 10);
    server.pass(86_400);
    await deliver();
    server.pass(-86_400);
    const [key = ''] = await keys('days/');
    assert.match(key.slice(folder.length), new RegExp(`^${day.replaceAll('-', '/')}/${day}-00-00-00-[0-9A-F]{16}$`));
    await s3.send(new CreateBucketCommand({ Bucket: 'delivered' }));
    const TargetObjectKeyFormat = { PartitionedPrefix: { PartitionDateSource: 'DeliveryTime' as const } };
    await log('delivered', { TargetBucket: 'logs', TargetPrefix: '', TargetObjectKeyFormat });
    await s3.send(new HeadObjectCommand({ Bucket: 'delivered', Key: 'k' })).catch(() => {});
    await deliver();
    const [other = ''] = await keys(`${server.accountId}/us-east-1/delivered/${day.replaceAll('-', '/')}/`);
    assert.match(other, /\/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$/);
  });

  it('go where the policy of the target lets them in, and wait until it does', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'closed' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'source' }));
    await log('source', { TargetBucket: 'closed', TargetPrefix: '' });
    await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'k', Body: 'x' }));
    await deliver();
    assert.deepEqual(await keys('', 'closed'), []);
    await letIn('closed', 'other');
    await deliver();
    assert.deepEqual(await keys('', 'closed'), []);
    await letIn('closed', 'source');
    await deliver();
    assert.equal((await keys('', 'closed')).length, 1);
    await deliver();
    assert.equal((await keys('', 'closed')).length, 1, 'nothing is delivered twice');
  });

  it('are encrypted as the target says, by a key that lets the service in', async () => {
    const kms = new KMSClient(server.clientConfig());
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata?.Arn ?? '';
    await s3.send(new CreateBucketCommand({ Bucket: 'sealed-logs' }));
    await letIn('sealed-logs');
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: KeyId };
    const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault }] };
    await s3.send(new PutBucketEncryptionCommand({ Bucket: 'sealed-logs', ServerSideEncryptionConfiguration }));
    await s3.send(new CreateBucketCommand({ Bucket: 'secret-source' }));
    await log('secret-source', { TargetBucket: 'sealed-logs', TargetPrefix: '' });
    await s3.send(new PutObjectCommand({ Bucket: 'secret-source', Key: 'k', Body: 'x' }));
    await deliver();
    assert.deepEqual(await keys('', 'sealed-logs'), []);
    const allow = (Principal: object, Action: string) => ({ Effect: 'Allow', Principal, Action, Resource: '*' });
    const Statement = [
      allow({ AWS: `arn:aws:iam::${server.accountId}:root` }, 'kms:*'),
      allow({ Service: 'logging.s3.amazonaws.com' }, 'kms:GenerateDataKey'),
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
    kms.destroy();
    await deliver();
    const [Key] = await keys('', 'sealed-logs');
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'sealed-logs', Key }));
    assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId], ['aws:kms', KeyId]);
  });

  it('are let in by the list of a bucket that has one, and are its grantees’', async () => {
    const Bucket = 'listed-logs';
    // The SDK's types do not know it.
    const ACL = 'log-delivery-write' as 'private';
    await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'ObjectWriter', ACL }));
    await s3.send(new CreateBucketCommand({ Bucket: 'listed' }));
    const URI = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
    const TargetGrants = [{ Grantee: { Type: 'Group' as const, URI }, Permission: 'READ' as const }];
    const given = { TargetBucket: Bucket, TargetPrefix: '', TargetGrants };
    await log('listed', given);
    const { LoggingEnabled } = await s3.send(new GetBucketLoggingCommand({ Bucket: 'listed' }));
    assert.deepEqual(LoggingEnabled, given);
    await deliver();
    const [Key] = await keys('', Bucket);
    const { Owner, Grants = [] } = await s3.send(new GetObjectAclCommand({ Bucket, Key }));
    assert.deepEqual(
      Grants.map(({ Grantee, Permission }) => [Grantee?.ID ?? Grantee?.URI, Permission]),
      [
        [Owner?.ID, 'FULL_CONTROL'],
        [URI, 'READ'],
      ],
    );
  });

  it('never tell of their own delivery', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'itself' }));
    await letIn('itself');
    await log('itself', { TargetBucket: 'itself', TargetPrefix: 'log/' });
    await s3.send(new PutObjectCommand({ Bucket: 'itself', Key: 'k', Body: 'x' }));
    await deliver();
    await deliver();
    const found = await keys('log/', 'itself');
    assert.equal(found.length, 1);
  });

  it('refuse what AWS refuses', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'refusing' }));
    const regional = new S3Client({ ...server.clientConfig(), region: 'eu-west-1' });
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' as const };
    await regional.send(new CreateBucketCommand({ Bucket: 'elsewhere', CreateBucketConfiguration }));
    regional.destroy();
    const base = { TargetBucket: 'logs', TargetPrefix: '' };
    const grant = { Grantee: { Type: 'CanonicalUser' as const, ID: 'a' }, Permission: 'READ' as const };
    const both = { SimplePrefix: {}, PartitionedPrefix: { PartitionDateSource: 'EventTime' as const } };
    const cases: readonly [string, LoggingEnabled][] = [
      ['InvalidTargetBucketForLogging', { ...base, TargetBucket: 'nowhere-to-be-found' }],
      ['CrossLocationLoggingProhibitted', { ...base, TargetBucket: 'elsewhere' }],
      ['AccessControlListNotSupported', { ...base, TargetGrants: [grant] }],
      ['MalformedXML', { ...base, TargetObjectKeyFormat: both }],
      ['InvalidArgument', { ...base, TargetBucket: 'listed-logs', TargetGrants: [grant] }],
      ['NotImplemented', { ...base, TargetBucket: 'listed-logs', TargetGrants: [{ ...grant, Permission: 'WRITE' }] }],
    ];
    for (const [name, given] of cases) await assert.rejects(log('refusing', given), { name }, JSON.stringify(given));
  });

  it('survive a restart before they were delivered', async () => {
    await make('kept');
    await s3.send(new PutObjectCommand({ Bucket: 'kept', Key: 'before', Body: 'x' }));
    await server.parts.services.s3.accessLog.flush();
    await server.parts.close();
    await server.parts.open();
    await server.parts.services.s3LogDelivery.deliver();
    await server.parts.services.s3.accessLog.flush();
    const rows = await server.parts.services.s3.store.listObjects(
      'logs',
      { key: 'kept/', isInclusive: true },
      'kept0',
      9,
    );
    assert.equal(rows.length, 1);
  });
});
