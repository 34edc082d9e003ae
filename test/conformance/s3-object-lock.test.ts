import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  type ObjectLockConfiguration,
  type ObjectLockRetention,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { IAMClient } from '@aws-sdk/client-iam';
import fc from 'fast-check';
import { makeUser, policyOf } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const DAY = 24 * 3600 * 1000;
const Key = 'film';

let platform: TestPlatform;
let s3: S3Client;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

async function newBucket(isLocked = true): Promise<string> {
  const Bucket = `locks-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: isLocked }));
  return Bucket;
}

function inDays(days: number): Date {
  return new Date(Math.floor((Date.now() + days * DAY) / 1000) * 1000);
}

async function put(Bucket: string, lock: Partial<PutObjectCommand['input']> = {}): Promise<string> {
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'frames', ...lock }));
  assert.ok(VersionId);
  return VersionId;
}

function remove(Bucket: string, VersionId: string, BypassGovernanceRetention?: boolean) {
  return s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
}

function retain(Bucket: string, VersionId: string, Retention: ObjectLockRetention, isBypassed?: boolean) {
  const input = { Bucket, Key, VersionId, Retention, BypassGovernanceRetention: isBypassed };
  return s3.send(new PutObjectRetentionCommand(input));
}

function configure(Bucket: string, ObjectLockConfiguration: ObjectLockConfiguration) {
  return s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
}

async function refused(work: Promise<unknown>, name: string, status: number): Promise<void> {
  await assert.rejects(work, (error: { name: string; $metadata: { httpStatusCode: number } }) => {
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status]);
    return true;
  });
}

async function aws(...args: string[]): Promise<void> {
  const { accessKeyId, secretAccessKey } = platform.clientConfig().credentials;
  const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const common = ['--endpoint-url', platform.endpoint, '--region', 'us-east-1'];
  await promisify(execFile)('aws', [...common, 's3api', ...args], { env });
}

test('a bucket with object lock keeps its versions, and its default retention is given to what is written', async () => {
  const plain = await newBucket(false);
  const days = (Days: number): ObjectLockConfiguration => ({
    ObjectLockEnabled: 'Enabled',
    Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days } },
  });
  await refused(configure(plain, days(1)), 'InvalidBucketState', 409);
  const get = (Bucket: string) => s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
  await refused(get(plain), 'ObjectLockConfigurationNotFoundError', 404);
  const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inDays(1) } as const;
  await refused(put(plain, lock), 'InvalidRequest', 400);
  await refused(s3.send(new GetObjectRetentionCommand({ Bucket: plain, Key })), 'InvalidRequest', 400);

  const Bucket = await newBucket();
  assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, 'Enabled');
  const suspend = { Bucket, VersioningConfiguration: { Status: 'Suspended' } } as const;
  await refused(s3.send(new PutBucketVersioningCommand(suspend)), 'InvalidBucketState', 409);
  assert.deepEqual((await get(Bucket)).ObjectLockConfiguration, { ObjectLockEnabled: 'Enabled' });
  await refused(configure(Bucket, days(0)), 'InvalidRetentionPeriod', 400);
  const both = { Mode: 'GOVERNANCE', Days: 1, Years: 1 } as const;
  await refused(
    configure(Bucket, { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: both } }),
    'MalformedXML',
    400,
  );
  await configure(Bucket, days(3));
  assert.deepEqual((await get(Bucket)).ObjectLockConfiguration, days(3));
  const VersionId = await put(Bucket);
  const { Retention } = await s3.send(new GetObjectRetentionCommand({ Bucket, Key }));
  assert.equal(Retention?.Mode, 'GOVERNANCE');
  const left = (Retention?.RetainUntilDate?.getTime() ?? 0) - Date.now();
  assert.ok(left > 2.9 * DAY && left <= 3 * DAY);
  await refused(remove(Bucket, VersionId), 'AccessDenied', 403);
  const copied = {
    Bucket,
    Key: 'copy',
    CopySource: `${Bucket}/${Key}`,
    ...lock,
    ObjectLockMode: 'COMPLIANCE',
  } as const;
  await s3.send(new CopyObjectCommand(copied));
  const copy = await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }));
  assert.deepEqual(
    [copy.ObjectLockMode, copy.ObjectLockRetainUntilDate],
    ['COMPLIANCE', lock.ObjectLockRetainUntilDate],
  );
  const bare = new S3Client({ ...platform.clientConfig(), requestChecksumCalculation: 'WHEN_REQUIRED' });
  await refused(bare.send(new PutObjectCommand({ Bucket, Key, Body: 'frames' })), 'InvalidRequest', 400);
  bare.destroy();
});

test('to pass by locks where there are none is refused of one key, and nothing said of many', async () => {
  const Bucket = `unlocked-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'a' }));
  const target = { Bucket, BypassGovernanceRetention: true };
  await refused(s3.send(new DeleteObjectCommand({ ...target, Key })), 'InvalidArgument', 400);
  const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ ...target, Delete: { Objects: [{ Key }] } }));
  assert.deepEqual([Deleted, Errors], [[{ Key }], undefined]);
});

test('nobody shortens or removes COMPLIANCE; GOVERNANCE goes for those who may pass by it and say so', async () => {
  const Bucket = await newBucket();
  const until = inDays(2);
  const kept = await put(Bucket, { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until });
  await refused(remove(Bucket, kept, true), 'AccessDenied', 403);
  await refused(retain(Bucket, kept, { Mode: 'COMPLIANCE', RetainUntilDate: inDays(1) }, true), 'AccessDenied', 403);
  await refused(retain(Bucket, kept, { Mode: 'GOVERNANCE', RetainUntilDate: inDays(9) }, true), 'AccessDenied', 403);
  await refused(retain(Bucket, kept, {}, true), 'AccessDenied', 403);
  const Objects = [{ Key, VersionId: kept }];
  const batch = { Bucket, Delete: { Objects }, BypassGovernanceRetention: true };
  assert.equal((await s3.send(new DeleteObjectsCommand(batch))).Errors?.[0]?.Code, 'AccessDenied');
  const Tagging = { TagSet: [{ Key: 'a', Value: 'b' }] };
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging }));
  await retain(Bucket, kept, { Mode: 'COMPLIANCE', RetainUntilDate: inDays(3) });
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  assert.equal(marker.DeleteMarker, true);
  await remove(Bucket, marker.VersionId ?? '');
  const read = await s3.send(new GetObjectCommand({ Bucket, Key }));
  assert.equal(await read.Body?.transformToString(), 'frames');
  assert.equal(read.ObjectLockMode, 'COMPLIANCE');
  assert.ok((read.ObjectLockRetainUntilDate ?? 0) > inDays(2.9));

  const governed = await put(Bucket, { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until });
  await refused(remove(Bucket, governed), 'AccessDenied', 403);
  await refused(retain(Bucket, governed, { Mode: 'GOVERNANCE', RetainUntilDate: inDays(1) }), 'AccessDenied', 403);
  await refused(retain(Bucket, governed, { Mode: 'COMPLIANCE', RetainUntilDate: until }), 'AccessDenied', 403);
  await refused(
    retain(Bucket, governed, { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() - 1000) }),
    'InvalidArgument',
    400,
  );
  await retain(Bucket, governed, { Mode: 'GOVERNANCE', RetainUntilDate: inDays(1) }, true);
  await remove(Bucket, governed, true);
});

test('a legal hold keeps a version, with or without a retention, in uploads of parts too', async () => {
  const Bucket = await newBucket();
  const hold = (VersionId: string, Status: 'ON' | 'OFF') =>
    s3.send(new PutObjectLegalHoldCommand({ Bucket, Key, VersionId, LegalHold: { Status } }));
  const held = await put(Bucket);
  await refused(s3.send(new GetObjectLegalHoldCommand({ Bucket, Key })), 'NoSuchObjectLockConfiguration', 404);
  await hold(held, 'ON');
  assert.equal((await s3.send(new GetObjectLegalHoldCommand({ Bucket, Key }))).LegalHold?.Status, 'ON');
  await refused(remove(Bucket, held, true), 'AccessDenied', 403);
  await put(Bucket);
  await hold(held, 'OFF');
  await remove(Bucket, held);

  const lock = { ObjectLockLegalHoldStatus: 'ON', ObjectLockMode: 'GOVERNANCE' } as const;
  const begun = { Bucket, Key, ...lock, ObjectLockRetainUntilDate: inDays(1) };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(begun));
  const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'frames' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
  const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  const VersionId = done.VersionId ?? '';
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  assert.deepEqual([head.ObjectLockMode, head.ObjectLockLegalHoldStatus], ['GOVERNANCE', 'ON']);
  await refused(remove(Bucket, VersionId, true), 'AccessDenied', 403);
  await hold(VersionId, 'OFF');
  await remove(Bucket, VersionId, true);
});

test('policies decide who passes by GOVERNANCE, who sees locks, and for how long users may lock', async () => {
  const Bucket = await newBucket();
  const people = new IAMClient(platform.clientConfig());
  const theirs = new S3Client(platform.clientConfig(await makeUser(people, 'archivist')));
  people.destroy();
  const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
  const Principal = { AWS: `arn:aws:iam::${platform.accountId}:user/archivist` };
  const allow = (Action: string[], Condition?: object) => ({ Effect: 'Allow', Principal, Action, Resource, Condition });
  const setPolicy = (...statements: object[]) =>
    s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(...statements) }));
  await setPolicy(
    allow(['s3:GetObject*', 's3:PutObject', 's3:DeleteObjectVersion']),
    allow(['s3:PutObjectRetention'], {
      NumericLessThanEquals: { 's3:object-lock-remaining-retention-days': '10' },
      StringEquals: { 's3:object-lock-mode': 'GOVERNANCE' },
      DateLessThan: { 's3:object-lock-retain-until-date': '2200-01-01T00:00:00Z' },
    }),
  );
  const write = (ObjectLockMode: 'GOVERNANCE' | 'COMPLIANCE', days: number) => {
    const lock = { ObjectLockMode, ObjectLockRetainUntilDate: inDays(days) };
    return theirs.send(new PutObjectCommand({ Bucket, Key, Body: 'a', ...lock }));
  };
  await refused(write('COMPLIANCE', 1), 'AccessDenied', 403);
  await refused(write('GOVERNANCE', 11), 'AccessDenied', 403);
  const { VersionId = '' } = await write('GOVERNANCE', 10);
  const removal = { Bucket, Key, VersionId, BypassGovernanceRetention: true };
  await refused(theirs.send(new DeleteObjectCommand(removal)), 'AccessDenied', 403);
  assert.equal((await theirs.send(new HeadObjectCommand({ Bucket, Key }))).ObjectLockMode, 'GOVERNANCE');
  await setPolicy(allow(['s3:GetObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention']));
  assert.equal((await theirs.send(new HeadObjectCommand({ Bucket, Key }))).ObjectLockMode, undefined);
  await theirs.send(new DeleteObjectCommand(removal));
  theirs.destroy();
});

test('the AWS CLI locks, and lets go', async () => {
  const Bucket = await newBucket();
  const VersionId = await put(Bucket);
  const place = ['--bucket', Bucket, '--key', Key, '--version-id', VersionId];
  await aws(
    'put-object-retention',
    ...place,
    '--retention',
    `Mode=GOVERNANCE,RetainUntilDate=${inDays(1).toISOString()}`,
  );
  await refused(remove(Bucket, VersionId), 'AccessDenied', 403);
  await aws('delete-object', ...place, '--bypass-governance-retention');
  await refused(s3.send(new HeadObjectCommand({ Bucket, Key, VersionId })), 'NotFound', 404);
});

type Step =
  | { readonly kind: 'put' | 'hide' | 'tag' | 'suspend' | 'default' | 'copy' }
  | { readonly kind: 'remove' | 'batch'; readonly isBypassed: boolean }
  | { readonly kind: 'retain'; readonly days: number; readonly mode: 'GOVERNANCE' | 'COMPLIANCE' | undefined }
  | { readonly kind: 'hold'; readonly status: 'ON' | 'OFF' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put', 'hide', 'tag', 'suspend', 'default', 'copy') }),
  fc.record({ kind: fc.constantFrom('remove', 'batch'), isBypassed: fc.boolean() }),
  fc.record({
    kind: fc.constant('retain' as const),
    days: fc.integer({ min: 1, max: 30 }),
    mode: fc.constantFrom('GOVERNANCE', 'COMPLIANCE', undefined),
  }),
  fc.record({ kind: fc.constant('hold' as const), status: fc.constantFrom('ON', 'OFF') }),
);

test('no sequence of requests, the root user’s with bypass either, removes a version under COMPLIANCE before its date', async () => {
  const run = async (Bucket: string, VersionId: string, move: Step): Promise<unknown> => {
    switch (move.kind) {
      case 'put':
        return put(Bucket);
      case 'hide':
        return s3.send(new DeleteObjectCommand({ Bucket, Key }));
      case 'tag':
        return s3.send(new PutObjectTaggingCommand({ Bucket, Key, VersionId, Tagging: { TagSet: [] } }));
      case 'suspend':
        return s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }));
      case 'default':
        return configure(Bucket, { ObjectLockEnabled: 'Enabled' });
      case 'copy': {
        const CopySource = `${Bucket}/${Key}?versionId=${VersionId}`;
        return s3.send(new CopyObjectCommand({ Bucket, Key, CopySource, MetadataDirective: 'REPLACE' }));
      }
      case 'remove':
        return remove(Bucket, VersionId, move.isBypassed);
      case 'batch': {
        const Delete = { Objects: [{ Key, VersionId }, { Key }] };
        return s3.send(new DeleteObjectsCommand({ Bucket, Delete, BypassGovernanceRetention: move.isBypassed }));
      }
      case 'retain':
        return retain(
          Bucket,
          VersionId,
          move.mode ? { Mode: move.mode, RetainUntilDate: inDays(move.days) } : {},
          true,
        );
      case 'hold': {
        const LegalHold = { Status: move.status };
        return s3.send(new PutObjectLegalHoldCommand({ Bucket, Key, VersionId, LegalHold }));
      }
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 15 }), fc.boolean(), async (steps, isParallel) => {
      const Bucket = await newBucket();
      const until = inDays(5);
      const kept = await put(Bucket, { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until });
      if (isParallel) await Promise.allSettled(steps.map((move) => run(Bucket, kept, move)));
      else for (const move of steps) await run(Bucket, kept, move).catch(() => undefined);
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, VersionId: kept }));
      assert.equal(head.ObjectLockMode, 'COMPLIANCE');
      assert.ok((head.ObjectLockRetainUntilDate ?? 0) >= until);
      const read = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId: kept }));
      assert.equal(await read.Body?.transformToString(), 'frames');
    }),
    { numRuns: 25 },
  );
});
