import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { describe, it } from 'node:test';
import {
  closingAfterEach,
  eventually,
  LegCollector,
  makePayloads,
  startDatagramTaker,
} from '#test/harness/leg-collector.ts';
import { LegError } from '../live/leg-error.ts';
import { UdpOutput } from './udp-output.ts';
import { UdpSource } from './udp-source.ts';

const closeLater = closingAfterEach();
const LOCAL = { address: '127.0.0.1', port: 0, allowed: ['127.0.0.0/8'] };

async function openSource(allowed: readonly string[] = LOCAL.allowed) {
  const collector = new LegCollector();
  const source = new UdpSource({ ...LOCAL, allowed }, collector, collector.onEvent);
  await source.open();
  closeLater(source);
  assert.ok(source.port);
  return { collector, source, port: source.port };
}

async function openOutput(port: number, smoothingMs = 0, host = '127.0.0.1') {
  const collector = new LegCollector();
  const output = new UdpOutput({ host, port, smoothingMs }, collector.onEvent);
  await output.open();
  closeLater(output);
  return { output, events: collector.events };
}

describe('UDP legs', () => {
  it('carry datagrams of any size as they are', async () => {
    const { collector, source, port } = await openSource();
    const { output } = await openOutput(port);
    const payloads = [...makePayloads(100), Buffer.from('x'), Buffer.alloc(1400, 'y')];
    for (const payload of payloads) output.send(payload);
    await eventually('all came', () => collector.payloads.length === payloads.length);
    assert.deepEqual(collector.payloads, payloads);
    const bytes = payloads.reduce((sum, { length }) => sum + length, 0);
    const { packets, isConnected, peer } = source.statistics();
    assert.deepEqual([packets, source.statistics().bytes, isConnected], [102, bytes, true]);
    assert.deepEqual([output.statistics().packets, output.statistics().bytes], [102, bytes]);
    assert.match(peer ?? '', /^127\.0\.0\.1:\d+$/);
    await output.close();
    await source.close();
  });

  it('tell when a sender comes, and when nothing came for a second', async () => {
    const { collector, source, port } = await openSource();
    const sender = closeLater(await startDatagramTaker());
    await sender.send(Buffer.from('here'), { port });
    await eventually('it went', () => collector.events.length === 2);
    const peer = `127.0.0.1:${sender.port}`;
    assert.deepEqual(collector.events, [
      { kind: 'connected', peer },
      { kind: 'disconnected', peer, reason: 'nothing came for a second' },
    ]);
    assert.equal(source.statistics().isConnected, false);
    assert.equal(source.statistics().disconnections, 1);
    await sender.send(Buffer.from('again'), { port });
    await eventually('it is back', () => source.statistics().isConnected);
    await source.close();
    await sender.close();
  });

  it('drop what comes from addresses that are not allowed, and tell it once', async () => {
    const { collector, source, port } = await openSource(['127.0.0.2/32', '10.0.0.0/8']);
    const sender = closeLater(await startDatagramTaker());
    for (let count = 0; count < 20; count++) await sender.send(Buffer.from('let me in'), { port });
    await eventually('all were seen', () => source.statistics().refused === 20);
    assert.deepEqual(collector.payloads, []);
    assert.deepEqual(collector.events, [
      { kind: 'refused', peer: `127.0.0.1:${sender.port}`, reason: 'the address is not allowed' },
    ]);
    assert.equal(source.statistics().isConnected, false);
    await source.close();
    await sender.close();
  });

  it('take nothing from anybody where nobody is allowed', async () => {
    const { collector, source, port } = await openSource([]);
    const sender = closeLater(await startDatagramTaker());
    await sender.send(Buffer.from('let me in'), { port });
    await eventually('it was seen', () => source.statistics().refused === 1);
    assert.deepEqual(collector.payloads, []);
    await source.close();
    await sender.close();
  });

  it('refuse a port that is taken and an address of another machine, and free their port when closed', async () => {
    const { source, port } = await openSource();
    const second = new UdpSource({ ...LOCAL, port }, new LegCollector(), () => undefined);
    await assert.rejects(second.open(), (error) => error instanceof LegError && error.code === 'port-in-use');
    const elsewhere = new UdpSource({ ...LOCAL, address: '192.0.2.1' }, new LegCollector(), () => undefined);
    await assert.rejects(
      elsewhere.open(),
      (error) => error instanceof LegError && error.code === 'address-not-available',
    );
    await source.close();
    await second.open();
    closeLater(second);
    await second.close();
  });

  it('spread a burst over the smoothing time, and change nothing of it', async () => {
    const { collector, source, port } = await openSource();
    const { output } = await openOutput(port, 100);
    const payloads = makePayloads(200);
    for (const payload of payloads) output.send(payload);
    assert.ok(output.statistics().packets < 20);
    await eventually('all came', () => collector.payloads.length === payloads.length);
    assert.deepEqual(collector.payloads, payloads);
    await output.close();
    await source.close();
  });

  it('count what a taker that is not there refuses, and reach it when it comes', async () => {
    const taker = closeLater(await startDatagramTaker());
    await taker.close();
    const { output } = await openOutput(taker.port);
    const [payload = Buffer.alloc(0)] = makePayloads(1);
    await eventually('a refusal', () => {
      output.send(payload);
      return output.statistics().dropped > 0;
    });
    const back = closeLater(await startDatagramTaker(taker.port));
    await eventually('it came', () => {
      output.send(payload);
      return back.datagrams.length > 0;
    });
    await output.close();
    await back.close();
  });

  it('find takers by name, and tell of a name that means nothing without a throw', async () => {
    const { address } = await lookup('localhost');
    const collector = new LegCollector();
    const listen = { address, port: 0, allowed: ['127.0.0.0/8', '::1/128'] };
    const source = new UdpSource(listen, collector, collector.onEvent);
    await source.open();
    closeLater(source);
    const { output } = await openOutput(source.port ?? 0, 0, 'localhost');
    await eventually('it came', () => {
      output.send(Buffer.from('by name'));
      return collector.payloads.length > 0;
    });
    await output.close();
    await source.close();

    const nowhere = await openOutput(5000, 0, 'taker.invalid');
    await eventually('it told', () => nowhere.events.length === 1);
    const [event] = nowhere.events;
    assert.equal(event?.kind, 'disconnected');
    assert.equal(event?.peer, 'taker.invalid:5000');
    nowhere.output.send(Buffer.from('lost'));
    assert.equal(nowhere.output.statistics().dropped, 1);
    assert.equal(nowhere.output.statistics().isConnected, false);
    await nowhere.output.close();
    nowhere.output.send(Buffer.from('after the end'));
  });
});
