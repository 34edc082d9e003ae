import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { flowSpec, HERE, numberedPackets, UdpSender, UdpTaker, udpOutput, udpSource } from '#test/harness/live-flow.ts';
import { freePorts, until } from '#test/harness/live-tools.ts';
import { DEFAULT_STILLS_LIMITS, StillsPool } from '../stills/stills-pool.ts';
import type { FlowEvent } from './flow-engine.ts';
import type { SourceSpec } from './flow-spec.ts';
import { FlowWorkers } from './flow-workers.ts';

describe('live flows', () => {
  const stills = new StillsPool({ ...DEFAULT_STILLS_LIMITS, workers: 1 });
  let engine: FlowWorkers;
  let events: FlowEvent[];

  beforeEach(() => {
    engine = new FlowWorkers(stills, 2);
    events = [];
    engine.onEvent((event) => events.push(event));
  });

  afterEach(() => engine.close());

  it('carry every byte to all outputs, also to one that comes later, and not to one that has gone', async () => {
    await using first = await UdpTaker.open();
    await using second = await UdpTaker.open();
    await using sender = new UdpSender();
    const port = await freePorts();
    const sources = [udpSource('in', port)];
    const one = udpOutput('one', first.port);
    const two = udpOutput('two', second.port);
    await engine.apply(flowSpec({ sources, outputs: [one] }));
    const stream = numberedPackets(2100);
    const third = stream.length / 3;
    await sender.feed(port, stream.subarray(0, third));
    await until('the first third', () => first.bytes.length === third);
    await engine.apply(flowSpec({ sources, outputs: [one, two] }));
    await sender.feed(port, stream.subarray(third, 2 * third));
    await until('the second third', () => second.bytes.length === third);
    await engine.apply(flowSpec({ sources, outputs: [two] }));
    await sender.feed(port, stream.subarray(2 * third));
    await until('the last third', () => second.bytes.length === 2 * third);
    assert.deepEqual(first.bytes, stream.subarray(0, 2 * third));
    assert.deepEqual(second.bytes, stream.subarray(third));
  });

  it('free their ports when they are stopped, and can be started again', async () => {
    await using taker = await UdpTaker.open();
    await using sender = new UdpSender();
    const port = await freePorts();
    const spec = flowSpec({ sources: [udpSource('in', port)], outputs: [udpOutput('out', taker.port)] });
    for (let round = 0; round < 3; round++) {
      await engine.apply(spec);
      await engine.stop(spec.id);
      assert.equal(engine.status(spec.id), undefined);
    }
    const socket = createSocket('udp4');
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    socket.close();
    await engine.apply(spec);
    await sender.feed(port, numberedPackets(70));
    await until('the stream', () => taker.bytes.length === 70 * 188);
  });

  it('do not start where a source’s port is taken, and say which', async () => {
    await using squatter = await UdpTaker.open();
    const spec = flowSpec({ sources: [udpSource('in', squatter.port)], outputs: [] });
    await assert.rejects(engine.apply(spec), {
      name: 'LegError',
      code: 'port-in-use',
      message: `Cannot listen on UDP 127.0.0.1:${squatter.port}: the port is in use.`,
    });
    assert.equal(engine.status(spec.id), undefined);
  });

  it('go on as they were when a change cannot be made', async () => {
    await using squatter = await UdpTaker.open();
    await using taker = await UdpTaker.open();
    await using sender = new UdpSender();
    const port = await freePorts();
    const outputs = [udpOutput('out', taker.port)];
    await engine.apply(flowSpec({ sources: [udpSource('in', port)], outputs }));
    await assert.rejects(engine.apply(flowSpec({ sources: [udpSource('in', squatter.port)], outputs })));
    await sender.feed(port, numberedPackets(70));
    await until('the stream', () => taker.bytes.length === 70 * 188);
  });

  it('run on in another process when theirs dies, within two seconds', async () => {
    await using taker = await UdpTaker.open();
    await using sender = new UdpSender();
    const port = await freePorts();
    const spec = flowSpec({ sources: [udpSource('in', port)], outputs: [udpOutput('out', taker.port)] });
    await engine.apply(spec);
    for (let death = 1; death <= 2; death++) {
      const [pid = 0] = engine.pids;
      process.kill(pid, 'SIGKILL');
      const begun = performance.now();
      await until('the new process', () => events.filter(({ kind }) => kind === 'restarted').length === death, 2000);
      assert.ok(performance.now() - begun < 2000);
      taker.datagrams.length = 0;
      await sender.feed(port, numberedPackets(70));
      await until('the stream', () => taker.bytes.length === 70 * 188);
    }
  });

  it('are spread over processes, and are ended with the engine', async () => {
    const first = await freePorts(10);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        engine.apply(flowSpec({ id: `flow-${index}`, sources: [udpSource('in', first + index)], outputs: [] })),
      ),
    );
    assert.equal(engine.pids.length, 2);
    const { pids } = engine;
    await engine.close();
    await until('the end of the processes', () => pids.every((pid) => !isAlive(pid)), 3000);
  });

  it('take one source for another that falls silent, and the preferred one again when it is back', async () => {
    await using taker = await UdpTaker.open();
    await using sender = new UdpSender();
    const ports = await freePorts(2);
    const sources = [udpSource('main', ports), udpSource('spare', ports + 1)];
    const outputs = [udpOutput('out', taker.port)];
    const spec = flowSpec({ sources, outputs, failover: { mode: 'failover', primary: 'main' } });
    await engine.apply(spec);
    const selected = () => events.flatMap((event) => (event.kind === 'selected' ? [event.sourceId] : [])).at(-1);
    let isMainThere = true;
    let isOver = false;
    const sending = (async () => {
      const packet = numberedPackets(7);
      while (!isOver) {
        if (isMainThere) await sender.send(ports, packet);
        await sender.send(ports + 1, packet);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await until('the preferred source', () => selected() === 'main');
    isMainThere = false;
    await until('the spare source', () => selected() === 'spare', 1000);
    const before = taker.datagrams.length;
    await until('its packets', () => taker.datagrams.length > before + 10, 1000);
    isMainThere = true;
    await until('the preferred source again', () => selected() === 'main', 3000);
    isOver = true;
    await sending;
  });

  it('merge two RTP sources of which each has gaps', async () => {
    await using taker = await UdpTaker.open();
    await using one = new UdpSender();
    await using two = new UdpSender();
    const first = await freePorts();
    const second = await freePorts();
    const rtp = (id: string, port: number): SourceSpec => ({
      id,
      name: id,
      transport: { protocol: 'rtp', ...HERE, port },
    });
    await engine.apply(
      flowSpec({
        sources: [rtp('a', first), rtp('b', second)],
        outputs: [udpOutput('out', taker.port)],
        failover: { mode: 'merge', windowMs: 200 },
      }),
    );
    const stream = numberedPackets(7 * 500);
    await Promise.all([
      one.feed(first, stream, { isRtp: true, isSent: (index) => index % 7 !== 3 || index === 0 }),
      two.feed(second, stream, { isRtp: true, isSent: (index) => index % 5 !== 2 || index % 35 === 17 }),
    ]);
    // Number 17, 52, 87 … neither of them had.
    await until('the stream', () => taker.bytes.length >= stream.length - 15 * 1316);
    const got = new Set(taker.datagrams.map((datagram) => datagram.readUInt32BE(4) / 7));
    const missing = Array.from({ length: 500 }, (_, index) => index).filter((index) => !got.has(index));
    assert.ok(
      missing.every((index) => index % 7 === 3 && index % 5 === 2 && index % 35 !== 17),
      missing.join(),
    );
    const numbers = taker.datagrams.map((datagram) => datagram.readUInt32BE(4));
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
  });

  it('send nothing on that is no transport stream, and say so', async () => {
    await using taker = await UdpTaker.open();
    await using sender = new UdpSender();
    const port = await freePorts();
    const spec = flowSpec({ sources: [udpSource('in', port)], outputs: [udpOutput('out', taker.port)] });
    await engine.apply(spec);
    await sender.feed(port, Buffer.alloc(100 * 1316, 'no transport stream '));
    await until('the count', () => (engine.status(spec.id)?.health.garbageBytes ?? 0) > 90 * 1316);
    assert.equal(taker.datagrams.length, 0);
    await sender.feed(port, numberedPackets(70));
    await until('the stream', () => taker.bytes.length === 70 * 188);
  });

  it('drop what is above a source’s limit, and count it', async () => {
    await using taker = await UdpTaker.open();
    await using sender = new UdpSender();
    const port = await freePorts();
    const sources = [{ ...udpSource('in', port), maxBitrate: 1_000_000 }];
    const spec = flowSpec({ sources, outputs: [udpOutput('out', taker.port)] });
    await engine.apply(spec);
    await sender.feed(port, numberedPackets(7 * 300), { everyMs: 0 });
    await until('the count', () => (engine.status(spec.id)?.sources[0]?.statistics.overflow ?? 0) > 150);
    assert.ok(taker.bytes.length < 200 * 1316);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
