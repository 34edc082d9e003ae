import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CofferHome, type RunningServer } from '../harness/coffer-home.ts';

const PART = 5 * 1024 * 1024;
const INSECURE = { COFFER_ALLOW_INSECURE_SSE_C: '1' };
const sseC = () => {
  const key = randomBytes(32);
  return {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: key.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
  };
};

describe('coffer rewrap', () => {
  let home: CofferHome;
  let server: RunningServer;
  let s3: S3Client;
  let kms: KMSClient;

  before(async () => {
    home = await CofferHome.make();
    await connect();
  });

  after(async () => {
    s3.destroy();
    kms.destroy();
    await server.end('SIGTERM');
    await home[Symbol.asyncDispose]();
  });

  async function connect(): Promise<void> {
    server = await home.start([], INSECURE);
    const config = await home.rootClientConfig();
    s3 = new S3Client({ ...config, forcePathStyle: true });
    kms = new KMSClient(config);
  }

  async function makeKey(): Promise<string> {
    return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  }

  async function read(Bucket: string, Key: string, VersionId?: string) {
    const answer = await s3.send(
      new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED', ...(VersionId !== undefined && { VersionId }) }),
    );
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  }

  it('moves every object, version and upload to another key; all are read as before, without the old keys', async () => {
    const Bucket = 'moved';
    const [old, fresh] = [await makeKey(), await makeKey()];
    const underOld = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: old } as const;
    await s3.send(new CreateBucketCommand({ Bucket }));
    const ways: Readonly<Record<string, Partial<PutObjectCommandInput>>> = {
      'sse-s3': { ChecksumAlgorithm: 'SHA256' },
      kms: { ...underOld, ChecksumAlgorithm: 'SHA1' },
      'kms-context': {
        ...underOld,
        SSEKMSEncryptionContext: Buffer.from('{"title":"seven"}').toString('base64'),
      },
      'bucket-key': { ...underOld, BucketKeyEnabled: true },
      dsse: { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: old, ChecksumAlgorithm: 'CRC32C' },
      class: { ...underOld, StorageClass: 'STANDARD_IA' },
    };
    const bodies = new Map<string, Buffer>();
    for (const [Key, way] of Object.entries(ways)) {
      for (const size of [9, 200_000]) {
        const body = randomBytes(size);
        bodies.set(`${Key}-${size}`, body);
        await s3.send(new PutObjectCommand({ Bucket, Key: `${Key}-${size}`, Body: body, ...way }));
      }
    }
    const parts = [randomBytes(PART), randomBytes(77)];
    const upload = async (Key: string, isComplete: boolean, way: object) => {
      const made = await s3.send(
        new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256', ...way }),
      );
      const { UploadId } = made;
      const done = [];
      for (const [index, Body] of parts.entries()) {
        const answer = await s3.send(
          new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1, Body, ChecksumAlgorithm: 'SHA256' }),
        );
        done.push({ ETag: answer.ETag, PartNumber: index + 1, ChecksumSHA256: answer.ChecksumSHA256 });
      }
      bodies.set(Key, Buffer.concat(parts));
      const complete = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: done } });
      if (isComplete) await s3.send(complete);
      return complete;
    };
    await upload('parts-sse-s3', true, {});
    await upload('parts-kms', true, underOld);
    await upload('parts-dsse', true, { ...underOld, ServerSideEncryption: 'aws:kms:dsse' });
    const unfinished = await upload('unfinished', false, underOld);
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const older = randomBytes(50);
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: older, ...underOld }));
    const newer = randomBytes(60);
    bodies.set('twice', newer);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: newer, ...underOld }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'customers', Body: 'own', ...sseC() }));
    const before = new Map<string, Awaited<ReturnType<typeof read>>>();
    for (const Key of bodies.keys()) if (Key !== 'unfinished') before.set(Key, await read(Bucket, Key));

    const first = await home.run(['rewrap', '--bucket', Bucket, '--key', fresh]);
    assert.equal(first.code, 0, first.stderr + first.stdout);
    assert.match(first.stdout, /^LEFT {2}s3:\/\/moved\/customers: only the customer has its key$/m);
    assert.match(first.stdout, /^ +18 {2}moved$/m);

    await kms.send(new DisableKeyCommand({ KeyId: old }));
    await s3.send(unfinished);
    for (const [Key, body] of bodies) {
      const now = await read(Bucket, Key);
      assert.deepEqual(now.bytes, body, Key);
      assert.equal(now.SSEKMSKeyId, fresh, Key);
      assert.equal(now.ETag, before.get(Key)?.ETag ?? now.ETag);
      const then = before.get(Key);
      if (then !== undefined) {
        assert.equal(now.ChecksumSHA256, then.ChecksumSHA256, Key);
        assert.equal(now.ChecksumSHA1, then.ChecksumSHA1, Key);
        assert.equal(now.ChecksumCRC32C, then.ChecksumCRC32C, Key);
        assert.equal(now.StorageClass, then.StorageClass, Key);
        assert.equal(now.ServerSideEncryption, Key.includes('dsse') ? 'aws:kms:dsse' : 'aws:kms', Key);
        assert.equal(now.BucketKeyEnabled ?? false, Key.includes('sse-s3') || Key.startsWith('bucket-key'), Key);
      }
    }
    assert.deepEqual((await read(Bucket, 'twice', VersionId)).bytes, older);

    const verified = await home.run(['verify', '--bucket', Bucket, '--json']);
    assert.equal(verified.code, 0, verified.stdout);
    const counts = (JSON.parse(verified.stdout) as { checked: Record<string, number> }).checked;
    assert.deepEqual(Object.values(counts), [20]);
    const again = await home.run(['rewrap', '--bucket', Bucket, '--key', fresh, '--json']);
    const report = JSON.parse(again.stdout) as Record<string, unknown>;
    assert.deepEqual([report['moved'], report['already'], report['customer']], [0, 18, 1]);
  });

  it('refuses a bucket or a key that is not there, and moves nothing', async () => {
    for (const args of [
      ['rewrap', '--bucket', 'nowhere', '--key', await makeKey()],
      ['rewrap', '--bucket', 'moved', '--key', 'alias/nothing'],
      ['verify', '--bucket', 'nowhere'],
    ]) {
      const { code, stderr } = await home.run(args);
      assert.equal(code, 1);
      assert.match(stderr, /There is no bucket nowhere|KMS refuses the key: .*alias\/nothing/);
    }
  });

  it('loses nothing when the server is killed in the middle, and goes on when it is run again', async () => {
    const Bucket = 'killed-while-moving';
    const COUNT = 400;
    const fresh = await makeKey();
    await s3.send(new CreateBucketCommand({ Bucket }));
    const put = (index: number) => s3.send(new PutObjectCommand({ Bucket, Key: `${index}`, Body: `content ${index}` }));
    for (let index = 0; index < COUNT; index += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, offset) => put(index + offset)));
    }
    const command = home.begin(['rewrap', '--bucket', Bucket, '--key', fresh]);
    const head = () => s3.send(new HeadObjectCommand({ Bucket, Key: '1' }));
    while ((await head()).SSEKMSKeyId === undefined);
    await server.end('SIGKILL');
    assert.notEqual((await command.ended).code, 0);
    await connect();
    const keys = [];
    for (let index = 0; index < COUNT; index += 1) {
      const { bytes, SSEKMSKeyId } = await read(Bucket, `${index}`);
      assert.equal(bytes.toString(), `content ${index}`);
      keys.push(SSEKMSKeyId);
    }
    const moved = keys.filter((key) => key === fresh).length;
    assert.ok(moved > 0);
    const again = await home.run(['rewrap', '--bucket', Bucket, '--key', fresh, '--json']);
    const report = JSON.parse(again.stdout) as Record<string, unknown>;
    assert.deepEqual([report['moved'], report['already']], [COUNT - moved, moved]);
  });
});
