import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  closingAfterEach,
  eventually,
  LegCollector,
  makePayloads,
  startDatagramTaker,
} from '#test/harness/leg-collector.ts';
import { startRelayGroup } from '#test/harness/relay-group.ts';
import { startRistReceiver, startRistSender, withoutRistTools } from '#test/harness/rist-tools.ts';
import { LegError } from '../live/leg-error.ts';
import { RtpPacketView, writeRtpHeader } from '../rtp/rtp-packet.ts';
import { RistOutput } from './rist-output.ts';
import { RistSource } from './rist-source.ts';
import { RtcpWriter } from './rtcp-packet.ts';

const closeLater = closingAfterEach();
const LOCAL = { address: '127.0.0.1', port: 0, allowed: ['127.0.0.0/8'] };
const LATENCY_MS = 400;
const PROBE = Buffer.alloc(188, 'probe');
const isProbe = (payload: Buffer): boolean => payload.equals(PROBE);

async function openSource({ allowed = LOCAL.allowed, latencyMs = LATENCY_MS, isOrdered = true } = {}) {
  const collector = new LegCollector();
  const source = new RistSource({ ...LOCAL, allowed, latencyMs }, collector, collector.onEvent, { isOrdered });
  await source.open();
  closeLater(source);
  assert.ok(source.port);
  return { collector, source, port: source.port };
}

async function openOutput(port: number, latencyMs = LATENCY_MS) {
  const collector = new LegCollector();
  const output = new RistOutput({ host: '127.0.0.1', port, smoothingMs: 0, latencyMs }, collector.onEvent);
  await output.open();
  closeLater(output);
  return { output, events: collector.events };
}

/** A network that loses 5 % and reorders 2 % of the media, and 2 % of the reports. */
function badNetwork(to: number) {
  return startRelayGroup(
    to,
    new Map([
      [0, { loss: 0.05, reorder: 0.02, seed: 5 }],
      [1, { loss: 0.02, seed: 6 }],
    ]),
  );
}

/** Some 10 Mb/s. */
async function sendAll(payloads: readonly Buffer[], send: (payload: Buffer) => unknown): Promise<void> {
  for (const [index, payload] of payloads.entries()) {
    send(payload);
    if (index % 5 === 4) await delay(5);
  }
}

function rtpPacket(sequence: number, payload: Uint8Array, ssrc: number): Buffer {
  const header = Buffer.alloc(12);
  writeRtpHeader(header, 33, sequence, sequence * 90, ssrc);
  return Buffer.concat([header, payload]);
}

describe('RIST legs', () => {
  it('recover what a network lost and reordered, byte for byte', async () => {
    const { collector, source, port } = await openSource();
    const relay = closeLater(await badNetwork(port));
    const { output, events } = await openOutput(relay.port);
    const payloads = makePayloads(1500);
    await eventually('the taker answers', () => output.statistics().isConnected);
    output.send(PROBE);
    await eventually('the probe came', () => collector.payloads.length > 0 || (output.send(PROBE), false));
    await sendAll(payloads, (payload) => output.send(payload));
    relay.change({ loss: 0, reorder: 0 });
    output.send(PROBE);
    const came = () => collector.payloads.filter((payload) => !isProbe(payload));
    await eventually('all came', () => came().length === payloads.length);
    assert.deepEqual(came(), payloads);
    const statistics = source.statistics();
    assert.equal(statistics.lost, 0);
    assert.ok(statistics.arqRecovered > 40 && statistics.arqRequests >= statistics.arqRecovered);
    assert.equal(statistics.recovered, statistics.arqRecovered);
    assert.ok((statistics.roundTripMs ?? -1) >= 0);
    assert.ok(output.statistics().retransmitted >= statistics.arqRecovered);
    assert.ok((output.statistics().roundTripMs ?? -1) >= 0);
    assert.deepEqual(events, [{ kind: 'connected', peer: `127.0.0.1:${relay.port}` }]);
    await output.close();
    await relay.close();
    await source.close();
  });

  it('take the stream of ristsender over a bad network', { skip: withoutRistTools }, async () => {
    const { collector, source, port } = await openSource({ latencyMs: 600 });
    const relay = closeLater(await badNetwork(port));
    const feed = closeLater(await startDatagramTaker());
    const inlet = closeLater(await startDatagramTaker());
    await inlet.close();
    const sender = closeLater(startRistSender(inlet.port, relay.port, 600));
    try {
      await eventually('it sends', () => {
        void feed.send(PROBE, { port: inlet.port });
        return collector.payloads.length > 0;
      });
      const payloads = makePayloads(1500);
      await sendAll(payloads, (payload) => feed.send(payload, { port: inlet.port }));
      relay.change({ loss: 0, reorder: 0 });
      await feed.send(PROBE, { port: inlet.port });
      const came = () => collector.payloads.filter((payload) => !isProbe(payload));
      await eventually('all came', () => came().length === payloads.length);
      assert.deepEqual(came(), payloads);
      const { lost, arqRecovered, roundTripMs } = source.statistics();
      assert.equal(lost, 0);
      assert.ok(arqRecovered > 40);
      assert.ok((roundTripMs ?? -1) >= 0);
    } finally {
      await sender.close();
      await feed.close();
      await relay.close();
      await source.close();
    }
  });

  it('give ristreceiver a stream over a bad network', { skip: withoutRistTools }, async () => {
    const outlet = closeLater(await startDatagramTaker());
    const listen = await openSource();
    await listen.source.close();
    const receiver = closeLater(startRistReceiver(listen.port, outlet.port, 600));
    const relay = closeLater(await badNetwork(listen.port));
    const { output } = await openOutput(relay.port, 600);
    try {
      await eventually('it receives', () => {
        output.send(PROBE);
        return outlet.datagrams.length > 0;
      });
      const payloads = makePayloads(1500);
      await sendAll(payloads, (payload) => output.send(payload));
      relay.change({ loss: 0, reorder: 0 });
      output.send(PROBE);
      const came = () => outlet.datagrams.filter((payload) => !isProbe(payload));
      await eventually('all came', () => came().length === payloads.length);
      assert.deepEqual(came(), payloads);
      assert.ok(output.statistics().retransmitted > 40);
      assert.ok(output.statistics().isConnected);
    } finally {
      await receiver.close();
      await output.close();
      await relay.close();
      await outlet.close();
    }
  });

  it('give packets at once, each once, where another puts them in order', async () => {
    const { collector, source, port } = await openSource({ isOrdered: false, latencyMs: 15_000 });
    const sender = closeLater(await startDatagramTaker());
    for (const sequence of [10, 11, 13, 13, 12, 14])
      await sender.send(rtpPacket(sequence, Buffer.from('x'), 4), { port });
    await eventually('all came', () => collector.payloads.length === 5);
    assert.deepEqual(collector.sequences, [10, 11, 13, 12, 14]);
    assert.equal(source.statistics().dropped, 1);
    await source.close();
    await sender.close();
  });

  it('need an even port, and both ports', async () => {
    const odd = new RistSource({ ...LOCAL, port: 5001, latencyMs: 100 }, new LegCollector(), () => undefined, {
      isOrdered: true,
    });
    await assert.rejects(odd.open(), (error) => error instanceof LegError && /even/.test(error.message));
    const { source, port } = await openSource();
    await source.close();
    const companion = closeLater(await startDatagramTaker(port + 1));
    const blocked = new RistSource({ ...LOCAL, port, latencyMs: 100 }, new LegCollector(), () => undefined, {
      isOrdered: true,
    });
    await assert.rejects(blocked.open(), (error) => error instanceof LegError && error.code === 'port-in-use');
    await companion.close();
    await blocked.open();
    closeLater(blocked);
    await blocked.close();
  });

  it('answer nobody who is not allowed, on both ports', async () => {
    const { collector, source, port } = await openSource({ allowed: ['10.0.0.0/8'] });
    const stranger = closeLater(await startDatagramTaker());
    const report = new RtcpWriter(2).begin().senderReport(2, 0, 0, 0, 0).sourceDescription(2);
    await stranger.send(rtpPacket(1, Buffer.from('x'), 2), { port });
    await stranger.send(report.echo('echoRequest', 2, 1, 2).datagram(), { port: port + 1 });
    await eventually('both were refused', () => source.statistics().refused === 2);
    await delay(150);
    assert.deepEqual(stranger.datagrams, []);
    assert.deepEqual(collector.payloads, []);
    await source.close();
    await stranger.close();
  });

  it('answer the RTCP of the sender, and not that of another address that is allowed', async () => {
    const { source, port } = await openSource();
    const sender = closeLater(await startDatagramTaker());
    const other = closeLater(await startDatagramTaker(0, '127.0.0.2'));
    const report = (ssrc: number): Buffer =>
      new RtcpWriter(ssrc).begin().senderReport(ssrc, 0, 0, 0, 0).sourceDescription(ssrc).datagram();
    await sender.send(rtpPacket(1, Buffer.from('x'), 2), { port });
    await eventually('it is known', () => source.statistics().isConnected);
    await other.send(report(4), { port: port + 1 });
    await eventually('it was dropped', () => source.statistics().dropped === 1);
    await sender.send(report(2), { port: port + 1 });
    await eventually('the sender was answered', () => sender.datagrams.length > 0);
    assert.deepEqual(other.datagrams, []);
    await Promise.all([source.close(), sender.close(), other.close()]);
  });

  it('do not flood a taker that asks for everything again and again', async () => {
    const taker = await openSource();
    await taker.source.close();
    const media = closeLater(await startDatagramTaker(taker.port));
    const control = closeLater(await startDatagramTaker(taker.port + 1));
    const { output } = await openOutput(taker.port, 2000);
    await eventually('it reports', () => control.datagrams.length > 0);
    await sendAll(makePayloads(100), (payload) => output.send(payload));
    await eventually('all came', () => media.datagrams.length === 100);
    const to = { port: control.senders[0]?.port ?? 0 };
    const view = new RtpPacketView();
    assert.ok(view.read(media.datagrams[0] ?? Buffer.alloc(0)));
    const everything = Uint16Array.from({ length: 512 }, (_, index) => (index % 2 === 0 ? view.sequence : 99));
    const storm = new RtcpWriter(9).begin().receiverReport(9).rangeNack(0, everything, 256).datagram();
    for (let count = 0; count < 300; count++) {
      await control.send(storm, to);
      await delay(1);
    }
    await delay(300);
    const repeats = media.datagrams.filter((datagram) => view.read(datagram) && view.ssrc % 2 === 1).length;
    assert.ok(repeats >= 100 && repeats <= 2100, `${repeats}`);
    assert.equal(output.statistics().retransmitted, repeats);
    await output.close();
    await media.close();
    await control.close();
  });
});
