import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { silentLogger } from '#kernel/logger.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import { PUT_MEDIA_LIMITS, type PutMediaLimits } from '#services/kinesis-video-media/put-media/put-media-limits.ts';
import { PutMediaSession } from '#services/kinesis-video-media/put-media/put-media-session.ts';
import { ArchiveParts } from '../harness/archive-parts.ts';
import { cluster, endOfFragment, header, simpleBlock } from '../harness/matroska-builder.ts';
import type { WireAck } from '../harness/media-producer.ts';

const START = 1_795_260_000_000;

/** One connection, without a socket and with less patience. */
interface Connection {
  readonly body: PassThrough;
  readonly gone: AbortController;
  /** All acknowledgements, when the answer has ended. */
  readonly acks: Promise<readonly WireAck[]>;
}

describe('a connection of PutMedia', () => {
  let parts: ArchiveParts;
  let count = 0;

  before(async () => {
    parts = await ArchiveParts.start();
  });
  after(() => parts.stop());

  async function connect(stream: string, limits: Partial<PutMediaLimits> = {}): Promise<Connection> {
    const body = new PassThrough();
    const gone = new AbortController();
    const { archive } = parts.video;
    const session = new PutMediaSession({
      body,
      ingest: archive.connect(await parts.stream(stream)),
      authority: parts.authority,
      findStream: () => parts.stream(stream),
      startMs: 0,
      limits: { ...PUT_MEDIA_LIMITS, ...limits },
      logger: silentLogger,
      signal: gone.signal,
    });
    const acks = Array.fromAsync(session.acknowledgements, (line: Buffer) => JSON.parse(line.toString()) as WireAck);
    return { body, gone, acks };
  }

  async function camera(): Promise<string> {
    const name = `camera-${++count}`;
    await parts.createStream(name, 24);
    return name;
  }

  async function storedOf(stream: string): Promise<readonly FragmentRecord[]> {
    return (await parts.video.archive.list(await parts.stream(stream), { by: 'server' }, 1000)).fragments;
  }

  const typesOf = (acks: readonly WireAck[]): string[] => acks.map((ack) => ack.EventType);

  it('tells a silent producer that nothing comes, and ends; what was not whole does not appear', async () => {
    const stream = await camera();
    const { body, acks } = await connect(stream, { idleMs: 200, idleAckMs: 45 });
    body.write(Buffer.concat([header(), cluster(START), cluster(START + 1000), simpleBlock().subarray(0, -2)]));
    const all = await acks;
    assert.deepEqual(
      typesOf(all).filter((type) => type !== 'IDLE'),
      ['BUFFERING', 'RECEIVED', 'BUFFERING', 'PERSISTED'],
    );
    const idle = all.filter((ack) => ack.EventType === 'IDLE');
    assert.ok(idle.length >= 2 && idle.length <= 4, `${idle.length}`);
    assert.deepEqual(
      (await storedOf(stream)).map((record) => record.producerTimestamp),
      [START],
    );
  });

  it('is not ended while the producer sends, however slowly', async () => {
    const { body, acks } = await connect(await camera(), { idleMs: 250, idleAckMs: 10_000 });
    const media = Buffer.concat([header(), cluster(START), endOfFragment()]);
    for (let at = 0; at < media.length; at += 8) {
      body.write(media.subarray(at, at + 8));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    body.end();
    assert.deepEqual(typesOf(await acks), ['BUFFERING', 'RECEIVED', 'PERSISTED']);
  });

  it('ends after its time, with 4003', async () => {
    const stream = await camera();
    const { body, acks } = await connect(stream, { connectionMs: 150 });
    body.write(Buffer.concat([header(), cluster(START), endOfFragment()]));
    const last = (await acks).at(-1);
    assert.deepEqual([last?.ErrorId, last?.ErrorCode], [4003, 'MAX_CONNECTION_DURATION_REACHED']);
    assert.equal((await storedOf(stream)).length, 1);
  });

  it('that is cut off at any byte leaves whole fragments and nothing else', async () => {
    const media = [
      header(),
      cluster(START),
      cluster(START + 1000, { size: 4 }),
      cluster(START + 2000),
      endOfFragment(),
    ];
    const bytes = Buffer.concat(media);
    const ends = media.map((_, index) => Buffer.concat(media.slice(0, index + 1)).length);
    for (let cut = 0; cut < bytes.length; cut += 3) {
      const stream = await camera();
      const { body, acks } = await connect(stream);
      body.write(bytes.subarray(0, cut));
      await new Promise(setImmediate);
      body.destroy();
      const persisted = (await acks).filter((ack) => ack.EventType === 'PERSISTED').map((ack) => ack.FragmentTimecode);
      const stored = await storedOf(stream);
      assert.deepEqual(
        stored.map((record) => record.producerTimestamp),
        persisted,
      );
      // A Cluster of unknown size is whole when the next element's id and size have come; a known size says it itself.
      const whole = [cut >= (ends[1] ?? 0) + 8, cut >= (ends[2] ?? 0), cut >= (ends[3] ?? 0) + 12].filter(
        Boolean,
      ).length;
      assert.equal(stored.length, whole, `after ${cut} of ${bytes.length} bytes`);
      const reader = parts.video.archive.reader(await parts.stream(stream), parts.authority);
      for (const [index, record] of stored.entries()) {
        const { cluster: read } = await reader.read(record);
        assert.ok(read.equals(media[index + 1] ?? Buffer.alloc(0)), `fragment ${index} is as it was sent`);
      }
      reader.close();
    }
  });

  it('lets the next producer in as soon as it is over', async () => {
    const stream = await camera();
    const first = await connect(stream);
    first.body.write(Buffer.concat([header(), cluster(START)]));
    await assert.rejects(connect(stream), { name: 'StreamBusyError' });
    first.gone.abort();
    assert.deepEqual(typesOf(await first.acks), ['BUFFERING']);
    const second = await connect(stream);
    second.body.end(Buffer.concat([header(), cluster(START)]));
    assert.deepEqual(typesOf(await second.acks), ['BUFFERING', 'RECEIVED', 'PERSISTED']);
  });

  it('leaves no data key behind when it brought no fragment', async () => {
    const stream = await camera();
    const before = (await parts.stored()).keys;
    const { body, acks } = await connect(stream);
    body.end(Buffer.concat([header(), cluster(START).subarray(0, -1)]));
    assert.equal((await acks).at(-1)?.ErrorCode, 'INVALID_MKV_DATA');
    assert.equal((await parts.stored()).keys, before);
  });

  it('holds a bounded number of bytes of fragments on their way to the disk', async () => {
    const stream = await camera();
    const { body, acks } = await connect(stream, { inFlightBytes: 1 });
    const blocks = [simpleBlock({ payload: Buffer.alloc(16_000) })];
    body.end(
      Buffer.concat([header(), ...Array.from({ length: 50 }, (_, index) => cluster(START + index, { blocks }))]),
    );
    const all = await acks;
    // Nothing begins before the one before it is durable.
    for (let index = 0; index < 49; index++) {
      const at = (type: string, timecode: number) =>
        all.findIndex((ack) => ack.EventType === type && ack.FragmentTimecode === timecode);
      assert.ok(at('PERSISTED', START + index) < at('RECEIVED', START + index + 1));
    }
  });

  it('a consumer that holds the data key loses it within a second of the key’s being disabled', async () => {
    const KeyId = ((await parts.kms('CreateKey', {})) as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn;
    const stream = `camera-${++count}`;
    await parts.call('CreateStream', { StreamName: stream, DataRetentionInHours: 1, KmsKeyId: KeyId });
    const [record] = await parts.put(stream, [1000]);
    assert.ok(record);
    const reader = parts.video.archive.reader(await parts.stream(stream), parts.authority);
    await reader.read(record);
    await parts.kms('DisableKey', { KeyId });
    parts.now += 1000;
    await assert.rejects(reader.read(record), { code: 'DisabledException' });
    await parts.kms('EnableKey', { KeyId });
    assert.equal((await reader.read(record)).cluster.length, 1000);
    reader.close();
    await assert.rejects(reader.read(record), { name: 'FragmentMissingError' });
  });
});
