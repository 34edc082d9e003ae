import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
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

async function newBucket(): Promise<string> {
  const Bucket = `listings-${randomBytes(6).toString('hex')}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

async function put(Bucket: string, ...keys: readonly string[]): Promise<void> {
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
}

for (const Status of ['Enabled', undefined] as const) {
  const bucket = Status === undefined ? 'a bucket without versions' : 'a bucket with versions';
  test(`${bucket} is emptied page by page, each page removed before the next is asked for`, async () => {
    const Bucket = await newBucket();
    if (Status !== undefined) {
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    }
    for (let round = 0; round < 3; round += 1) await put(Bucket, 'a', 'b', 'c/1', 'c/2');
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }));
      const Objects = (page.Versions ?? []).map(({ Key, VersionId }) => ({ Key, VersionId }));
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });
}

test('a version marker that cannot be one is refused', async () => {
  const Bucket = await newBucket();
  await put(Bucket, 'a');
  const listing = s3.send(new ListObjectVersionsCommand({ Bucket, KeyMarker: 'a', VersionIdMarker: 'nothing' }));
  await assert.rejects(listing, { name: 'InvalidArgument', message: 'Invalid version id specified' });
});

test('the restore status may be asked for: nothing here was archived', async () => {
  const Bucket = await newBucket();
  await put(Bucket, 'a');
  const ask = { Bucket, OptionalObjectAttributes: ['RestoreStatus' as const] };
  for (const listed of [
    (await s3.send(new ListObjectsCommand(ask))).Contents,
    (await s3.send(new ListObjectsV2Command(ask))).Contents,
    (await s3.send(new ListObjectVersionsCommand(ask))).Versions,
  ]) {
    assert.deepEqual(
      listed?.map(({ Key, RestoreStatus }) => [Key, RestoreStatus]),
      [['a', undefined]],
    );
  }
  const other = new ListObjectsV2Command({ Bucket, OptionalObjectAttributes: ['Other' as 'RestoreStatus'] });
  await assert.rejects(s3.send(other), { name: 'InvalidArgument' });
});

test('an empty delimiter is none, and is not repeated', async () => {
  const Bucket = await newBucket();
  await put(Bucket, 'a', 'b/1');
  const page = { Bucket, Delimiter: '', MaxKeys: 1 };
  for (const { Delimiter, IsTruncated } of [
    await s3.send(new ListObjectsCommand(page)),
    await s3.send(new ListObjectsV2Command(page)),
    await s3.send(new ListObjectVersionsCommand(page)),
  ]) {
    assert.equal(Delimiter, undefined);
    assert.equal(IsTruncated, true);
  }
  assert.equal((await s3.send(new ListObjectsCommand(page))).NextMarker, undefined);
});

test('folders of any delimiter are found one behind another, among keys that are in none', async () => {
  const Bucket = await newBucket();
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const keys = [
    'a',
    'a/1',
    'a/2',
    'a//1',
    'b/1',
    'b\0/1',
    'b\0c',
    'c',
    'é/1',
    'é/é/2',
    '\u{1f600}/1',
    '\u{10ffff}/1',
    'x\u{10ffff}y',
  ];
  await Promise.all(keys.map((key) => put(Bucket, key)));
  // Nothing but versions under some of them.
  for (const Key of ['b/1', 'é/1']) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
  const isLeft = (key: string) => key !== 'b/1' && key !== 'é/1';
  for (const Delimiter of ['/', '//', 'é', '\u{1f600}', '\u{10ffff}', '1', '\0', '/é/']) {
    for (const Prefix of ['', 'a', 'é', 'b\0']) {
      const cut = (key: string) => {
        const at = key.indexOf(Delimiter, Prefix.length);
        return at < 0 ? key : key.slice(0, at + Delimiter.length);
      };
      const wanted = (of: readonly string[]) =>
        [...new Set(of.filter((key) => key.startsWith(Prefix)).map(cut))].toSorted((a, b) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
      for (const MaxKeys of [1000, 2]) {
        const objects: string[] = [];
        let ContinuationToken: string | undefined;
        do {
          const page = await s3.send(
            new ListObjectsV2Command({ Bucket, Prefix, Delimiter, MaxKeys, ContinuationToken, EncodingType: 'url' }),
          );
          objects.push(...decoded(page.Contents?.map(({ Key }) => Key)));
          objects.push(...decoded(page.CommonPrefixes?.map((common) => common.Prefix)));
          ContinuationToken = page.NextContinuationToken;
        } while (ContinuationToken !== undefined);
        const sorted = objects.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        assert.deepEqual(sorted, wanted(keys.filter(isLeft)), JSON.stringify({ Delimiter, Prefix, MaxKeys }));
      }
      const all = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix, Delimiter, EncodingType: 'url' }));
      const listed = [
        ...decoded([...(all.Versions ?? []), ...(all.DeleteMarkers ?? [])].map(({ Key }) => Key)),
        ...decoded(all.CommonPrefixes?.map((common) => common.Prefix)),
      ];
      assert.deepEqual(
        [...new Set(listed)].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        wanted(keys),
      );
    }
  }
});

function decoded(names: readonly (string | undefined)[] | undefined): string[] {
  return (names ?? []).map((name) => decodeURIComponent((name ?? '').replaceAll('+', ' ')));
}
