import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { fillBuckets, type Filled, keyOf, PARTS, VERSIONED_KEYS, VERSIONS_OF_A_KEY } from './listings-fill.ts';
import { s3ClientOf } from './objects.ts';
import { startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

const PAGE = 1000;
const WARM_UP = 20;
const PAGES = 60;

type Measured = readonly [name: string, times: readonly number[]];

/**
 * Pages of 1,000 in buckets of ten thousand and a million objects, and of whatever else is listed.
 *
 * @param sizes of the buckets; the rows are made without the objects, sealed as the server seals them
 */
export async function benchListings(sizes: readonly number[] = [10_000, 1_000_000]): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-bench-'));
  try {
    return await measureListings(folder, await fillBuckets(folder, sizes));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureListings(folder: string, filled: Filled): Promise<Result[]> {
  const coffer = await startCoffer(folder);
  const s3 = s3ClientOf({ ...coffer, credentials: filled.credentials });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const measured = await measureAll(new Pages(s3, agent), filled);
    return resultsOf(
      filled.buckets.map(({ size }) => size),
      measured,
    );
  } finally {
    agent.destroy();
    s3.destroy();
    await coffer.stop();
  }
}

async function measureAll(pages: Pages, filled: Filled): Promise<ReadonlyMap<string, readonly number[]>> {
  const measured: Measured[] = [];
  for (const { bucket, size } of filled.buckets) {
    const anywhere = () => keyOf(randomInt(size - 2 * PAGE), size);
    const list = (input: Omit<ListObjectsV2CommandInput, 'Bucket'>) =>
      new ListObjectsV2Command({ Bucket: bucket, ...input });
    measured.push(
      [`V2 ${size}`, await pages.measure('Contents', PAGE, () => list({ StartAfter: anywhere() }))],
      [
        `V1 ${size}`,
        await pages.measure('Contents', PAGE, () => new ListObjectsCommand({ Bucket: bucket, Marker: anywhere() })),
      ],
      // Each of the thousand folders has a thousandth of the keys: nothing in them may be looked at.
      [`folders ${size}`, await pages.measure('CommonPrefixes', PAGE, () => list({ Delimiter: '/' }))],
      [
        `prefix ${size}`,
        await pages.measure('Contents', Math.min(PAGE, size / 1000), () =>
          list({ Prefix: `${anywhere().split('/')[0]}/`, Delimiter: '/' }),
        ),
      ],
    );
  }
  const versions = (input: Omit<ListObjectVersionsCommandInput, 'Bucket'>) => () =>
    new ListObjectVersionsCommand({ Bucket: filled.versioned, ...input });
  const versionedKey = () => keyOf(randomInt(VERSIONED_KEYS - 2), VERSIONED_KEYS);
  const uploads = (input: Omit<ListMultipartUploadsCommandInput, 'Bucket'>) => () =>
    new ListMultipartUploadsCommand({ Bucket: filled.uploading, ...input });
  measured.push(
    ['versions', await pages.measure('IsLatest', PAGE, () => versions({ KeyMarker: versionedKey() })())],
    [
      'versions, from within a key',
      await pages.measure('IsLatest', PAGE, () =>
        versions({ KeyMarker: filled.marker.key, VersionIdMarker: filled.marker.version })(),
      ),
    ],
    ['versions, folders', await pages.measure('CommonPrefixes', PAGE, versions({ Delimiter: '/' }))],
    [
      'objects among versions',
      await pages.measure('Contents', VERSIONED_KEYS / 2, () => new ListObjectsV2Command({ Bucket: filled.versioned })),
    ],
    ['uploads', await pages.measure('UploadId', PAGE, uploads({}))],
    [
      'uploads, from within a key',
      await pages.measure(
        'UploadId',
        PAGE,
        uploads({ KeyMarker: filled.upload.key, UploadIdMarker: filled.upload.id }),
      ),
    ],
    ['uploads, folders', await pages.measure('CommonPrefixes', PAGE, uploads({ Delimiter: '/' }))],
    [
      'parts',
      await pages.measure(
        'PartNumber',
        PAGE,
        () =>
          new ListPartsCommand({
            Bucket: filled.uploading,
            Key: filled.upload.key,
            UploadId: filled.upload.id,
            PartNumberMarker: String(randomInt(PARTS - PAGE)),
          }),
      ),
    ],
  );
  return new Map(measured);
}

type ListCommand =
  | ListObjectsV2Command
  | ListObjectsCommand
  | ListObjectVersionsCommand
  | ListMultipartUploadsCommand
  | ListPartsCommand;

/** Asks for pages over one connection, by presigned addresses: a client's own parsing is not measured. */
class Pages {
  readonly #s3: S3Client;
  readonly #agent: Agent;

  constructor(s3: S3Client, agent: Agent) {
    this.#s3 = s3;
    this.#agent = agent;
  }

  /** @param element of which a page has `count` @returns milliseconds from the request to the last byte of its answer */
  async measure(element: string, count: number, command: () => ListCommand): Promise<number[]> {
    const times: number[] = [];
    for (let page = 0; page < WARM_UP + PAGES; page++) {
      const url = await getSignedUrl(this.#s3, command() as ListObjectsV2Command);
      const started = performance.now();
      const text = await this.#get(url);
      if (page >= WARM_UP) times.push(performance.now() - started);
      const found = text.split(`<${element}>`).length - 1;
      if (found !== count) throw new Error(`A page has ${found} × ${element}, not ${count}: ${text.slice(0, 500)}`);
    }
    return times;
  }

  #get(url: string): Promise<string> {
    return new Promise((resolve, reject) => {
      request(url, { agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      })
        .on('error', reject)
        .end();
    });
  }
}

function resultsOf(sizes: readonly number[], measured: ReadonlyMap<string, readonly number[]>): Result[] {
  const times = (name: string) => measured.get(name) ?? [];
  const list = [...measured].map(([name, ms]): Result => {
    const sorted = ms.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
    return {
      name: `List 1,000: ${name}`,
      value: median(ms),
      unit: 'ms a page',
      target: 10,
      isAtMost: true,
      detail: `least ${at(0)}, 95th percentile ${at(0.95)}, most ${at(1)} ms`,
    };
  });
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const growth = ['V2', 'V1', 'folders'].map((kind): Result => {
    const [small, large] = [median(times(`${kind} ${least}`)), median(times(`${kind} ${most}`))];
    return {
      name: `List: ${kind}, ${least} → ${most}`,
      value: large / small,
      unit: 'of the time',
      // As much as the logarithm grows.
      target: Math.log(most) / Math.log(least),
      isAtMost: true,
      detail: `${small.toFixed(1)} and ${large.toFixed(1)} ms; ${VERSIONS_OF_A_KEY} versions of each versioned key`,
    };
  });
  return [...list, ...growth];
}
