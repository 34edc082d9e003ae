import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import {
  closingAfterEach,
  eventually,
  LegCollector,
  makePayloads,
  startDatagramTaker,
} from '#test/harness/leg-collector.ts';
import { startLossyRelay } from '#test/harness/lossy-relay.ts';
import { RtpOutput } from './rtp-output.ts';
import { RtpPacketView, writeRtpHeader } from './rtp-packet.ts';
import { RtpSource } from './rtp-source.ts';

const closeLater = closingAfterEach();
const SENDER = 'ffmpeg';
const LOCAL = { address: '127.0.0.1', port: 0, allowed: ['127.0.0.0/8'] };

async function openSource(isOrdered = true) {
  const collector = new LegCollector();
  const source = new RtpSource(LOCAL, collector, collector.onEvent, { isOrdered });
  await source.open();
  closeLater(source);
  assert.ok(source.port);
  return { collector, source, port: source.port };
}

async function openOutput(port: number) {
  const output = new RtpOutput({ host: '127.0.0.1', port, smoothingMs: 0 }, () => undefined);
  await output.open();
  closeLater(output);
  return output;
}

function rtpPacket(sequence: number, payload: Uint8Array, { ssrc = 7, type = 33 } = {}): Buffer {
  const header = Buffer.alloc(12);
  writeRtpHeader(header, type, sequence, sequence * 90, ssrc);
  return Buffer.concat([header, payload]);
}

describe('RTP legs', () => {
  it('carry payloads as RTP packets of a transport stream', async () => {
    const taker = closeLater(await startDatagramTaker());
    const output = await openOutput(taker.port);
    const payloads = [...makePayloads(300), Buffer.alloc(188, 1), Buffer.alloc(1460, 2)];
    for (const payload of payloads) output.send(payload);
    await eventually('all came', () => taker.datagrams.length === payloads.length);
    const view = new RtpPacketView();
    let previous: number | undefined;
    for (const [index, datagram] of taker.datagrams.entries()) {
      assert.ok(view.read(datagram));
      assert.equal(view.payloadType, 33);
      if (previous !== undefined) assert.equal(view.sequence, (previous + 1) & 0xffff);
      previous = view.sequence;
      assert.deepEqual(datagram.subarray(view.payloadStart), payloads[index]);
    }
    await output.close();
    await taker.close();
  });

  it('give in order what a network reordered and doubled, and count what it lost', async () => {
    const { collector, source, port } = await openSource();
    const to = { host: '127.0.0.1', port };
    const relay = closeLater(await startLossyRelay({ to, loss: 0.05, reorder: 0.05, duplicate: 0.05, seed: 3 }));
    const output = await openOutput(relay.port);
    const payloads = makePayloads(2000);
    for (const [index, payload] of payloads.entries()) {
      output.send(payload);
      if (index % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    relay.change({ loss: 0, reorder: 0, duplicate: 0 });
    const last = Buffer.from('the last one');
    output.send(last);
    await eventually('the last came', () => collector.payloads.at(-1)?.equals(last) === true);
    const { packets, lost, dropped, jitterMs } = source.statistics();
    const { forward, lost: lostOnTheWay, duplicated } = relay.counts;
    assert.ok(lostOnTheWay > 50 && lost >= lostOnTheWay);
    assert.equal(packets + lost, payloads.length + 1);
    assert.equal(packets + dropped, forward - lostOnTheWay + duplicated);
    assert.ok((jitterMs ?? -1) >= 0);
    const sent = new Map(payloads.map((payload, index) => [payload.toString('latin1'), index]));
    const order = collector.payloads.slice(0, -1).map((payload) => sent.get(payload.toString('latin1')) ?? -1);
    assert.ok(order.every((index, position) => index > (order[position - 1] ?? -1)));
    await output.close();
    await relay.close();
    await source.close();
  });

  it('drop what is no RTP packet of a transport stream, and leave RTCP alone', async () => {
    const { collector, source, port } = await openSource();
    const sender = closeLater(await startDatagramTaker());
    await sender.send(rtpPacket(1, Buffer.from('first')), { port });
    await sender.send(Buffer.from('not RTP at all'), { port });
    await sender.send(rtpPacket(2, Buffer.from('sound'), { type: 0 }), { port });
    await sender.send(Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0]), { port });
    await sender.send(rtpPacket(2, Buffer.from('second'), { type: 96 }), { port });
    await eventually('both came', () => collector.payloads.length === 2);
    assert.deepEqual(collector.payloads.map(String), ['first', 'second']);
    assert.deepEqual(collector.sequences, [1, 2]);
    assert.equal(source.statistics().dropped, 2);
    await source.close();
    await sender.close();
  });

  it('follow a sender that starts again with another SSRC, and not one that talks in between', async () => {
    const { collector, source, port } = await openSource();
    const sender = closeLater(await startDatagramTaker());
    for (let index = 0; index < 50; index++) {
      await sender.send(rtpPacket(100 + index, Buffer.from('mine'), { ssrc: 7 }), { port });
      await sender.send(rtpPacket(40_000 + index, Buffer.from('other'), { ssrc: 8 }), { port });
    }
    await eventually('all came', () => collector.payloads.length === 50 && source.statistics().dropped === 50);
    assert.ok(collector.payloads.every((payload) => String(payload) === 'mine'));
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (let index = 0; index < 50; index++) {
      await sender.send(rtpPacket(200 + index, Buffer.from('new'), { ssrc: 9 }), { port });
    }
    await eventually('the new ones came', () => collector.payloads.length === 100);
    assert.equal(source.statistics().lost, 0);
    await source.close();
    await sender.close();
  });

  it('take the stream of ffmpeg', { skip: withoutFfmpeg }, async () => {
    const { collector, source, port } = await openSource();
    const input = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25', '-t', '1', '-c:v', 'mpeg2video'];
    const muxer = ['-f', 'rtp_mpegts', `rtp://127.0.0.1:${port}?pkt_size=1328`];
    const ffmpeg = spawn(SENDER, ['-v', 'error', ...input, ...muxer], { stdio: 'ignore' });
    const [status] = await once(ffmpeg, 'exit');
    assert.equal(status, 0);
    const stream = Buffer.concat(collector.payloads);
    assert.ok(stream.length > 10_000);
    assert.equal(stream.length % 188, 0);
    for (let at = 0; at < stream.length; at += 188) assert.equal(stream[at], 0x47);
    assert.equal(source.statistics().lost, 0);
    await source.close();
  });
});
