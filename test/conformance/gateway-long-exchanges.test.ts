import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { cluster, endOfFragment, header, simpleBlock } from '../harness/matroska-builder.ts';
import { MediaConsumer } from '../harness/media-consumer.ts';
import { MediaProducer } from '../harness/media-producer.ts';
import { headOf } from '../harness/raw-connection.ts';
import { signHeader } from '../harness/sigv4-signer.ts';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';

const IDLE_MS = 300;

describe('exchanges that last', () => {
  async function start(idleMs = 120_000): Promise<ClockedServer> {
    const server = await ClockedServer.start({ headersMs: 30_000, idleMs });
    const control = new KinesisVideoClient(server.clientConfig());
    await control.send(new CreateStreamCommand({ StreamName: 'camera', DataRetentionInHours: 1 }));
    control.destroy();
    return server;
  }

  const open = (server: ClockedServer) =>
    MediaProducer.open({
      endpoint: server.endpoint,
      credentials: server.clientConfig().credentials,
      stream: 'camera',
    });

  const fragment = (index: number) => Buffer.concat([cluster(1000 * index), endOfFragment()]);

  it('end when the server closes: what came is acknowledged, and the answer is whole', async () => {
    const server = await start();
    const media = new KinesisVideoMediaClient(server.clientConfig());
    const consumer = await MediaConsumer.open(media, 'camera', 'NOW');
    const producer = await open(server);
    producer.send(header(), fragment(1), cluster(2000, { size: 4 }));
    await producer.ack('PERSISTED');
    await consumer.take(1);
    const stopped = server.stop();
    const acks = await producer.ended();
    assert.equal(producer.isEnded, true, 'the last chunk of the answer has come');
    assert.equal(acks.filter((ack) => ack.EventType === 'PERSISTED').length, 2);
    await consumer.next();
    assert.equal(await consumer.next(), undefined);
    producer.destroy();
    await stopped;
    media.destroy();
  });

  it('do not outlive the session that began them', async () => {
    const server = await start();
    const sts = new STSClient(server.clientConfig());
    const { Credentials } = await sts.send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
    sts.destroy();
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    // A moment before its end.
    server.parts.now = (Credentials?.Expiration?.getTime() ?? 0) - 400;
    const { endpoint } = server;
    const date = new Date(server.parts.now);
    const producer = await MediaProducer.open({ endpoint, credentials, date, stream: 'camera' });
    producer.send(header(), fragment(1));
    await producer.ack('PERSISTED');
    assert.ok(!(await producer.ended()).some((ack) => ack.EventType === 'ERROR'));
    assert.equal(producer.isEnded, true);
    producer.destroy();
    await server.stop();
  });

  it('outlast any silence, and end for a client that does not take what it is sent', async () => {
    const server = await start(IDLE_MS);
    const media = new KinesisVideoMediaClient(server.clientConfig());
    const consumer = await MediaConsumer.open(media, 'camera', 'NOW');
    const producer = await open(server);
    producer.send(header(), fragment(1));
    await producer.ack('PERSISTED');
    await consumer.take(1);
    await delay(3 * IDLE_MS);
    producer.send(fragment(2));
    await producer.ack('PERSISTED');
    await consumer.take(1);

    // More than fits into anybody's buffers.
    const blocks = Array.from({ length: 60 }, () => simpleBlock({ payload: Buffer.alloc(16_000) }));
    for (let index = 3; index < 23; index++) producer.send(cluster(1000 * index, { blocks }), endOfFragment());
    for (let index = 3; index < 23; index++) await producer.ack('PERSISTED');
    const body = Buffer.from(
      JSON.stringify({ StreamName: 'camera', StartSelector: { StartSelectorType: 'EARLIEST' } }),
    );
    const { host, hostname, port } = new URL(server.endpoint);
    const { credentials } = server.clientConfig();
    const request = signHeader(
      { method: 'POST', path: '/getMedia', body },
      { credentials, service: 'kinesisvideo', host },
    );
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.pause();
    socket.write(Buffer.concat([Buffer.from(headOf(request)), body]));
    await delay(5 * IDLE_MS);
    let received = 0;
    socket.on('data', (data: Buffer) => (received += data.length));
    socket.resume();
    await once(socket, 'close');
    assert.ok(received < 15_000_000, `it was let go after ${received} of 19 MB`);
    consumer.close();
    producer.destroy();
    media.destroy();
    await server.stop();
  });
});
