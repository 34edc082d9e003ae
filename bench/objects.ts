import { crc32 } from 'node:zlib';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type Load, type LoadResult, runLoad } from './load.ts';
import { type BenchServer, startBareServer, startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

export const BUCKET = 'bench';
const LARGE = 256 * 1024 * 1024;
const SMALL = 4 * 1024;
const SMALL_OBJECTS = 4000;
const CONNECTIONS = 32;
const ROUNDS = 5;

/** Objects of 256 MiB on one connection and of 4 KiB on 32, SSE-KMS with a bucket key, against a bare `node:http`. */
export async function benchObjects(): Promise<Result[]> {
  const bare = await startBareServer();
  const coffer = await startCoffer();
  const s3 = await prepareBucket(coffer);
  try {
    const body = Buffer.alloc(LARGE, 0xa5);
    // As the SDKs send it by default.
    const checksum = checksumOf(body);
    const headers = { 'x-amz-checksum-crc32': checksum };
    // A new object each time: what an overwrite costs beyond that is the removal of the old one's file.
    let objects = 0;
    const large = (method: 'get' | 'put') =>
      signed(s3, method, [`large-${method === 'put' ? objects++ : 0}`], checksum);
    const bareLarge = (method: 'GET' | 'PUT'): Load => ({
      method,
      urls: [`${bare.endpoint}/${LARGE}`],
      connections: 1,
      ...(method === 'PUT' ? { body } : {}),
    });
    const put = await compare(
      async () => ({ method: 'PUT', urls: await large('put'), headers, body, connections: 1 }),
      async () => bareLarge('PUT'),
    );
    const get = await compare(
      async () => ({ method: 'GET', urls: await large('get'), connections: 1 }),
      async () => bareLarge('GET'),
    );
    const smallBody = Buffer.alloc(SMALL, 0x5a);
    let round = 0;
    const keys = (prefix: string) => Array.from({ length: SMALL_OBJECTS }, (_, i) => `${prefix}/${i}`);
    const smallPut = await compare(
      async () => ({
        method: 'PUT',
        urls: await signed(s3, 'put', keys(`small-${round++}`)),
        body: smallBody,
        connections: CONNECTIONS,
      }),
      async () => ({
        method: 'PUT',
        urls: keys('').map((key) => bare.endpoint + key),
        body: smallBody,
        connections: CONNECTIONS,
      }),
    );
    const smallGet = await compare(
      async () => ({ method: 'GET', urls: await signed(s3, 'get', keys('small-0')), connections: CONNECTIONS }),
      async () => ({ method: 'GET', urls: keys('').map(() => `${bare.endpoint}/${SMALL}`), connections: CONNECTIONS }),
    );
    return [
      resultOf('GET 256 MiB, 1 connection', get, 0.4, 'MB/s'),
      resultOf('PUT 256 MiB, 1 connection', put, 0.25, 'MB/s'),
      resultOf('GET 4 KiB, 32 connections', smallGet, 0.15, 'requests/s'),
      resultOf('PUT 4 KiB, 32 connections', smallPut, 0.06, 'requests/s'),
    ];
  } finally {
    s3.destroy();
    await coffer.stop();
    await bare.stop();
  }
}

interface Comparison {
  readonly ours: readonly LoadResult[];
  readonly theirs: readonly LoadResult[];
}

/** Both in turn, round by round after one that does not count, so that a machine that slows down slows both. */
async function compare(ours: () => Promise<Load>, theirs: () => Promise<Load>): Promise<Comparison> {
  const result = { ours: [] as LoadResult[], theirs: [] as LoadResult[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const [mine, other] = [await runLoad(await ours()), await runLoad(await theirs())];
    if (round === 0) continue;
    result.ours.push(mine);
    result.theirs.push(other);
  }
  return result;
}

function resultOf(name: string, { ours, theirs }: Comparison, target: number, unit: 'MB/s' | 'requests/s'): Result {
  const rate = (load: LoadResult) => (unit === 'MB/s' ? load.bytes / 1e6 : load.requests) / load.seconds;
  const ratios = ours.map((load, i) => rate(load) / rate(theirs[i] ?? load));
  return {
    name,
    value: median(ratios),
    unit: 'of a bare node:http server',
    target,
    isAtMost: false,
    detail: `${median(ours.map(rate)).toFixed(0)} against ${median(theirs.map(rate)).toFixed(0)} ${unit}`,
  };
}

export function s3ClientOf(coffer: BenchServer): S3Client {
  const config = { endpoint: coffer.endpoint, region: 'us-east-1', credentials: coffer.credentials };
  return new S3Client({ ...config, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
}

/** With SSE-KMS and a bucket key by default. */
export async function prepareBucket(coffer: BenchServer): Promise<S3Client> {
  const kms = new KMSClient({ endpoint: coffer.endpoint, region: 'us-east-1', credentials: coffer.credentials });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  const s3 = s3ClientOf(coffer);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const byDefault = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: KeyMetadata?.Arn };
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket: BUCKET,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: true }],
      },
    }),
  );
  return s3;
}

function checksumOf(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

/** @param checksum the CRC-32 that each upload declares in a header, in base64 */
export async function signed(
  s3: S3Client,
  method: 'get' | 'put',
  keys: readonly string[],
  checksum?: string,
): Promise<string[]> {
  const urls: string[] = [];
  for (const Key of keys) {
    const object = { Bucket: BUCKET, Key };
    const command =
      method === 'get'
        ? new GetObjectCommand(object)
        : new PutObjectCommand({ ...object, ...(checksum === undefined ? {} : { ChecksumCRC32: checksum }) });
    urls.push(
      await getSignedUrl(s3, command, { expiresIn: 3600, unhoistableHeaders: new Set(['x-amz-checksum-crc32']) }),
    );
  }
  return urls;
}
