import { Agent, request } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { BUCKET, prepareBucket, signed } from './objects.ts';
import { startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

const PART = 8 * 1024 * 1024;
/** As the SDKs divide 5 GiB. */
const PARTS = 640;
const SIZE = PART * PARTS;
const RANGE = 4096;
const COPIES_AT_ONCE = 4;
const WARM_UP = 20;
const READS = 100;

/** Until the first byte of the last 4 KiB of an object of 5 GiB in 640 parts, SSE-KMS with a bucket key. */
export async function benchRanges(): Promise<Result> {
  const coffer = await startCoffer();
  const s3 = await prepareBucket(coffer);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await makeObject(s3);
    const [url = ''] = await signed(s3, 'get', ['large']);
    const times: number[] = [];
    for (let read = 0; read < WARM_UP + READS; read++) {
      const time = await firstByteOf(url, agent);
      if (read >= WARM_UP) times.push(time);
    }
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
    return {
      name: 'First byte of 4 KiB at the end of 5 GiB',
      value: median(times),
      unit: 'ms',
      target: 10,
      isAtMost: true,
      detail: `least ${at(0)}, 95th percentile ${at(0.95)}, most ${at(1)} ms; ${PARTS} parts`,
    };
  } finally {
    agent.destroy();
    s3.destroy();
    await coffer.stop();
  }
}

async function makeObject(s3: S3Client): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'part', Body: Buffer.alloc(PART, 0x5a) }));
  const object = { Bucket: BUCKET, Key: 'large' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next <= PARTS) {
      const PartNumber = next++;
      const CopySource = `${BUCKET}/part`;
      const copied = await s3.send(new UploadPartCopyCommand({ ...object, UploadId, PartNumber, CopySource }));
      parts.push({ PartNumber, ETag: copied.CopyPartResult?.ETag });
    }
  };
  await Promise.all(Array.from({ length: COPIES_AT_ONCE }, worker));
  const Parts = parts.toSorted((a, b) => a.PartNumber - b.PartNumber);
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
}

/** Milliseconds from the request to the first byte of the answer's body. */
function firstByteOf(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const headers = { range: `bytes=${SIZE - RANGE}-${SIZE - 1}` };
    request(url, { agent, headers }, (response) => {
      let first: number | undefined;
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        first ??= performance.now() - started;
        length += chunk.length;
      });
      response.on('end', () =>
        length === RANGE && first !== undefined ? resolve(first) : reject(new Error(`${length} bytes came.`)),
      );
    })
      .on('error', reject)
      .end();
  });
}
