import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { eventually, makePayloads } from '#test/harness/leg-collector.ts';
import { seededRandom } from '#test/harness/lossy-relay.ts';
import { SimulatedSrt } from '#test/harness/simulated-srt.ts';
import {
  encrypted,
  openCallerOutput,
  openCallerSource,
  openListenerOutput,
  openListenerSource,
  reasons,
  sendAll,
} from '#test/harness/srt-legs.ts';
import { CallerHandshake } from './caller-handshake.ts';
import { readHandshake, REQUEST } from './handshake.ts';
import { CONTROL, writeControlHeader } from './packet.ts';

const PAYLOADS = makePayloads(200);
const PATH = {
  seed: 1,
  loss: 0,
  duplicate: 0,
  delayMs: 5,
  jitterMs: 0,
  latencyMs: 100,
  initialSequence: 77,
  clockMs: 0,
};

/** A socket of somebody else, and a way of asking with it. */
async function openAttacker(port: number): Promise<Attacker> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    socket,
    ask: async (packet) => {
      const answered = once(socket, 'message') as Promise<[Buffer]>;
      socket.send(packet, port, '127.0.0.1');
      return await Promise.race([answered.then(([answer]) => answer), delay(300, undefined)]);
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

interface Attacker extends AsyncDisposable {
  readonly socket: Socket;
  readonly ask: (packet: Buffer) => Promise<Buffer | undefined>;
}

/** Any control or data packet for a connection, with any content. */
const packets = fc
  .record({
    type: fc.oneof(fc.constantFrom(...Object.values(CONTROL)), fc.constant(-1), fc.nat(0x7fff)),
    subtype: fc.nat(8),
    info: fc.nat(0xffff_ffff),
    timestamp: fc.nat(0xffff_ffff),
    first: fc.nat(0xffff_ffff),
    body: fc.array(fc.oneof(fc.nat(0xffff_ffff), fc.integer({ min: 70, max: 500 })), { maxLength: 360 }),
    cut: fc.nat(3),
  })
  .map(({ type, subtype, info, timestamp, first, body, cut }) => {
    const packet = Buffer.alloc(16 + body.length * 4);
    writeControlHeader(packet, { type: Math.max(type, 0), subtype, info, timestamp, destination: 1 });
    if (type === -1) packet.writeUInt32BE(first & 0x7fff_ffff, 0);
    for (const [index, word] of body.entries()) packet.writeUInt32BE(word, 16 + index * 4);
    return packet.subarray(0, Math.max(16, packet.length - cut));
  });

describe('hostile packets', () => {
  it('of an authenticated peer never throw and never make the rings larger than they may be', () => {
    fc.assert(
      fc.property(fc.array(packets, { maxLength: 60 }), (many) => {
        const pair = new SimulatedSrt(PATH);
        for (let number = 0; number < 20; number++) {
          pair.sending.sender.push(Buffer.alloc(8), pair.now);
          pair.run(1);
        }
        for (const packet of many) {
          const type = packet.readUInt16BE(0) & 0x7fff;
          for (const role of [pair.sending, pair.receiving]) {
            if ((packet[0] as number) < 0x80) role.data(Buffer.from(packet), pair.now);
            else role.control(type, packet, packet.subarray(16), pair.now);
          }
          pair.run(1);
        }
        pair.run(200);
        assert.ok(pair.sending.sender.kept <= 20);
      }),
      { numRuns: 150 },
    );
  });

  it('that ask for everything again and again cannot make a sender send more than it did before', () => {
    const pair = new SimulatedSrt({ ...PATH, loss: 0 });
    pair.isCut = true;
    for (let number = 0; number < 500; number++) {
      pair.sending.sender.push(Buffer.alloc(8), pair.now);
      pair.run(1);
    }
    const report = Buffer.alloc(8);
    report.writeUInt32BE((77 | 0x8000_0000) >>> 0, 0);
    report.writeUInt32BE(77 + 499, 4);
    for (let time = 0; time < 1000; time++) pair.sending.sender.losses(report, pair.now + time * 100);
    const { packets: sent, retransmitted } = pair.sending.sender.counters;
    assert.equal(sent, 500);
    assert.ok(retransmitted <= 1024, `${retransmitted} were sent again`);
  });

  it('from other addresses do not touch a connection', async () => {
    await using source = await openListenerSource(encrypted(16));
    await using output = await openCallerOutput(source.port, encrypted(16));
    await eventually('a connection', () => output.leg.statistics().isConnected);
    await using attacker = await openAttacker(source.port);
    const { socket } = attacker;
    const random = seededRandom(5);
    const attack = setInterval(() => {
      for (let time = 0; time < 20; time++) {
        const packet = Buffer.from(
          Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)),
        );
        // As a handshake, too.
        if (time % 3 === 0 && packet.length >= 16) packet.writeUInt32BE(0, 12);
        if (time % 6 === 0 && packet.length >= 16) packet.writeUInt32BE(0x8000_0000, 0);
        socket.send(packet, source.port, '127.0.0.1');
      }
    }, 5);
    try {
      await sendAll(output.leg, PAYLOADS);
      await eventually('all packets', () => source.collector.payloads.length === PAYLOADS.length);
    } finally {
      clearInterval(attack);
    }
    assert.ok(Buffer.concat(source.collector.payloads).equals(Buffer.concat(PAYLOADS)));
    assert.equal(source.leg.statistics().disconnections, 0);
  });

  it('without the cookie of the address get no connection, and no answer', async () => {
    await using source = await openListenerSource();
    await using one = await openAttacker(source.port);
    await using other = await openAttacker(source.port);
    const handshake = new CallerHandshake({ latencyMs: 120 }, '127.0.0.1', 0);
    const answer = await one.ask(handshake.request(1));
    assert.ok(answer !== undefined);
    assert.deepEqual(handshake.receive(answer), { kind: 'continue' });
    const conclusion = handshake.request(2);
    assert.equal(await other.ask(conclusion), undefined, 'the cookie of another address');
    const forged = Buffer.from(conclusion);
    forged.writeUInt32BE(12_345, 16 + 28);
    assert.equal(await one.ask(forged), undefined, 'a forged cookie');
    assert.equal(source.leg.statistics().isConnected, false);
    assert.equal(readHandshake((await one.ask(conclusion)) ?? Buffer.alloc(0))?.request, REQUEST.conclusion);
  });

  it('in the clear are not taken into an encrypted stream', async () => {
    await using source = await openListenerSource(encrypted(16));
    await using attacker = await openAttacker(source.port);
    const { socket, ask } = attacker;
    const handshake = new CallerHandshake({ latencyMs: 120, ...encrypted(16) }, '127.0.0.1', 0);
    handshake.receive((await ask(handshake.request(1))) ?? Buffer.alloc(0));
    const outcome = handshake.receive((await ask(handshake.request(2))) ?? Buffer.alloc(0));
    assert.ok(outcome.kind === 'connected');
    const packet = Buffer.alloc(16 + 1316, 0x47);
    packet.writeUInt32BE(handshake.initialSequence, 0);
    packet.writeUInt32BE(0xc000_0001, 4);
    packet.writeUInt32BE(0, 8);
    packet.writeUInt32BE(outcome.answer.socketId, 12);
    socket.send(packet, source.port, '127.0.0.1');
    await eventually('a drop', () => source.leg.statistics().dropped === 1);
    await delay(200);
    assert.equal(source.collector.payloads.length, 0);
  });

  it('from another address cannot end a connection, or put in a packet, although they know its id', async () => {
    await using source = await openListenerSource();
    await using caller = await openAttacker(source.port);
    await using other = await openAttacker(source.port);
    const handshake = new CallerHandshake({ latencyMs: 20 }, '127.0.0.1', 0);
    handshake.receive((await caller.ask(handshake.request(1))) ?? Buffer.alloc(0));
    const outcome = handshake.receive((await caller.ask(handshake.request(2))) ?? Buffer.alloc(0));
    assert.ok(outcome.kind === 'connected');
    const destination = outcome.answer.socketId;
    const data = Buffer.alloc(16 + 188, 0x47);
    data.writeUInt32BE(handshake.initialSequence, 0);
    data.writeUInt32BE(0xc000_0001, 4);
    data.writeUInt32BE(destination, 12);
    const shutdown = Buffer.alloc(20);
    writeControlHeader(shutdown, { type: CONTROL.shutdown, timestamp: 0, destination });
    for (const packet of [data, shutdown]) other.socket.send(packet, source.port, '127.0.0.1');
    await delay(100);
    assert.equal(source.leg.statistics().isConnected, true);
    assert.equal(source.leg.statistics().packets, 0);
    for (const packet of [data, shutdown]) caller.socket.send(packet, source.port, '127.0.0.1');
    await eventually('the end', () => !source.leg.statistics().isConnected);
    await eventually('the packet', () => source.leg.statistics().packets === 1);
  });

  it('of a recorded handshake get nothing that the recorded key opens', async () => {
    await using output = await openListenerOutput(encrypted(16));
    await using attacker = await openAttacker(output.port);
    const { socket, ask } = attacker;
    const recorded = new CallerHandshake({ latencyMs: 120, ...encrypted(16) }, '127.0.0.1', 0);
    recorded.receive((await ask(recorded.request(1))) ?? Buffer.alloc(0));
    const outcome = recorded.receive((await ask(recorded.request(2))) ?? Buffer.alloc(0));
    assert.equal(outcome.kind, 'connected');
    const received: Buffer[] = [];
    socket.on('message', (packet: Buffer) => received.push(packet));
    await sendAll(output.leg, PAYLOADS.slice(0, 50));
    const data = received.filter((packet) => (packet[0] as number) < 0x80);
    assert.equal(data.length, 0, 'nothing is sent under a key that this side did not make');
    assert.ok(
      received.some((packet) => packet.readUInt32BE(0) === 0xffff_0003),
      'a key of its own is announced',
    );
  });

  it('of a listener that answers nonsense leave a caller dialling', async () => {
    const listener = createSocket('udp4');
    const random = seededRandom(9);
    listener.on('message', (packet, { port, address }) => {
      const answer = Buffer.from(packet);
      for (let time = 0; time < 4; time++) answer[Math.floor(random() * answer.length)] = Math.floor(random() * 256);
      answer.writeUInt32BE(packet.readUInt32BE(16 + 24), 12);
      listener.send(answer, port, address);
    });
    listener.bind(0, '127.0.0.1');
    await once(listener, 'listening');
    await using source = await openCallerSource(listener.address().port, encrypted(16));
    await eventually('a refusal', () => reasons(source).length > 0);
    assert.equal(source.leg.statistics().isConnected, false);
    listener.close();
  });
});
