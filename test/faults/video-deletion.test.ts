import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video';
import { KinesisVideoArchivedMediaClient, ListFragmentsCommand } from '@aws-sdk/client-kinesis-video-archived-media';
import { GetMediaCommand, KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import { createAccount } from '../harness/accounts.ts';
import { filesUnder } from '../harness/files-under.ts';
import { failsWith } from '../harness/kinesis-video.ts';
import { cluster, header, simpleBlock } from '../harness/matroska-builder.ts';
import { MediaProducer } from '../harness/media-producer.ts';
import { type ClientConfig, startTestPlatform } from '../harness/platform.ts';
import { ServerFolder } from '../harness/server-process.ts';

const PATIENCE_MS = 20_000;

async function createStream(kvs: KinesisVideoClient, StreamName: string): Promise<string> {
  const { StreamARN } = await kvs.send(new CreateStreamCommand({ StreamName, DataRetentionInHours: 24 }));
  assert.ok(StreamARN);
  return StreamARN;
}

/** A cluster that does not lie in the database. */
const largeCluster = (time: number): Buffer =>
  cluster(time, { blocks: Array.from({ length: 8 }, () => simpleBlock({ payload: randomBytes(12_000) })) });

/** Stores large fragments, all acknowledged; the connection stays open. */
async function produce({ endpoint, credentials }: ClientConfig, stream: string, count: number): Promise<MediaProducer> {
  const producer = await MediaProducer.open({ endpoint, credentials, stream });
  producer.send(header());
  const begin = Date.now();
  // A fragment ends where the next one begins.
  for (let index = 0; index <= count; index++) producer.send(largeCluster(begin + index * 1000));
  for (let index = 0; index < count; index++) await producer.ack('PERSISTED');
  return producer;
}

/** What lies on the disk of the service: rows of each table, and blobs. */
async function remains(dataFolder: string): Promise<Readonly<Record<string, number>>> {
  const database = new DatabaseSync(join(dataFolder, 'records.db'), { readOnly: true, timeout: 5000 });
  const count = (table: string): number => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
  const rows = {
    streams: count('kinesis_video_stream'),
    connections: count('kinesis_video_ingest'),
    fragments: count('kinesis_video_fragment'),
    bodies: count('kinesis_video_fragment_body'),
  };
  database.close();
  const files = await filesUnder(join(dataFolder, 'blobs'));
  return { ...rows, blobs: files.filter((path) => path.includes('kinesis-video')).length };
}

async function until(isSo: () => Promise<boolean>, what: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) assert.fail(`It did not come to that: ${JSON.stringify(await what())}`);
    await delay(20);
  }
}

it('a stream that is deleted ends its producer and its consumers, and nothing of it stays', async () => {
  await using platform = await startTestPlatform();
  const config = platform.clientConfig();
  const kvs = new KinesisVideoClient(config);
  const media = new KinesisVideoMediaClient(config);
  const StreamARN = await createStream(kvs, 'doomed');
  const producer = await produce(config, 'doomed', 3);
  const StartSelector = { StartSelectorType: 'EARLIEST' } as const;
  const { Payload } = await media.send(new GetMediaCommand({ StreamName: 'doomed', StartSelector }));
  const consumed = (async () => {
    let text = '';
    for await (const chunk of Payload as AsyncIterable<Buffer>) text += chunk.toString('latin1');
    return text;
  })();

  await kvs.send(new DeleteStreamCommand({ StreamARN }));
  const { ErrorId, ErrorCode } = await producer.ack('ERROR');
  assert.deepEqual({ ErrorId, ErrorCode }, { ErrorId: 4008, ErrorCode: 'STREAM_NOT_ACTIVE' });
  await producer.ended();
  await consumed;
  const late = await MediaProducer.open({ ...config, stream: 'doomed' });
  assert.equal(await late.status(), 404);
  late.destroy();
  const nothing = { streams: 0, connections: 0, fragments: 0, bodies: 0, blobs: 0 };
  const isGone = async () => JSON.stringify(await remains(platform.dataFolder)) === JSON.stringify(nothing);
  await until(isGone, () => remains(platform.dataFolder));
  producer.destroy();
  for (const client of [kvs, media]) client.destroy();
});

it('an account that is deleted leaves no video, also what is being sent', async () => {
  await using platform = await startTestPlatform();
  const account = await createAccount(platform);
  const config = platform.clientConfig(account);
  const kvs = new KinesisVideoClient(config);
  for (const name of ['one', 'two']) await createStream(kvs, name);
  const stored = await produce(config, 'one', 2);
  stored.end();
  await stored.ended();
  const sending = await produce(config, 'two', 2);

  const connection = await connectToServer(platform.dataFolder);
  assert.ok(connection);
  const replies = askServer(connection, { command: 'account-delete', accountId: account.accountId });
  for await (const reply of replies)
    assert.ok(reply.type === 'progress' || reply.type === 'item', JSON.stringify(reply));
  connection.destroy();
  await sending.ended();
  const { streams, connections, fragments, bodies, blobs } = await remains(platform.dataFolder);
  assert.deepEqual([streams, connections, fragments, bodies, blobs], [0, 0, 0, 0, 0]);
  for (const producer of [stored, sending]) producer.destroy();
  kvs.destroy();
});

it('a server that is killed while it removes a stream removes the rest of it at the next start', async () => {
  const folder = await ServerFolder.make();
  try {
    let server = await folder.start();
    let kvs = new KinesisVideoClient(server.clientConfig);
    const StreamARN = await createStream(kvs, 'gone');
    await createStream(kvs, 'kept');
    for (const [name, count] of [
      ['gone', 20],
      ['kept', 2],
    ] as const) {
      const producer = await produce(server.clientConfig, name, count);
      producer.end();
      await producer.ended();
      producer.destroy();
    }
    await kvs.send(new DeleteStreamCommand({ StreamARN }));
    await server.end('SIGKILL');
    kvs.destroy();

    server = await folder.start();
    kvs = new KinesisVideoClient(server.clientConfig);
    await assert.rejects(
      kvs.send(new DescribeStreamCommand({ StreamARN })),
      failsWith('ResourceNotFoundException', 404),
    );
    // Each connection's last fragment ended with the body.
    const kept = { streams: 1, connections: 1, fragments: 3, bodies: 0, blobs: 3 };
    const isDone = async () => JSON.stringify(await remains(folder.dataFolder)) === JSON.stringify(kept);
    await until(isDone, () => remains(folder.dataFolder));
    const archive = new KinesisVideoArchivedMediaClient(server.clientConfig);
    const TimestampRange = { StartTimestamp: new Date(0), EndTimestamp: new Date(Date.now() + 60_000) };
    const FragmentSelector = { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange } as const;
    const { Fragments } = await archive.send(new ListFragmentsCommand({ StreamName: 'kept', FragmentSelector }));
    assert.equal(Fragments?.length, 3);
    for (const client of [kvs, archive]) client.destroy();
    await server.end('SIGTERM');
  } finally {
    await folder.remove();
  }
});
