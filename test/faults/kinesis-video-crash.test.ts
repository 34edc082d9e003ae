import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  type Fragment,
  KinesisVideoArchivedMediaClient,
  paginateListFragments,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { CofferHome } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';
import { cluster, element, endOfFragment, header, producerTag, simpleBlock } from '../harness/matroska-builder.ts';
import { MediaConsumer } from '../harness/media-consumer.ts';
import { MediaProducer } from '../harness/media-producer.ts';
import type { ClientConfig } from '../harness/platform.ts';

const run = promisify(execFile);
const START = 1_795_260_000_000;

/** A fragment with frames of random bytes; some lie in the database, some in blobs. */
function fragment(index: number, size: number): { readonly payload: Buffer; readonly bytes: Buffer } {
  const payload = randomBytes(size);
  const blocks = [];
  for (let at = 0; at < size; at += 16_000) blocks.push(simpleBlock({ payload: payload.subarray(at, at + 16_000) }));
  return { payload, bytes: Buffer.concat([cluster(START + index * 1000, { blocks }), endOfFragment()]) };
}

async function createStream(config: ClientConfig, StreamName: string): Promise<void> {
  const control = new KinesisVideoClient(config);
  await control.send(new CreateStreamCommand({ StreamName, DataRetentionInHours: 24 }));
  control.destroy();
}

async function listFragments(config: ClientConfig, StreamName: string): Promise<readonly Fragment[]> {
  const client = new KinesisVideoArchivedMediaClient(config);
  const range = { StartTimestamp: new Date(0), EndTimestamp: new Date(START + 1e9) };
  const FragmentSelector = { FragmentSelectorType: 'PRODUCER_TIMESTAMP', TimestampRange: range } as const;
  const found: Fragment[] = [];
  for await (const page of paginateListFragments({ client }, { StreamName, FragmentSelector })) {
    found.push(...(page.Fragments ?? []));
  }
  client.destroy();
  return found;
}

/** Reads so many fragments from the beginning. @returns their bytes by their numbers */
async function readAll(config: ClientConfig, stream: string, count: number): Promise<Map<string, Buffer>> {
  const client = new KinesisVideoMediaClient(config);
  const consumer = await MediaConsumer.open(client, stream, 'EARLIEST');
  const chunks = await consumer.take(count);
  consumer.close();
  client.destroy();
  return new Map(chunks.map(({ tags, bytes }) => [tags.get('FRAGMENT_NUMBER') ?? '', bytes]));
}

it('keeps every fragment that was acknowledged as PERSISTED, and shows no other by halves, when it is killed', async () => {
  await using home = await CofferHome.make();
  const sent = new Map<number, Buffer>();
  const persisted = new Map<string, Buffer>();
  let next = 0;
  for (let round = 0; round < 3; round++) {
    const server = await home.start();
    const config = await home.rootClientConfig();
    if (round === 0) await createStream(config, 'camera');
    const { endpoint, credentials } = config;
    const producer = await MediaProducer.open({ endpoint, credentials, stream: 'camera' });
    producer.send(header());
    const target = 10 + round * 7;
    for (let begun = 0; !producer.isClosed; begun++) {
      const { payload, bytes } = fragment(next, next % 2 === 0 ? 400_000 : 3000);
      sent.set(START + next * 1000, payload);
      next++;
      producer.send(bytes);
      if (begun === target) {
        // In the middle of a fragment, and of others that are on their way to the disk.
        producer.send(fragment(next, 400_000).bytes.subarray(0, 200_000));
        for (let acked = 0; acked < 4; acked++) await producer.ack('PERSISTED');
        await server.end('SIGKILL');
        await producer.ended();
      }
    }
    for (const ack of producer.acks) {
      if (ack.EventType !== 'PERSISTED') continue;
      persisted.set(ack.FragmentNumber ?? '', sent.get(ack.FragmentTimecode ?? 0) ?? Buffer.alloc(0));
    }
  }
  assert.ok(persisted.size >= 12);

  const server = await home.start();
  const config = await home.rootClientConfig();
  const listed = await listFragments(config, 'camera');
  const read = await readAll(config, 'camera', listed.length);
  assert.deepEqual(new Set(read.keys()), new Set(listed.map((entry) => entry.FragmentNumber)));
  for (const [number, payload] of persisted) {
    const bytes = read.get(number);
    assert.ok(bytes, `fragment ${number} was acknowledged`);
    for (let at = 0; at < payload.length; at += 16_000) assert.ok(bytes.includes(payload.subarray(at, at + 16_000)));
  }
  // Whatever else was on its way is whole, or is not there.
  for (const { ProducerTimestamp, FragmentNumber = '', FragmentSizeInBytes = 0 } of listed) {
    const payload = sent.get(ProducerTimestamp?.getTime() ?? 0);
    assert.ok(payload, 'it was sent as a whole');
    assert.ok(FragmentSizeInBytes > payload.length);
    assert.ok(read.get(FragmentNumber)?.includes(payload.subarray(-1000)));
  }
  const { code, stdout } = await home.run(['verify']);
  assert.equal(code, 0, stdout);
  await server.end('SIGTERM');
});

it('answers a full disk with 5001, shows nothing by halves, and goes on when there is room', async (test) => {
  await using home = await CofferHome.make();
  const disk = join(home.folder, 'disk');
  await mkdir(disk);
  const mounted = run('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'coffer-test', disk]);
  if (
    !(await mounted.then(
      () => true,
      () => false,
    ))
  ) {
    test.skip('only root can mount a small disk');
    return;
  }
  const settings = { COFFER_DATA: join(disk, 'data') };
  try {
    const server = await home.start([], settings);
    const config = await home.rootClientConfig(settings);
    const { endpoint, credentials } = config;
    await createStream(config, 'camera');
    await writeFile(join(disk, 'reserve'), randomBytes(3_000_000));
    for (const size of [1_000_000, 5000]) {
      // Small ones find room for a while where large ones do not.
      if (size === 5000) await writeFile(join(disk, 'filler'), randomBytes(64 * 1024 * 1024)).catch(() => {});
      const producer = await MediaProducer.open({ endpoint, credentials, stream: 'camera' });
      producer.send(header());
      for (let index = 0; !producer.isEnded; index++) {
        producer.send(fragment(index, size).bytes);
        await Promise.race([producer.ack('PERSISTED').catch(() => {}), producer.ended()]);
      }
      const last = (await producer.ended()).at(-1);
      assert.deepEqual([last?.EventType, last?.ErrorId, last?.ErrorCode], ['ERROR', 5001, 'ARCHIVAL_ERROR']);
      producer.destroy();
    }
    const listed = await listFragments(config, 'camera');
    assert.ok(listed.length > 5);
    assert.equal((await readAll(config, 'camera', listed.length)).size, listed.length);

    await rm(join(disk, 'filler'));
    await rm(join(disk, 'reserve'));
    const producer = await MediaProducer.open({ endpoint, credentials, stream: 'camera' });
    producer.send(header(), fragment(9999, 100_000).bytes);
    await producer.ack('PERSISTED');
    producer.destroy();
    assert.equal((await home.run(['verify'], settings)).code, 0);
    assert.equal((await server.end('SIGTERM')).code, 0);
  } finally {
    await run('umount', ['-l', disk]);
  }
});

it('writes nothing of what cameras send to the disk as it is', async () => {
  await using home = await CofferHome.make();
  const temporary = join(home.folder, 'tmp');
  await mkdir(temporary);
  const settings = { TMPDIR: temporary };
  const server = await home.start(['--log-level', 'debug'], settings);
  const config = await home.rootClientConfig(settings);
  const { endpoint, credentials } = config;
  const marker = randomBytes(24);
  const text = marker.toString('hex');
  const CODEC_PRIVATE = 0x63a2;
  const head = Buffer.concat([
    header({ number: 1, extra: [element(CODEC_PRIVATE, marker)] }),
    producerTag('first', text),
  ]);
  for (const hours of [24, 0]) {
    const stream = `camera-${hours}`;
    const control = new KinesisVideoClient(config);
    await control.send(new CreateStreamCommand({ StreamName: stream, DataRetentionInHours: hours }));
    control.destroy();
    const media = new KinesisVideoMediaClient(config);
    const consumer = await MediaConsumer.open(media, stream, 'NOW');
    const producer = await MediaProducer.open({ endpoint, credentials, stream });
    producer.send(head);
    for (const [index, copies] of [1, 400, 8000].entries()) {
      const payload = Buffer.concat(Array.from({ length: copies }, () => marker));
      const blocks = [];
      for (let at = 0; at < payload.length; at += 12_000)
        blocks.push(simpleBlock({ payload: payload.subarray(at, at + 12_000) }));
      producer.send(cluster(START + index * 1000, { blocks }), producerTag('mark', text), endOfFragment());
      assert.ok((await consumer.next())?.bytes.includes(marker));
    }
    // A fragment that is cut off, too.
    producer.send(cluster(START + 9000, { blocks: [simpleBlock({ payload: marker })] }));
    await producer.ack('BUFFERING');
    consumer.close();
    producer.destroy();
    media.destroy();
  }
  const { stdout, stderr } = await server.end('SIGTERM');
  const needles = [marker, Buffer.from(text), Buffer.from(marker.subarray(0, 21).toString('base64'))];
  const files = [...(await filesUnder(home.folder))];
  assert.ok(
    files.some((path) => path.includes('kinesis-video')),
    'there are blobs',
  );
  assert.ok(files.some((path) => path.endsWith('records.db')));
  for (const path of files) {
    const bytes = await readFile(path);
    for (const needle of needles) assert.ok(!bytes.includes(needle), path);
  }
  for (const needle of needles) assert.ok(!Buffer.from(stdout + stderr).includes(needle), 'the log');
});
