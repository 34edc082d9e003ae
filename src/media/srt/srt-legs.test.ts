import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LegError } from '#media/live/leg-error.ts';
import { eventually, LegCollector, makePayloads } from '#test/harness/leg-collector.ts';
import { startLossyRelay } from '#test/harness/lossy-relay.ts';
import {
  encrypted,
  listenerTransport,
  openCallerOutput,
  openCallerSource,
  openListenerOutput,
  openListenerSource,
  reasons,
  sendAll,
} from '#test/harness/srt-legs.ts';
import { CallerHandshake } from './caller-handshake.ts';
import { SrtListenerSource } from './srt-listener-source.ts';
import { wordsOfReject } from './reject-codes.ts';

const PAYLOADS = makePayloads(150);

/** Without telling the difference, which would be long. */
function assertSame(got: readonly Buffer[], expected: readonly Buffer[]): void {
  assert.equal(got.length, expected.length);
  assert.equal(
    got.findIndex((payload, index) => !payload.equals(expected[index] as Buffer)),
    -1,
    'the first wrong one',
  );
}

describe('legs of SRT', () => {
  it('give each other a stream, from caller to listener and from listener to caller', async () => {
    await using source = await openListenerSource(encrypted(32));
    await using output = await openCallerOutput(source.port, encrypted(32));
    await using listening = await openListenerOutput(encrypted(24));
    await using calling = await openCallerSource(listening.port, encrypted(24));
    await eventually('connections', () => output.leg.statistics().isConnected && calling.leg.statistics().isConnected);
    await Promise.all([sendAll(output.leg, PAYLOADS), sendAll(listening.leg, PAYLOADS)]);
    for (const { collector } of [source, calling]) {
      await eventually('all packets', () => collector.payloads.length === PAYLOADS.length);
      assertSame(collector.payloads, PAYLOADS);
    }
    assert.equal(source.leg.statistics().keyBytes, 32);
    assert.equal(calling.leg.statistics().keyBytes, 24);
    assert.equal(output.leg.statistics().peer, `127.0.0.1:${source.port}`);
  });

  it('use the longer of both wishes for the latency', async () => {
    await using source = await openListenerSource({ latencyMs: 20 });
    await using output = await openCallerOutput(source.port, { latencyMs: 400 });
    await eventually('a connection', () => output.leg.statistics().isConnected);
    const sentAt = performance.now();
    output.leg.send(PAYLOADS[0] as Buffer);
    await eventually('the packet', () => source.collector.payloads.length === 1);
    assert.ok(performance.now() - sentAt >= 395, `after ${performance.now() - sentAt} ms`);
  });

  it('give out what has arrived although the sender has gone', async () => {
    await using source = await openListenerSource({ latencyMs: 300 });
    const output = await openCallerOutput(source.port);
    await eventually('a connection', () => output.leg.statistics().isConnected);
    await sendAll(output.leg, PAYLOADS.slice(0, 20));
    await output.leg.close();
    await eventually('the end', () => source.leg.statistics().disconnections === 1);
    await eventually('all packets', () => source.collector.payloads.length === 20);
    assert.equal(source.leg.statistics().packets, 20);
  });

  it('change their keys in mid-stream over a bad path', async () => {
    const refresh = { packets: 200, announce: 50 };
    await using source = await openListenerSource({ ...encrypted(16), latencyMs: 300 });
    await using relay = await startLossyRelay({
      to: { host: '127.0.0.1', port: source.port },
      loss: 0.05,
      reorder: 0.05,
      seed: 3,
    });
    await using output = await openCallerOutput(relay.port, { ...encrypted(16), latencyMs: 300 }, refresh);
    await eventually('a connection', () => output.leg.statistics().isConnected);
    const payloads = makePayloads(600);
    await sendAll(output.leg, payloads);
    await eventually('all packets', () => source.collector.payloads.length === payloads.length);
    assertSame(source.collector.payloads, payloads);
  });

  it('count what is sent while nobody takes it as dropped', async () => {
    await using output = await openListenerOutput();
    await sendAll(output.leg, PAYLOADS.slice(0, 10));
    const { dropped, packets, isConnected, peer } = output.leg.statistics();
    assert.deepEqual([dropped, packets, isConnected, peer], [10, 0, false, undefined]);
  });

  it('dial until somebody listens, and again when the connection is over', async () => {
    const first = await openListenerSource();
    const { port } = first;
    await first.leg.close();
    await using output = await openCallerOutput(port);
    const listeners = [await openListenerSource({ port })];
    await eventually('a connection', () => output.leg.statistics().isConnected);
    await listeners[0]?.leg.close();
    await eventually('the end', () => !output.leg.statistics().isConnected);
    listeners.push(await openListenerSource({ port }));
    await eventually('another connection', () => output.leg.statistics().isConnected);
    assert.equal(output.leg.statistics().disconnections, 1);
    await Promise.all(listeners.map(({ leg }) => leg.close()));
  });

  it('of which one listens refuse a second sender while the first lives', async () => {
    await using source = await openListenerSource();
    const first = await openCallerOutput(source.port);
    await eventually('a connection', () => first.leg.statistics().isConnected);
    await using second = await openCallerOutput(source.port);
    await eventually('a refusal', () => reasons(source).length === 1);
    assert.deepEqual(reasons(source), ['already has a sender']);
    await eventually('the words', () => reasons(second).length === 1);
    assert.deepEqual(reasons(second), [wordsOfReject(2409)]);
    await first.leg.close();
    await eventually('the second is taken', () => second.leg.statistics().isConnected);
  });

  it('of which one listens take the next sender when the first was killed, before that is given up', async () => {
    await using source = await openListenerSource();
    const relay = await startLossyRelay({ to: { host: '127.0.0.1', port: source.port } });
    await using first = await openCallerOutput(relay.port);
    await eventually('a connection', () => first.leg.statistics().isConnected);
    await relay.close();
    await using second = await openCallerOutput(source.port);
    await eventually('the second is taken', () => second.leg.statistics().isConnected);
    const ends = source.collector.events.flatMap((event) => (event.kind === 'disconnected' ? [event.reason] : []));
    assert.deepEqual(ends, ['nothing was heard of the peer, and another took its place']);
  });

  it('do not let a sender without the passphrase take the place of one that was killed', async () => {
    await using source = await openListenerSource(encrypted(16));
    const relay = await startLossyRelay({ to: { host: '127.0.0.1', port: source.port } });
    await using first = await openCallerOutput(relay.port, encrypted(16));
    await eventually('a connection', () => first.leg.statistics().isConnected);
    await relay.close();
    await using _stranger = await openCallerOutput(source.port, encrypted(16, 'wrong-horse-battery'));
    await eventually('it is told so', () => reasons(source).includes('wrong passphrase'));
    await eventually('the first is given up', () => source.leg.statistics().disconnections === 1);
    const ends = source.collector.events.flatMap((event) => (event.kind === 'disconnected' ? [event.reason] : []));
    assert.deepEqual(ends, ['nothing was heard of the peer for 5 s']);
  });

  it('tell callers why they were refused', async () => {
    await using source = await openListenerSource({ ...encrypted(32), streamId: 'camera-7' });
    await using wrong = await openCallerOutput(source.port, {
      ...encrypted(32, 'wrong-horse-battery'),
      streamId: 'camera-7',
    });
    await using short = await openCallerOutput(source.port, { ...encrypted(16), streamId: 'camera-7' });
    await using open = await openCallerOutput(source.port, { streamId: 'camera-7' });
    await using stranger = await openCallerOutput(source.port, encrypted(32));
    await eventually('refusals', () => [wrong, short, open, stranger].every((leg) => reasons(leg).length > 0));
    assert.deepEqual(
      [wrong, short, open, stranger].map((leg) => reasons(leg)[0]),
      [1010, 1017, 1011, 2403].map(wordsOfReject),
    );
    assert.deepEqual(reasons(source).toSorted(), [
      'another stream id',
      'no passphrase given, one is required',
      'uses a 16-byte key, aes256 needs 32',
      'wrong passphrase',
    ]);
    for (const { collector } of [source, wrong]) assert.doesNotMatch(JSON.stringify(collector.events), /horse/);
  });

  it('drop datagrams from addresses that are not allowed, and say so once', async () => {
    await using source = await openListenerSource({ allowed: ['10.1.2.0/24'] });
    await using output = await openCallerOutput(source.port);
    await eventually('datagrams', () => source.leg.statistics().refused >= 3);
    assert.deepEqual(reasons(source), ['the address is not allowed']);
    assert.equal(output.leg.statistics().isConnected, false);
  });

  it('refuse a port that is in use', async () => {
    await using source = await openListenerSource();
    const second = new SrtListenerSource(listenerTransport({ port: source.port }), new LegCollector(), () => undefined);
    await assert.rejects(second.open(), (error) => error instanceof LegError && error.code === 'port-in-use');
  });

  it('free their port when they are closed', async () => {
    const first = await openListenerSource();
    await first.leg.close();
    await using second = await openListenerSource({ port: first.port });
    assert.equal(second.port, first.port);
  });

  it('lose a taker that falls silent, and drop no packet of another', async () => {
    await using output = await openListenerOutput();
    await using relay = await startLossyRelay({ to: { host: '127.0.0.1', port: output.port } });
    await using silent = await openCallerSource(relay.port);
    await using taker = await openCallerSource(output.port);
    await eventually('both', () => silent.leg.statistics().isConnected && taker.leg.statistics().isConnected);
    relay.change({ loss: 1 });
    const sending = sendAll(output.leg, makePayloads(6000));
    await eventually('the end', () => output.leg.statistics().disconnections === 1);
    await sending;
    await eventually('all packets', () => taker.collector.payloads.length === 6000);
    assertSame(taker.collector.payloads, makePayloads(6000));
    assert.equal(taker.leg.statistics().lost, 0);
    assert.match(JSON.stringify(output.collector.events), /nothing was heard of the peer/);
  });
});

describe('the handshake of a caller', () => {
  it('makes a key of its own for each connection', () => {
    const settings = { latencyMs: 120, ...encrypted(32) };
    const [one, other] = [new CallerHandshake(settings, '127.0.0.1', 0), new CallerHandshake(settings, '127.0.0.1', 0)];
    assert.notDeepEqual(one.key?.even, other.key?.even);
    assert.notDeepEqual(one.key?.salt, other.key?.salt);
    assert.notEqual(one.socketId, other.socketId);
  });
});
