import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FragmentWriter } from '#media/matroska/fragment-writer.ts';
import { FragmentUpload } from '../../bin/kvs/fragment-upload.ts';
import { KvsTarget } from '../../bin/kvs/kvs-target.ts';
import type { Acknowledgement } from '../../bin/kvs/put-media-connection.ts';
import { header } from '../harness/matroska-builder.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

const START = 1_795_260_000_000;
const FRAGMENTS = 4;

describe('the upload of coffer kvs put', () => {
  let video: VideoPlatform;

  before(async () => {
    video = await VideoPlatform.start();
  });
  after(() => video.stop());

  /** Sends fragments of one second each. */
  async function upload(stream: string, connectionMs?: number): Promise<Acknowledgement[]> {
    const target = await KvsTarget.find(stream, {}, video.platform.environment);
    const acknowledgements: Acknowledgement[] = [];
    const sending = new FragmentUpload({
      target,
      header: header(),
      startedAt: START,
      onAcknowledgement: (_, acknowledgement) => acknowledgements.push(acknowledgement),
      ...(connectionMs !== undefined && { connectionMs }),
    });
    const writer = new FragmentWriter(1, []);
    const frames = Array.from({ length: FRAGMENTS * 2 }, (_, index) => ({
      track: 1,
      timecodeMs: index * 500,
      isKeyframe: index % 2 === 0,
      payload: Buffer.alloc(100_000, index),
    }));
    for (const frame of frames) for (const piece of writer.add(frame)) await sending.send(piece, false);
    for (const piece of writer.end()) await sending.send(piece, false);
    await sending.end();
    target.close();
    assert.deepEqual([sending.sent, sending.acknowledged], [FRAGMENTS, FRAGMENTS]);
    return acknowledgements;
  }

  it('goes on over a new connection when one has lasted long enough, without a gap', async () => {
    await video.createStream('long');
    const acknowledgements = await upload('long', 0);
    assert.equal(acknowledgements.filter(({ EventType }) => EventType === 'PERSISTED').length, FRAGMENTS);
    const consumer = await video.consumer('long', 'EARLIEST');
    const chunks = await consumer.take(FRAGMENTS);
    assert.deepEqual(
      chunks.map(({ tags }) => Number(tags.get('PRODUCER_TIMESTAMP')) * 1000),
      Array.from({ length: FRAGMENTS }, (_, index) => START + index * 1000),
    );
    for (const { bytes } of chunks) assert.equal(bytes.subarray(0, header().length).compare(header()), 0);
  });

  it('tells why when the service refuses the stream in its midst', async () => {
    await video.createStream('short');
    await upload('short');
    const target = await KvsTarget.find('short', {}, video.platform.environment);
    const sending = new FragmentUpload({ target, header: header(), startedAt: START, onAcknowledgement: () => {} });
    const send = async (): Promise<void> => {
      await sending.send({ bytes: [Buffer.from('no Matroska')], timeMs: 0, endsFragment: true }, true);
      await sending.end();
    };
    await assert.rejects(send, { name: 'PutMediaError', message: /error 4006, INVALID_MKV_DATA/ });
    target.close();
  });
});
