import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { SegmentSealer } from '#crypto/streaming-aead.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { blockContent, cluster, element, endOfFragment, header } from '#test/harness/matroska-builder.ts';
import { Producer } from './kinesis-video-client.ts';
import { runLoad } from './load.ts';
import { type BenchServer, startBareServer, startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

const PRODUCERS = 50;
const LIVE_SECONDS = 60;
const BIT_RATE = 4_000_000;
const FRAGMENT_MS = 2000;
const FRAME_MS = 40;
const FRAMES = FRAGMENT_MS / FRAME_MS;
const FRAME_BYTES = (BIT_RATE / 8) * (FRAME_MS / 1000);
const STORED_FRAGMENTS = 1800;
const MARKER_BYTES = 16;
const ROUNDS = 3;

/** Live streams, a producer as fast as it can, and a stored hour, each under a customer's key. */
export async function benchKinesisVideo(): Promise<Result[]> {
  const coffer = await startCoffer();
  const config = { endpoint: coffer.endpoint, region: 'us-east-1', credentials: coffer.credentials };
  const control = new KinesisVideoClient(config);
  const kms = new KMSClient(config);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  const create = (StreamName: string) =>
    control.send(new CreateStreamCommand({ StreamName, DataRetentionInHours: 24, KmsKeyId: KeyMetadata?.Arn }));
  try {
    const results = [await benchLive(coffer, create)];
    await create('stored');
    results.push(await benchIngest(coffer), await benchReading(coffer));
    return results;
  } finally {
    control.destroy();
    await coffer.stop();
  }
}

/** Pieces of a fragment as a camera sends them, one for each frame; the last ends with the marker. */
function fragmentOf(timecode: number, marker: Buffer): Buffer[] {
  const payload = Buffer.alloc(FRAME_BYTES, 0x5a);
  const last = Buffer.concat([payload.subarray(MARKER_BYTES), marker]);
  return Array.from({ length: FRAMES }, (_, index) => {
    const isLast = index === FRAMES - 1;
    const frame = { time: index * FRAME_MS, isKeyframe: index === 0, payload: isLast ? last : payload };
    const block = element(ELEMENT.simpleBlock, blockContent(frame));
    const head = index === 0 ? cluster(timecode, { blocks: [] }) : Buffer.alloc(0);
    return Buffer.concat([head, block, ...(isLast ? [endOfFragment()] : [])]);
  });
}

async function benchLive(coffer: BenchServer, create: (name: string) => Promise<unknown>): Promise<Result> {
  const media = new KinesisVideoMediaClient({
    endpoint: coffer.endpoint,
    region: 'us-east-1',
    credentials: coffer.credentials,
    requestHandler: { httpAgent: { maxSockets: PRODUCERS } },
  });
  const fragments = (LIVE_SECONDS * 1000) / FRAGMENT_MS;
  const latencies: number[] = [];
  let persisted = 0;
  const one = async (index: number): Promise<void> => {
    const name = `live-${index}`;
    await create(name);
    const markers = Array.from({ length: fragments }, () => randomBytes(MARKER_BYTES));
    const sentAt: number[] = [];
    const { Payload } = await media.send(
      new GetMediaCommand({ StreamName: name, StartSelector: { StartSelectorType: 'NOW' } }),
    );
    const consumed = consume(Payload as Readable, markers, (fragment) => {
      latencies.push(performance.now() - (sentAt[fragment] ?? 0));
    });
    const producer = new Producer(coffer, name, (ack) => {
      if (ack.EventType === 'ERROR') throw new Error(`${name}: ${ack.ErrorCode}`);
      if (ack.EventType === 'PERSISTED') persisted++;
    });
    await producer.send(header());
    // Cameras do not begin their fragments all at once.
    await new Promise((resolve) => setTimeout(resolve, (index / PRODUCERS) * FRAGMENT_MS));
    const epoch = Date.now();
    const started = performance.now();
    for (let fragment = 0; fragment < fragments; fragment++) {
      const pieces = fragmentOf(epoch + fragment * FRAGMENT_MS, markers[fragment] ?? Buffer.alloc(0));
      for (const [frame, piece] of pieces.entries()) {
        const due = started + fragment * FRAGMENT_MS + frame * FRAME_MS;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        if (frame === FRAMES - 1) sentAt[fragment] = performance.now();
        await producer.send(piece);
      }
    }
    // A producer that is refused ends the wait with what it was told.
    await Promise.race([consumed, producer.ended.then(() => consumed)]);
    await producer.end();
  };
  await Promise.all(Array.from({ length: PRODUCERS }, (_, index) => one(index)));
  media.destroy();
  const sorted = latencies.sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const expected = PRODUCERS * fragments;
  const isComplete = persisted === expected && latencies.length === expected;
  return {
    name: `${PRODUCERS} live streams: latency, 95th percentile`,
    value: isComplete ? at(0.95) : Number.POSITIVE_INFINITY,
    unit: 'ms',
    target: 100,
    isAtMost: true,
    detail: `median ${at(0.5).toFixed(0)} ms; ${persisted} acked and ${latencies.length} delivered of ${expected}`,
  };
}

/** Reads until every marker was seen; tells each as it comes. */
async function consume(body: Readable, markers: readonly Buffer[], onMarker: (index: number) => void): Promise<void> {
  let tail = Buffer.alloc(0);
  let next = 0;
  for await (const chunk of body) {
    const window = Buffer.concat([tail, chunk as Buffer]);
    let from = 0;
    for (;;) {
      const marker = markers[next];
      const at = marker === undefined ? -1 : window.indexOf(marker, from);
      if (at === -1) break;
      onMarker(next++);
      from = at + MARKER_BYTES;
    }
    if (next === markers.length) break;
    tail = Buffer.from(window.subarray(Math.max(from, window.length - MARKER_BYTES)));
  }
  if (next < markers.length) throw new Error(`Only ${next} of ${markers.length} fragments were delivered.`);
}

/** The stored hour: 1800 fragments of 2 s, sent as fast as they are taken. */
async function benchIngest(coffer: BenchServer): Promise<Result> {
  const bytes = STORED_FRAGMENTS * FRAMES * FRAME_BYTES;
  const sealing = sealToFile();
  let persisted = 0;
  const started = performance.now();
  const producer = new Producer(coffer, 'stored', (ack) => {
    if (ack.EventType === 'ERROR') throw new Error(`stored: ${ack.ErrorCode}`);
    if (ack.EventType === 'PERSISTED') persisted++;
  });
  await producer.send(header());
  const epoch = Date.now() - STORED_FRAGMENTS * FRAGMENT_MS;
  for (let index = 0; index < STORED_FRAGMENTS; index++) {
    const pieces = fragmentOf(epoch + index * FRAGMENT_MS, randomBytes(MARKER_BYTES));
    await producer.send(Buffer.concat(pieces));
  }
  await producer.end();
  const seconds = (performance.now() - started) / 1000;
  if (persisted !== STORED_FRAGMENTS) throw new Error(`Only ${persisted} fragments were persisted.`);
  const rate = bytes / 1e6 / seconds;
  return {
    name: 'one producer as fast as it can, durable',
    value: rate,
    unit: 'MB/s',
    target: 150,
    isAtMost: false,
    detail: `${(rate / sealing).toFixed(2)} of sealing straight to a file (${sealing.toFixed(0)} MB/s)`,
  };
}

/** The same bytes, sealed and written to one file with as many syncs. @returns MB/s */
function sealToFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-bench-'));
  const file = openSync(join(folder, 'sealed'), 'w');
  const plaintext = Buffer.alloc(FRAMES * FRAME_BYTES, 0x5a);
  const count = STORED_FRAGMENTS / 4;
  const started = performance.now();
  for (let index = 0; index < count; index++) {
    const sealer = new SegmentSealer(randomBytes(32), Buffer.from(String(index)), 2 * plaintext.length);
    for (const piece of sealer.seal([plaintext], true)) writeSync(file, piece);
    fdatasyncSync(file);
  }
  const seconds = (performance.now() - started) / 1000;
  closeSync(file);
  rmSync(folder, { recursive: true });
  return (count * plaintext.length) / 1e6 / seconds;
}

async function benchReading(coffer: BenchServer): Promise<Result> {
  const bytes = STORED_FRAGMENTS * FRAMES * FRAME_BYTES;
  const media = new KinesisVideoMediaClient({
    endpoint: coffer.endpoint,
    region: 'us-east-1',
    credentials: coffer.credentials,
  });
  const bare = await startBareServer();
  const rates: number[] = [];
  const ratios: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      const { Payload } = await media.send(
        new GetMediaCommand({ StreamName: 'stored', StartSelector: { StartSelectorType: 'EARLIEST' } }),
      );
      let received = 0;
      for await (const chunk of Payload as Readable) {
        received += (chunk as Buffer).length;
        if (received >= bytes) break;
      }
      const rate = received / 1e6 / ((performance.now() - started) / 1000);
      const other = await runLoad({ method: 'GET', urls: [`${bare.endpoint}/${bytes}`], connections: 1 });
      rates.push(rate);
      ratios.push(rate / (other.bytes / 1e6 / other.seconds));
    }
  } finally {
    media.destroy();
    await bare.stop();
  }
  return {
    name: 'GetMedia of a stored hour',
    value: median(ratios),
    unit: 'of a bare node:http server',
    target: 0.4,
    isAtMost: false,
    detail: `${median(rates).toFixed(0)} MB/s`,
  };
}
