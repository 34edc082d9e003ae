import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DeleteStreamCommand } from '@aws-sdk/client-kinesis-video';
import { KinesisVideoMediaServiceException, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import { writeTags } from '#media/matroska/matroska-writer.ts';
import { cluster, endOfFragment, header, producerTag, simpleBlock, voidElement } from '../harness/matroska-builder.ts';
import type { MediaChunk } from '../harness/media-consumer.ts';
import type { WireAck } from '../harness/media-producer.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

/** Bytes of buffers that are held. Garbage is not; its buffers are given back by a thread, a moment after it is found. */
async function bytesHeld(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().arrayBuffers;
}

/** The producers' time of the first fragment. */
const START = 1_795_260_000_000;

describe('GetMedia', () => {
  let video: VideoPlatform;
  let count = 0;

  before(async () => {
    video = await VideoPlatform.start();
  });
  after(() => video.stop());

  async function camera(hours = 24): Promise<string> {
    const name = `camera-${++count}`;
    await video.createStream(name, { DataRetentionInHours: hours });
    return name;
  }

  const fragment = (index: number, payload?: Buffer): Buffer =>
    Buffer.concat([
      cluster(START + index * 1000, {
        blocks: [simpleBlock({ ...(payload && { payload }) }), simpleBlock({ time: 450 })],
      }),
      endOfFragment(),
    ]);

  /** A stream with so many fragments, a second apart. @returns its name and their PERSISTED acknowledgements */
  async function filled(fragments: number): Promise<{ readonly stream: string; readonly acks: readonly WireAck[] }> {
    const stream = await camera();
    const producer = await video.producer(stream);
    producer.send(header(), ...Array.from({ length: fragments }, (_, index) => fragment(index)));
    producer.end();
    const acks = (await producer.ended()).filter((ack) => ack.EventType === 'PERSISTED');
    assert.equal(acks.length, fragments);
    return { stream, acks };
  }

  const numberOf = (chunk: MediaChunk | undefined): string => chunk?.tags.get('FRAGMENT_NUMBER') ?? '';

  it('gives each fragment as a Matroska stream of its own: what the producer sent, between the service’s tags', async () => {
    const stream = await camera();
    const producer = await video.producer(stream);
    const head = Buffer.concat([header(), voidElement(50), producerTag('site', 'north')]);
    const first = cluster(START);
    const tags = producerTag('door', 'open');
    const second = cluster(START + 1000, { size: 8 });
    producer.send(head, first, tags, second, endOfFragment());
    await producer.ack('PERSISTED');
    const ack = await producer.ack('PERSISTED');
    const consumer = await video.consumer(stream, 'EARLIEST');
    const [one, two] = await consumer.take(2);
    assert.deepEqual(
      [...(one?.tags.keys() ?? [])],
      ['FRAGMENT_NUMBER', 'SERVER_TIMESTAMP', 'PRODUCER_TIMESTAMP', 'MILLIS_BEHIND_NOW', 'CONTINUATION_TOKEN'],
    );
    assert.equal(one?.tags.get('PRODUCER_TIMESTAMP'), '1795260000.000');
    assert.match(one.tags.get('SERVER_TIMESTAMP') ?? '', /^\d{10}\.\d{3}$/);
    assert.equal(two?.tags.get('FRAGMENT_NUMBER'), ack.FragmentNumber);
    assert.equal(two?.tags.get('CONTINUATION_TOKEN'), ack.FragmentNumber);
    assert.equal(two?.tags.get('MILLIS_BEHIND_NOW'), '0');
    const own = (chunk: MediaChunk, names: readonly string[]): Buffer =>
      writeTags(names.map((name) => ({ name: `AWS_KINESISVIDEO_${name}`, value: chunk.tags.get(name) ?? '' })));
    for (const [chunk, media] of [
      [one, [first, tags]],
      [two, [second, endOfFragment()]],
    ] as const) {
      assert.ok(chunk);
      const expected = Buffer.concat([
        head,
        own(chunk, ['FRAGMENT_NUMBER', 'SERVER_TIMESTAMP', 'PRODUCER_TIMESTAMP']),
        ...media,
        own(chunk, ['MILLIS_BEHIND_NOW', 'CONTINUATION_TOKEN']),
      ]);
      assert.ok(chunk.bytes.equals(expected), chunk.bytes.toString('latin1'));
    }
    consumer.close();
  });

  it('adds relative timecodes to the producer’s start, which is read as the decimal that it is', async () => {
    const stream = await camera();
    const producer = await video.producer(stream, { timecodes: 'RELATIVE', start: '1795260000.53' });
    producer.send(header(), cluster(40), endOfFragment());
    await producer.ack('PERSISTED');
    const [chunk] = await (await video.consumer(stream, 'EARLIEST')).take(1);
    assert.equal(chunk?.tags.get('PRODUCER_TIMESTAMP'), '1795260000.570');
  });

  describe('with start selectors', () => {
    let stream: string;
    let numbers: string[];
    let server: number[];

    before(async () => {
      const made = await filled(5);
      stream = made.stream;
      numbers = made.acks.map((ack) => ack.FragmentNumber ?? '');
      const consumer = await video.consumer(stream, 'EARLIEST');
      const chunks = await consumer.take(5);
      server = chunks.map((chunk) => Math.round(Number(chunk.tags.get('SERVER_TIMESTAMP')) * 1000));
      consumer.close();
    });

    async function startsWith(selector: StartSelector, index: number): Promise<void> {
      const consumer = await video.consumer(stream, selector);
      const chunks = await consumer.take(5 - index);
      assert.deepEqual(chunks.map(numberOf), numbers.slice(index));
      consumer.close();
    }

    it('EARLIEST begins with the first fragment', () => startsWith({ StartSelectorType: 'EARLIEST' }, 0));
    it('NOW begins with the newest', () => startsWith({ StartSelectorType: 'NOW' }, 4));
    it('FRAGMENT_NUMBER begins after the one that is named', () =>
      startsWith({ StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: numbers[1] }, 2));
    it('CONTINUATION_TOKEN goes on after the last fragment that was seen', () =>
      startsWith({ StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: numbers[2] }, 3));
    it('PRODUCER_TIMESTAMP begins with the fragment that holds the moment', async () => {
      await startsWith({ StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(START + 2000) }, 2);
      await startsWith({ StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(START + 2500) }, 2);
      await startsWith({ StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(START - 9e6) }, 0);
    });
    it('PRODUCER_TIMESTAMP between two fragments begins with the later one', () =>
      startsWith({ StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(START + 2950) }, 3));
    it('SERVER_TIMESTAMP begins with the fragment that came then', async () => {
      await startsWith({ StartSelectorType: 'SERVER_TIMESTAMP', StartTimestamp: new Date((server[0] ?? 0) - 1) }, 0);
      const last = new Date((server[4] ?? 0) + 300);
      await startsWith({ StartSelectorType: 'SERVER_TIMESTAMP', StartTimestamp: last }, 4);
    });

    it('answers a number that is none of the stream’s with error tags, and ends', async () => {
      const consumer = await video.consumer(stream, {
        StartSelectorType: 'FRAGMENT_NUMBER',
        AfterFragmentNumber: '12345',
      });
      const chunk = await consumer.next();
      assert.equal(chunk?.tags.get('ERROR_ID'), '4000');
      assert.equal(chunk?.tags.get('FRAGMENT_NUMBER'), '12345');
      assert.equal(chunk?.tags.has('SERVER_TIMESTAMP'), false);
      assert.equal(await consumer.next(), undefined);
    });

    const REFUSED: Readonly<Record<string, StartSelector>> = {
      'FRAGMENT_NUMBER without a number': { StartSelectorType: 'FRAGMENT_NUMBER' },
      'CONTINUATION_TOKEN without a token': { StartSelectorType: 'CONTINUATION_TOKEN' },
      'SERVER_TIMESTAMP without a time': { StartSelectorType: 'SERVER_TIMESTAMP' },
      'a token that was never given': { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: 'abc.def' },
    };
    for (const [what, selector] of Object.entries(REFUSED)) {
      it(`refuses ${what}`, async () => {
        await assert.rejects(video.consumer(stream, selector), (error: unknown) => {
          assert.ok(error instanceof KinesisVideoMediaServiceException);
          assert.equal(error.name, 'InvalidArgumentException');
          return true;
        });
      });
    }
  });

  it('waits for a moment that is still to come', async () => {
    const { stream, acks } = await filled(2);
    const selector = { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(START + 3000) } as const;
    const consumer = await video.consumer(stream, selector);
    const producer = await video.producer(stream);
    producer.send(header(), fragment(2), fragment(3));
    const chunk = await consumer.next();
    assert.equal(chunk?.tags.get('PRODUCER_TIMESTAMP'), '1795260003.000');
    assert.ok(numberOf(chunk) > (acks[1]?.FragmentNumber ?? ''));
  });

  it('gives several consumers, live, what they wait for, in order and whole', async () => {
    const stream = await camera();
    const consumers = await Promise.all([1, 2, 3, 4, 5].map(() => video.consumer(stream, 'NOW')));
    const producer = await video.producer(stream);
    producer.send(header());
    const payloads = Array.from({ length: 6 }, (_, index) => Buffer.alloc(16_000, index));
    for (const [index, payload] of payloads.entries()) {
      producer.send(fragment(index, payload));
      const { FragmentNumber } = await producer.ack('PERSISTED');
      const chunks = await Promise.all(consumers.map((consumer) => consumer.next()));
      for (const chunk of chunks) {
        assert.equal(numberOf(chunk), FragmentNumber);
        assert.ok(chunk?.bytes.includes(payload), 'the frame is there');
      }
    }
    // Those who read live and those who read later see the same bytes.
    const late = await video.consumer(stream, 'EARLIEST');
    for (const [index, chunk] of (await late.take(6)).entries())
      assert.ok(chunk.bytes.includes(payloads[index] ?? 'none'));
  });

  it('goes on across connections of producers, each with its own header', async () => {
    const stream = await camera();
    const consumer = await video.consumer(stream, 'NOW');
    for (const site of ['first', 'second']) {
      const producer = await video.producer(stream);
      producer.send(header(), producerTag('site', site), fragment(0));
      await producer.ack('PERSISTED');
      producer.end();
      await producer.ended();
      assert.ok((await consumer.next())?.bytes.includes(site));
    }
  });

  it('gives what a stream without retention receives, and nothing of it later on', async () => {
    const stream = await camera(0);
    const consumer = await video.consumer(stream, 'NOW');
    const producer = await video.producer(stream);
    producer.send(header(), fragment(0), fragment(1));
    await producer.ack('RECEIVED');
    const [one] = await consumer.take(2);
    const again = await video.consumer(stream, 'EARLIEST');
    assert.equal(numberOf((await again.take(2))[0]), numberOf(one), 'it is held for some minutes');
  });

  it('says how far behind the newest fragment each one is', async () => {
    const stream = await camera();
    const producer = await video.producer(stream);
    producer.send(header(), fragment(0));
    await producer.ack('PERSISTED');
    await new Promise((resolve) => setTimeout(resolve, 30));
    producer.send(fragment(1));
    await producer.ack('PERSISTED');
    const [one, two] = await (await video.consumer(stream, 'EARLIEST')).take(2);
    assert.ok(Number(one?.tags.get('MILLIS_BEHIND_NOW')) >= 25);
    assert.equal(two?.tags.get('MILLIS_BEHIND_NOW'), '0');
  });

  it('ends when the stream is deleted', async () => {
    const { stream } = await filled(1);
    const consumer = await video.consumer(stream, 'EARLIEST');
    const [chunk] = await consumer.take(1);
    assert.ok(chunk);
    const StreamARN = await video.arnOf(stream);
    await video.control.send(new DeleteStreamCommand({ StreamARN }));
    assert.equal(await consumer.next(), undefined);
  });

  it('holds back for a consumer that does not read, and goes on when it does', async () => {
    const stream = await camera();
    const slow = await video.consumer(stream, 'NOW');
    const producer = await video.producer(stream);
    producer.send(header());
    const payload = Buffer.alloc(16_000, 7);
    const blocks = Array.from({ length: 125 }, () => simpleBlock({ payload }));
    for (let index = 0; index < 60; index++) {
      producer.send(cluster(START + index * 1000, { blocks }), endOfFragment());
      await producer.ack('PERSISTED');
    }
    const arrayBuffers = await bytesHeld();
    assert.ok(arrayBuffers < 100_000_000, `${arrayBuffers} bytes are held for 120 MB of media`);
    const [first, second] = await slow.take(2);
    assert.ok(numberOf(first) < numberOf(second));
    slow.close();
  });

  it('answers a stream that there is none of with 404', async () => {
    await assert.rejects(video.consumer('none', 'NOW'), { name: 'ResourceNotFoundException' });
  });
});
