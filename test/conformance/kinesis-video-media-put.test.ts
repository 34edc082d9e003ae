import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DeleteStreamCommand, UpdateDataRetentionCommand, DescribeStreamCommand } from '@aws-sdk/client-kinesis-video';
import { cluster, endOfFragment, header, producerTag, simpleBlock, tracks } from '../harness/matroska-builder.ts';
import { headOf } from '../harness/raw-connection.ts';
import { MediaProducer, putMediaRequest, type WireAck } from '../harness/media-producer.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

/** 21 November 2026, a round number. */
const NOW = 1_795_260_000_000;

describe('PutMedia', () => {
  let video: VideoPlatform;
  let count = 0;

  before(async () => {
    video = await VideoPlatform.start();
  });
  after(() => video.stop());

  /** A stream of its own for each test. */
  async function camera(hours = 24): Promise<string> {
    const name = `camera-${++count}`;
    await video.createStream(name, { DataRetentionInHours: hours });
    return name;
  }

  const typesOf = (acks: readonly WireAck[]): string[] => acks.map((ack) => ack.EventType);

  it('acknowledges each fragment as it begins, is whole and is durable, with timecodes as numbers', async () => {
    const producer = await video.producer(await camera());
    producer.send(header(), cluster(NOW));
    const first = await producer.ack('BUFFERING');
    assert.deepEqual(first, {
      EventType: 'BUFFERING',
      FragmentTimecode: NOW,
      FragmentNumber: first.FragmentNumber,
    });
    assert.match(first.FragmentNumber ?? '', /^\d{47}$/);
    producer.send(cluster(NOW + 2000));
    assert.deepEqual(await producer.ack('RECEIVED'), { ...first, EventType: 'RECEIVED' });
    assert.deepEqual(await producer.ack('PERSISTED'), { ...first, EventType: 'PERSISTED' });
    producer.end();
    const acks = await producer.ended();
    const second = acks.filter((ack) => ack.FragmentTimecode === NOW + 2000);
    assert.deepEqual(typesOf(second), ['BUFFERING', 'RECEIVED', 'PERSISTED']);
    assert.ok((second[0]?.FragmentNumber ?? '') > (first.FragmentNumber ?? ''), 'numbers grow as text');
    assert.equal(acks.length, 6);
  });

  it('begins its answer before the first byte of media, each acknowledgement a chunk and a line of its own', async () => {
    const producer = await video.producer(await camera());
    assert.equal(await producer.status(), 200);
    assert.equal(producer.headers.get('transfer-encoding'), 'chunked');
    producer.send(header(), ...Array.from({ length: 20 }, (_, index) => cluster(NOW + index)));
    producer.end();
    const acks = await producer.ended();
    assert.equal(acks.length, 60);
    assert.equal(producer.chunks.length, 60);
    for (const chunk of producer.chunks) assert.match(chunk, /^\{[^{}\n]+\}\n$/);
    const persisted = acks.filter((ack) => ack.EventType === 'PERSISTED').map((ack) => ack.FragmentTimecode);
    assert.deepEqual(
      persisted,
      Array.from({ length: 20 }, (_, index) => NOW + index),
    );
  });

  it('answers Expect: 100-continue before anything else', async () => {
    const { endpoint } = video.platform;
    const stream = await camera();
    const headers = [['Expect', '100-continue']] as const;
    const producer = await video.producer(stream, { headers });
    await producer.status();
    assert.deepEqual(producer.statuses, [100, 200]);
    const refused = await MediaProducer.open({ endpoint, credentials: video.credentials, stream: 'no-such', headers });
    assert.equal(await refused.status(), 404);
    assert.deepEqual(refused.statuses, [404], 'who is refused is not asked to send');
    refused.destroy();
  });

  it('closes a fragment at the end-of-fragment tag, while the producer waits with its connection open', async () => {
    const producer = await video.producer(await camera());
    producer.send(header(), cluster(NOW), producerTag('place', 'gate'), endOfFragment());
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, NOW);
    producer.send(cluster(NOW + 1000), endOfFragment());
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, NOW + 1000);
    assert.equal(producer.isEnded, false);
  });

  it('closes a fragment of known size soon, though nothing follows it', async () => {
    const producer = await video.producer(await camera());
    producer.send(header(), cluster(NOW, { size: 4 }));
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, NOW);
  });

  it('takes media in pieces of any size', async () => {
    const producer = await video.producer(await camera());
    const bytes = Buffer.concat([header(), cluster(NOW), producerTag('a', 'b'), cluster(NOW + 1), endOfFragment()]);
    for (const byte of bytes) producer.send(Buffer.of(byte));
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, NOW);
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, NOW + 1);
  });

  it('announces no durability where the stream keeps nothing, until its retention is raised', async () => {
    const stream = await camera(0);
    const producer = await video.producer(stream);
    producer.send(header(), cluster(NOW), endOfFragment());
    await producer.ack('RECEIVED');
    const { StreamInfo } = await video.control.send(new DescribeStreamCommand({ StreamName: stream }));
    await video.control.send(
      new UpdateDataRetentionCommand({
        StreamName: stream,
        CurrentVersion: StreamInfo?.Version,
        Operation: 'INCREASE_DATA_RETENTION',
        DataRetentionChangeInHours: 1,
      }),
    );
    producer.send(cluster(NOW + 1000), endOfFragment());
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, NOW + 1000);
    producer.end();
    const acks = await producer.ended();
    assert.deepEqual(
      acks.filter((ack) => ack.EventType === 'PERSISTED').map((ack) => ack.FragmentTimecode),
      [NOW + 1000],
    );
  });

  it('keeps relative timecodes in its acknowledgements, as the producer wrote them', async () => {
    const producer = await video.producer(await camera(), { timecodes: 'RELATIVE', start: '1795260000.53' });
    producer.send(header(), cluster(40), endOfFragment());
    assert.equal((await producer.ack('PERSISTED')).FragmentTimecode, 40);
  });

  const REFUSED_HEADERS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'both names': [['x-amzn-stream-arn', 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1']],
    'a name that cannot be': [['x-amzn-stream-name', 'a stream']],
    'no timecode type': [],
    'an unknown timecode type': [['x-amzn-fragment-timecode-type', 'SOMETIMES']],
    'a start that is no number': [['x-amzn-producer-start-timestamp', 'yesterday']],
    'no start for relative timecodes': [['x-amzn-fragment-timecode-type', 'RELATIVE']],
  };
  for (const [what, changes] of Object.entries(REFUSED_HEADERS)) {
    it(`refuses ${what} before it answers 200`, async () => {
      const good = { 'x-amzn-stream-name': await camera(), 'x-amzn-fragment-timecode-type': 'ABSOLUTE' };
      const given: Record<string, string> = { ...good, ...Object.fromEntries(changes) };
      if (what === 'no timecode type') delete given['x-amzn-fragment-timecode-type'];
      const producer = await MediaProducer.connect(video.platform.endpoint);
      const { endpoint } = video.platform;
      const request = putMediaRequest({ endpoint, credentials: video.credentials, bare: Object.entries(given) });
      producer.socket.write(headOf(request), 'latin1');
      assert.equal(await producer.status(), 400);
      assert.equal(producer.headers.get('x-amzn-errortype'), 'InvalidArgumentException');
      assert.equal(producer.headers.get('x-amz-errortype'), 'InvalidArgumentException');
      await producer.ended();
      assert.match(JSON.parse(producer.chunks.join('')).Message as string, /./);
      producer.destroy();
    });
  }

  it('refuses a stream that there is none of with 404', async () => {
    const producer = await video.producer('none');
    assert.equal(await producer.status(), 404);
    assert.equal(producer.headers.get('x-amzn-errortype'), 'ResourceNotFoundException');
  });

  const longTag = producerTag('n'.repeat(129), 'v');
  const ERRORS: readonly (readonly [what: string, id: number, code: string, media: readonly Buffer[]])[] = [
    ['what is no Matroska', 4006, 'INVALID_MKV_DATA', [Buffer.from('GET / HTTP/1.1')]],
    ['a second Segment', 4006, 'INVALID_MKV_DATA', [header(), cluster(NOW), header()]],
    ['a body that ends amid a block', 4006, 'INVALID_MKV_DATA', [header(), cluster(NOW).subarray(0, -2)]],
    [
      'a timecode that goes back',
      4004,
      'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS',
      [header(), cluster(NOW), cluster(NOW - 1)],
    ],
    ['a timecode that stays', 4004, 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS', [header(), cluster(NOW), cluster(NOW)]],
    [
      'more tags than ten',
      4009,
      'FRAGMENT_METADATA_LIMIT_REACHED',
      [header(), cluster(NOW), ...Array.from({ length: 11 }, (_, i) => producerTag(`t${i}`, 'v'))],
    ],
    ['a tag with a long name', 4009, 'FRAGMENT_METADATA_LIMIT_REACHED', [header(), cluster(NOW), longTag]],
    [
      'a block of a track that is not declared',
      4010,
      'TRACK_NUMBER_MISMATCH',
      [header(), cluster(NOW, { blocks: [simpleBlock(), simpleBlock({ track: 2 })] })],
    ],
    [
      'a track without frames',
      4011,
      'FRAMES_MISSING_FOR_TRACK',
      [header({ number: 1 }, { number: 2, type: 'audio' }), cluster(NOW)],
    ],
    [
      'four tracks',
      4012,
      'MORE_THAN_ALLOWED_TRACKS_FOUND',
      [header(...[1, 2, 3, 4].map((number) => ({ number }))), cluster(NOW)],
    ],
    ['a producer timestamp beyond all years', 4007, 'INVALID_PRODUCER_TIMESTAMP', [header(), cluster(2 ** 48 - 1)]],
    [
      'a fragment that lasts too long',
      4002,
      'MAX_FRAGMENT_DURATION_REACHED',
      [header(), cluster(NOW, { blocks: [simpleBlock(), simpleBlock({ time: 20_001 })] })],
    ],
  ];
  for (const [what, id, code, media] of ERRORS) {
    it(`answers ${what} with an acknowledgement ${id} and the end`, async () => {
      const producer = await video.producer(await camera());
      producer.send(...media);
      producer.end();
      const acks = await producer.ended();
      assert.equal(await producer.status(), 200);
      const last = acks.at(-1);
      assert.deepEqual([last?.EventType, last?.ErrorId, last?.ErrorCode], ['ERROR', id, code], JSON.stringify(acks));
      assert.equal(acks.filter((ack) => ack.EventType === 'ERROR').length, 1);
    });
  }

  it('refuses a fragment of more than 50 MB, and ends although the producer goes on sending', async () => {
    const producer = await video.producer(await camera());
    producer.send(header(), cluster(NOW, { blocks: [] }));
    const megabyte = simpleBlock({ payload: Buffer.alloc(16_000) });
    const piece = Buffer.concat(Array.from({ length: 64 }, () => megabyte));
    for (let sent = 0; sent < 60 && !producer.isEnded; sent++) {
      producer.send(piece);
      await new Promise(setImmediate);
    }
    const acks = await producer.ended();
    assert.deepEqual(typesOf(acks), ['BUFFERING', 'ERROR']);
    assert.equal(acks[1]?.ErrorCode, 'MAX_FRAGMENT_SIZE_REACHED');
    assert.equal(acks[1]?.FragmentTimecode, NOW);
  });

  it('acknowledges what was whole before it tells the error', async () => {
    const producer = await video.producer(await camera());
    producer.send(header(), cluster(NOW), cluster(NOW + 1), Buffer.concat([tracks(), cluster(NOW + 2)]));
    producer.end();
    const acks = await producer.ended();
    assert.equal(acks.filter((ack) => ack.EventType === 'PERSISTED').length, 2);
    assert.equal(acks.at(-1)?.ErrorCode, 'INVALID_MKV_DATA');
  });

  it('ends a connection whose stream is deleted, with 4008', async () => {
    const stream = await camera();
    const producer = await video.producer(stream);
    producer.send(header(), cluster(NOW), endOfFragment());
    await producer.ack('PERSISTED');
    const { StreamInfo } = await video.control.send(new DescribeStreamCommand({ StreamName: stream }));
    await video.control.send(new DeleteStreamCommand({ StreamARN: StreamInfo?.StreamARN }));
    const last = (await producer.ended()).at(-1);
    assert.deepEqual([last?.EventType, last?.ErrorId, last?.ErrorCode], ['ERROR', 4008, 'STREAM_NOT_ACTIVE']);
  });

  it('takes one producer at a time: a second one is refused until the first has gone', async () => {
    const stream = await camera();
    const first = await video.producer(stream);
    first.send(header(), cluster(NOW), endOfFragment());
    await first.ack('PERSISTED');
    const second = await video.producer(stream);
    assert.equal(await second.status(), 400);
    assert.equal(second.headers.get('x-amzn-errortype'), 'ConnectionLimitExceededException');
    first.send(cluster(NOW + 1), endOfFragment());
    await first.ack('PERSISTED');
    first.end();
    await first.ended();
    const third = await video.producer(stream);
    third.send(header(), cluster(NOW), endOfFragment());
    assert.ok((await third.ack('PERSISTED')).FragmentNumber, 'a connection may begin at an earlier time');
  });
});
