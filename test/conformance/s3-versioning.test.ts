import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

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

async function newBucket(status?: 'Enabled' | 'Suspended'): Promise<string> {
  const Bucket = `versions-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  if (status !== undefined) await setVersioning(Bucket, status);
  return Bucket;
}

async function setVersioning(Bucket: string, Status: 'Enabled' | 'Suspended'): Promise<void> {
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
}

async function put(Bucket: string, Key: string, Body: string): Promise<string | undefined> {
  return (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
}

async function get(Bucket: string, Key: string, VersionId?: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return (await Body?.transformToString()) ?? '';
}

interface Refusal {
  readonly name: string;
  readonly $response?: { readonly headers: Record<string, string> };
  readonly $metadata: { readonly httpStatusCode?: number };
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, 'the call was not refused');
  return error as unknown as Refusal;
}

test('keeps each version under its id, hides them behind a delete marker, and brings them back', async () => {
  const Bucket = await newBucket();
  assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, undefined);
  assert.equal(await put(Bucket, 'film', 'before'), undefined);
  await setVersioning(Bucket, 'Enabled');
  assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, 'Enabled');
  const first = await put(Bucket, 'film', 'one');
  const second = await put(Bucket, 'film', 'x'.repeat(100_000));
  assert.ok(first && second && first !== second);
  assert.equal(await get(Bucket, 'film', 'null'), 'before');
  assert.equal(await get(Bucket, 'film', first), 'one');
  assert.equal((await get(Bucket, 'film')).length, 100_000);
  assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: 'film', VersionId: first }))).VersionId, first);

  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'film' }));
  assert.equal(marker.DeleteMarker, true);
  const hidden = await refusal(get(Bucket, 'film'));
  assert.equal(hidden.name, 'NoSuchKey');
  assert.equal(hidden.$response?.headers['x-amz-delete-marker'], 'true');
  assert.equal(hidden.$response?.headers['x-amz-version-id'], marker.VersionId);
  const notReadable = await refusal(get(Bucket, 'film', marker.VersionId));
  assert.equal(notReadable.name, 'MethodNotAllowed');
  assert.equal(notReadable.$metadata.httpStatusCode, 405);
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
  assert.equal((await refusal(s3.send(new DeleteBucketCommand({ Bucket })))).name, 'BucketNotEmpty');

  const undone = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'film', VersionId: marker.VersionId }));
  assert.deepEqual([undone.DeleteMarker, undone.VersionId], [true, marker.VersionId]);
  assert.equal((await get(Bucket, 'film')).length, 100_000);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'film', VersionId: second }));
  assert.equal(await get(Bucket, 'film'), 'one');
  assert.equal((await refusal(get(Bucket, 'film', second))).name, 'NoSuchVersion');

  const CopySource = `${Bucket}/film?versionId=null`;
  const copy = await s3.send(new CopyObjectCommand({ Bucket, Key: 'film', CopySource }));
  assert.equal(copy.CopySourceVersionId, 'null');
  assert.equal(await get(Bucket, 'film'), 'before');
});

test('a suspended bucket writes over the version without an id alone', async () => {
  const Bucket = await newBucket('Enabled');
  const kept = await put(Bucket, 'film', 'kept');
  await setVersioning(Bucket, 'Suspended');
  await put(Bucket, 'film', 'null one');
  await put(Bucket, 'film', 'null two');
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  assert.deepEqual(
    Versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
    [
      ['null', true],
      [kept, false],
    ],
  );
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'film' }));
  assert.deepEqual([marker.DeleteMarker, marker.VersionId], [true, 'null']);
  assert.equal(await get(Bucket, 'film', kept), 'kept');
  assert.equal((await refusal(get(Bucket, 'film', 'null'))).name, 'MethodNotAllowed');
});

test('tags belong to a version, and batches remove versions', async () => {
  const Bucket = await newBucket('Enabled');
  const first = await put(Bucket, 'film', 'one');
  const second = await put(Bucket, 'film', 'two');
  const TagSet = [{ Key: 'reel', Value: 'a' }];
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'film', VersionId: first, Tagging: { TagSet } }));
  const tagsOf = async (VersionId?: string) =>
    (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'film', VersionId }))).TagSet;
  assert.deepEqual(await tagsOf(first), TagSet);
  assert.deepEqual(await tagsOf(), []);
  const Objects = [{ Key: 'film', VersionId: second }, { Key: 'film', VersionId: first }, { Key: 'new' }];
  const { Deleted = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.deepEqual(Deleted.slice(0, 2), Objects.slice(0, 2));
  const [, , marker] = Deleted;
  assert.equal(marker?.DeleteMarker, true);
  const markerId = marker?.DeleteMarkerVersionId;
  assert.equal(marker?.VersionId, undefined);
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'new', VersionId: markerId }] } }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

test('the right to an object is not the right to its versions', async () => {
  const Bucket = await newBucket('Enabled');
  const version = await put(Bucket, 'film', 'one');
  const statement = {
    Effect: 'Deny',
    Principal: '*',
    Action: ['s3:GetObjectVersion', 's3:DeleteObjectVersion'],
    Resource: `arn:aws:s3:::${Bucket}/*`,
    Condition: { StringEquals: { 's3:VersionId': version } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  assert.equal(await get(Bucket, 'film'), 'one');
  assert.equal((await refusal(get(Bucket, 'film', version))).name, 'AccessDenied');
  const gone = await refusal(s3.send(new DeleteObjectCommand({ Bucket, Key: 'film', VersionId: version })));
  assert.equal(gone.name, 'AccessDenied');
  const other = await put(Bucket, 'film', 'two');
  assert.equal(await get(Bucket, 'film', other), 'two');
});

test('lists versions in pages of any size, the newest of a key first', async () => {
  const Bucket = await newBucket('Enabled');
  for (const key of ['a', 'b/1', 'b/2', 'c']) for (const body of ['1', '2', '3']) await put(Bucket, key, key + body);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'c' }));
  const whole = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  const entries = (output: typeof whole) =>
    [...(output.Versions ?? []), ...(output.DeleteMarkers ?? [])].map(({ Key, VersionId, IsLatest }) =>
      [Key, VersionId, IsLatest].join(),
    );
  const all = entries(whole);
  assert.equal(all.length, 13);
  assert.equal(all.filter((entry) => entry.endsWith('true')).length, 4);
  for (const MaxKeys of [1, 2, 5]) {
    const found: string[] = [];
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys, ...markers }));
      found.push(...entries(page));
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    assert.deepEqual(found.toSorted(), all.toSorted(), `pages of ${MaxKeys}`);
  }
  const folders = await s3.send(new ListObjectVersionsCommand({ Bucket, Delimiter: '/' }));
  assert.deepEqual(folders.CommonPrefixes, [{ Prefix: 'b/' }]);
  assert.equal((folders.Versions?.length ?? 0) + (folders.DeleteMarkers?.length ?? 0), 7);
});

/** One key, as the S3 user guide describes it. */
class Model {
  status: 'Never' | 'Enabled' | 'Suspended' = 'Never';
  versions: { id: string; body: string | undefined }[] = [];

  write(id: string | undefined, body: string | undefined): void {
    const name = id ?? 'null';
    if (name === 'null') this.versions = this.versions.filter((version) => version.id !== 'null');
    this.versions.unshift({ id: name, body });
  }

  remove(id: string): void {
    this.versions = this.versions.filter((version) => version.id !== id);
  }
}

async function checkCurrent(Bucket: string, { versions: [newest] }: Model): Promise<void> {
  if (newest?.body === undefined) assert.equal((await refusal(get(Bucket, 'k'))).name, 'NoSuchKey');
  else assert.equal(await get(Bucket, 'k'), newest.body);
}

test('whatever is written, hidden and removed, what is left is what the guide says', async () => {
  const step = fc.oneof(
    fc.constant({ kind: 'put' as const }),
    fc.constant({ kind: 'hide' as const }),
    fc.record({ kind: fc.constant('remove' as const), index: fc.nat(2) }),
    fc.record({ kind: fc.constant('set' as const), status: fc.constantFrom('Enabled' as const, 'Suspended' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 14 }), async (isEnabled, steps) => {
      const Bucket = await newBucket(isEnabled ? 'Enabled' : undefined);
      const model = new Model();
      if (isEnabled) model.status = 'Enabled';
      let count = 0;
      for (const next of steps) {
        if (next.kind === 'set') {
          await setVersioning(Bucket, next.status);
          model.status = next.status;
        } else if (next.kind === 'put') {
          const body = `body ${count++}`;
          model.write(await put(Bucket, 'k', body), body);
        } else if (next.kind === 'hide') {
          const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
          if (model.status === 'Never') model.remove('null');
          else model.write(VersionId, undefined);
        } else {
          const VersionId = model.versions[next.index]?.id;
          if (VersionId === undefined) continue;
          await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId }));
          model.remove(VersionId);
        }
        await checkCurrent(Bucket, model);
      }
      const output = await s3.send(new ListObjectVersionsCommand({ Bucket }));
      const listed = [...(output.Versions ?? []), ...(output.DeleteMarkers ?? [])];
      assert.deepEqual(
        listed.map(({ VersionId = '' }) => VersionId).toSorted(),
        model.versions.map(({ id }) => id).toSorted(),
      );
      const [newest] = model.versions;
      assert.deepEqual(
        listed.filter(({ IsLatest }) => IsLatest).map(({ VersionId }) => VersionId),
        newest === undefined ? [] : [newest.id],
      );
      for (const { id, body } of model.versions) if (body !== undefined) assert.equal(await get(Bucket, 'k', id), body);
    }),
    { numRuns: 60 },
  );
});
