import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CofferHome } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';

const BUCKET = 'killed-by-the-test';
const ROUNDS = 3;
const PART = 5 * 1024 * 1024;

/** What a key may hold after the server was killed: what was acknowledged last, or what was sent since. */
class Expectations {
  readonly #allowed = new Map<string, Set<string>>();

  /** Before a request is sent; `undefined` for a deletion. */
  sent(key: string, content: Buffer | undefined): void {
    const allowed = this.#allowed.get(key) ?? new Set([ABSENT]);
    allowed.add(digestOf(content));
    this.#allowed.set(key, allowed);
  }

  /** After it was acknowledged: nothing else may be there now. */
  acknowledged(key: string, content: Buffer | undefined): void {
    this.#allowed.set(key, new Set([digestOf(content)]));
  }

  get keys(): string[] {
    return [...this.#allowed.keys()];
  }

  check(key: string, content: Buffer | undefined): void {
    const digest = digestOf(content);
    assert.ok(this.#allowed.get(key)?.has(digest), `${key} holds ${content?.length ?? 'no'} bytes that it should not`);
    this.#allowed.set(key, new Set([digest]));
  }
}

const ABSENT = 'absent';

function digestOf(content: Buffer | undefined): string {
  return content === undefined ? ABSENT : createHash('sha256').update(content).digest('hex');
}

it('keeps what was acknowledged, and shows nothing by halves, when it is killed over and over', async () => {
  await using home = await CofferHome.make();
  const expected = new Expectations();
  const acknowledgedKeys = new Set<string>();
  let keyId = '';

  for (let round = 0; round < ROUNDS; round++) {
    const server = await home.start();
    const config = await home.rootClientConfig();
    const s3 = new S3Client({ ...config, requestHandler: { httpAgent: { maxSockets: 1200 } } });
    const kms = new KMSClient(config);
    if (round === 0) {
      await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
      keyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    }
    let done = 0;
    const put = async (index: number) => {
      // Every third key is one that earlier rounds wrote too.
      const key = index % 3 === 0 ? `again/${index}` : `put/${round}/${index}`;
      const content = randomBytes(index % 4 === 0 ? 100_000 + index : 1000 + index);
      const how =
        index % 2 === 0 ? { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyId, BucketKeyEnabled: true } : {};
      expected.sent(key, content);
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: content, ...(how as object) }));
      expected.acknowledged(key, content);
      done++;
    };
    const remove = async (index: number) => {
      const key = `put/${round - 1}/${index * 3 + 1}`;
      if (round === 0) return;
      expected.sent(key, undefined);
      await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
      expected.acknowledged(key, undefined);
    };
    const upload = async (index: number) => {
      const key = `parts/${round}/${index}`;
      const content = randomBytes(PART + 200_000 + index);
      expected.sent(key, content);
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key }));
      const pieces = [content.subarray(0, PART), content.subarray(PART)];
      const Parts = await Promise.all(
        pieces.map(async (Body, at) => {
          const PartNumber = at + 1;
          const { ETag } = await s3.send(
            new UploadPartCommand({ Bucket: BUCKET, Key: key, UploadId, PartNumber, Body }),
          );
          return { PartNumber, ETag };
        }),
      );
      const MultipartUpload = { Parts };
      await s3.send(new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key: key, UploadId, MultipartUpload }));
      expected.acknowledged(key, content);
      done++;
    };
    const createKey = async () => {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      acknowledgedKeys.add(KeyMetadata?.Arn ?? '');
    };
    const work = Promise.allSettled([
      ...Array.from({ length: 15 }, (_, index) => upload(index)),
      ...Array.from({ length: 1000 }, (_, index) => put(index)),
      ...Array.from({ length: 50 }, createKey),
      ...Array.from({ length: 50 }, (_, index) => remove(index)),
    ]);
    while (done < 150 + 150 * round) await delay(5);
    const ended = await server.end('SIGKILL');
    assert.equal(ended.signal, 'SIGKILL');
    const outcomes = await work;
    assert.ok(
      outcomes.some((outcome) => outcome.status === 'rejected'),
      'it was killed amid the work',
    );
    s3.destroy();
    kms.destroy();
  }

  // What a crash may leave beside: files that no record names.
  const temporary = join(home.dataFolder, 'blobs', 'tmp', '0123456789abcdef0123456789abcdef');
  await writeFile(temporary, randomBytes(1000));
  const orphan = join(home.dataFolder, 'blobs', 's3', 'ab', 'abababababababababababababababab');
  await mkdir(join(home.dataFolder, 'blobs', 's3', 'ab'), { recursive: true });
  await writeFile(orphan, randomBytes(1000));
  await delay(20);

  const server = await home.start();
  const config = await home.rootClientConfig();
  const s3 = new S3Client({ ...config, maxAttempts: 3 });
  const kms = new KMSClient(config);
  const listed = await listAll(s3);
  let blobs = 0;
  const keys = [...new Set([...expected.keys, ...listed])];
  const visible = new Set(listed);
  const checkRest = async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
      const content = await read(s3, key);
      assert.equal(content !== undefined, visible.has(key), `${key} is listed if, and only if, it can be read`);
      expected.check(key, content);
      if (content !== undefined && content.length > 64 * 1024) blobs += key.startsWith('parts/') ? 2 : 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, checkRest));
  for (const arn of acknowledgedKeys) {
    assert.equal((await kms.send(new DescribeKeyCommand({ KeyId: arn }))).KeyMetadata?.Enabled, true);
  }

  // Uploads that were under way are there, to be continued or aborted; with them nothing but objects is left.
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  for (const { Key, UploadId } of Uploads) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId }));
  }
  const folder = join(home.dataFolder, 'blobs', 's3');
  for (let wait = 0; wait < 200 && (await filesUnder(folder)).length !== blobs; wait++) await delay(20);
  assert.equal((await filesUnder(folder)).length, blobs, 'no blob is left that no object has');
  assert.deepEqual(await readdir(join(home.dataFolder, 'blobs', 'tmp')), []);
  assert.equal((await home.run(['verify'])).code, 0);
  s3.destroy();
  kms.destroy();
  await server.end('SIGTERM');
});

async function read(s3: S3Client, key: string): Promise<Buffer | undefined> {
  try {
    const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    const content = Buffer.from((await Body?.transformToByteArray()) ?? []);
    assert.equal(ContentLength, content.length);
    return content;
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
    throw error;
  }
}

async function listAll(s3: S3Client): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, ContinuationToken: token }));
    keys.push(...(page.Contents ?? []).map((object) => object.Key ?? ''));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}
