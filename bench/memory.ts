import { request } from 'node:http';
import { DeleteBucketEncryptionCommand } from '@aws-sdk/client-s3';
import { BUCKET, prepareBucket, signed } from './objects.ts';
import { startCoffer } from './processes.ts';
import type { Result } from './result.ts';

const STREAMS = 8;
const SIZE = 1024 * 1024 * 1024;
const BLOCK = Buffer.alloc(1024 * 1024, 0x3c);
const SAMPLE_MS = 50;

/** By how much eight concurrent uploads of 1 GiB, and then as many downloads, raise the server's resident memory. */
export async function benchMemory(): Promise<Result[]> {
  return [await measure('SSE-KMS'), await measure('SSE-S3')];
}

async function measure(encryption: 'SSE-KMS' | 'SSE-S3'): Promise<Result> {
  const coffer = await startCoffer();
  const s3 = await prepareBucket(coffer);
  if (encryption === 'SSE-S3') await s3.send(new DeleteBucketEncryptionCommand({ Bucket: BUCKET }));
  const keys = Array.from({ length: STREAMS }, (_, i) => `stream-${i}`);
  const before = await coffer.residentBytes();
  let peak = before;
  const sampler = setInterval(() => {
    void coffer.residentBytes().then((bytes) => {
      peak = Math.max(peak, bytes);
    });
  }, SAMPLE_MS);
  try {
    await Promise.all((await signed(s3, 'put', keys)).map(upload));
    await Promise.all((await signed(s3, 'get', keys)).map(download));
  } finally {
    clearInterval(sampler);
    s3.destroy();
    await coffer.stop();
  }
  return {
    name: `8 × 1 GiB up, then down, ${encryption}: memory`,
    value: (peak - before) / 2 ** 20,
    unit: 'MiB more',
    target: 300,
    isAtMost: true,
    detail: `from ${(before / 2 ** 20).toFixed(0)} to ${(peak / 2 ** 20).toFixed(0)} MiB resident`,
  };
}

function upload(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'PUT', headers: { 'content-length': SIZE } }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`PUT: ${response.statusCode}`)),
      );
    });
    sent.on('error', reject);
    let left = SIZE;
    const send = (): void => {
      while (left > 0) {
        left -= BLOCK.length;
        if (!sent.write(BLOCK)) {
          sent.once('drain', send);
          return;
        }
      }
      sent.end();
    };
    send();
  });
}

function download(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('end', () => (received === SIZE ? resolve() : reject(new Error(`GET: ${received} bytes`))));
    })
      .on('error', reject)
      .end();
  });
}
