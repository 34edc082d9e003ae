import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SimulatedSrt, type SimulatedPath } from '#test/harness/simulated-srt.ts';

const GOOD_PATH: SimulatedPath = {
  seed: 1,
  loss: 0,
  duplicate: 0,
  delayMs: 10,
  jitterMs: 0,
  latencyMs: 200,
  initialSequence: 1000,
  clockMs: 0,
};

/** Numbers of the packets that came. */
const numbers = ({ received }: SimulatedSrt): number[] => received.map((payload) => payload.readUInt32BE());

function send(pair: SimulatedSrt, count: number, first = 0): void {
  for (let number = first; number < first + count; number++) {
    const payload = Buffer.alloc(20);
    payload.writeUInt32BE(number);
    pair.sending.sender.push(payload, pair.now);
    pair.run(1);
  }
}

const paths = fc.record({
  seed: fc.nat(),
  loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
  duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
  delayMs: fc.integer({ min: 0, max: 20 }),
  jitterMs: fc.integer({ min: 0, max: 10 }),
  latencyMs: fc.constantFrom(0, 20, 120, 600),
  initialSequence: fc.oneof(fc.nat(0x7fff_ffff), fc.integer({ min: 0x7fff_ff00, max: 0x7fff_ffff })),
  clockMs: fc.oneof(fc.constant(0), fc.integer({ min: 4_294_700, max: 4_294_960 })),
});

describe('a sender and a receiver', () => {
  it('over a path that loses, doubles and reorders give everything once and in order, when there is time for it', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const pair = new SimulatedSrt({ ...path, latencyMs: 1500 });
        send(pair, 400);
        pair.run(2500);
        assert.deepEqual(
          numbers(pair),
          Array.from({ length: 400 }, (_, number) => number),
        );
        const { lost, arqRecovered, arqRequests } = pair.receiving.receiver.counters;
        assert.equal(lost, 0);
        assert.ok(arqRecovered <= arqRequests);
        assert.equal(pair.sending.sender.kept, 0, 'all was acknowledged');
        assert.equal(pair.sending.sender.counters.dropped, 0);
      }),
      { numRuns: 40 },
    );
  });

  it('over any path give what came in order, at most once, and count the rest as lost', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const pair = new SimulatedSrt(path);
        send(pair, 300);
        pair.run(3000);
        const got = numbers(pair);
        assert.deepEqual(
          got,
          [...new Set(got)].toSorted((one, other) => one - other),
        );
        const { lost } = pair.receiving.receiver.counters;
        const unknown = 299 - (got.at(-1) ?? -1);
        assert.ok(got.length + lost <= 300 && got.length + lost >= 300 - unknown, `${got.length} and ${lost} of 300`);
      }),
      { numRuns: 40 },
    );
  });

  it('give each packet out at its time and the latency, across the turn of the timestamps', () => {
    const pair = new SimulatedSrt({ ...GOOD_PATH, clockMs: 4_294_800, jitterMs: 8 });
    const begun = pair.now;
    send(pair, 400);
    pair.run(500);
    assert.equal(pair.received.length, 400);
    for (const [number, at] of pair.receivedAt.entries()) {
      const late = at - (begun + number + 10 + 200);
      assert.ok(late >= -1 && late <= 6, `packet ${number} is ${late} ms late`);
    }
  });

  it('do not ask again for what is not missing', () => {
    const pair = new SimulatedSrt(GOOD_PATH);
    send(pair, 500);
    pair.run(500);
    assert.equal(pair.sending.sender.counters.retransmitted, 0);
    assert.deepEqual(pair.receiving.receiver.counters, {
      arqRequests: 0,
      arqRecovered: 0,
      lost: 0,
      dropped: 0,
      overflow: 0,
    });
    assert.ok(Math.abs(pair.receiving.roundTrip.mean - 20) < 3, `${pair.receiving.roundTrip.mean} ms round trip`);
  });

  it('of which the receiver falls silent cost a ring: older packets are dropped and counted', () => {
    const pair = new SimulatedSrt(GOOD_PATH);
    send(pair, 100);
    pair.isCut = true;
    send(pair, 5000, 100);
    const { sender } = pair.sending;
    assert.ok(sender.kept <= 1100, `${sender.kept} packets are kept`);
    assert.ok(sender.counters.dropped >= 3900, `${sender.counters.dropped} are dropped`);
    pair.isCut = false;
    send(pair, 500, 5100);
    pair.run(1500);
    assert.deepEqual(
      numbers(pair).slice(-500),
      Array.from({ length: 500 }, (_, number) => 5100 + number),
    );
  });

  it('have no more on their way than the receiver said', () => {
    const pair = new SimulatedSrt({ ...GOOD_PATH, flightWindow: 64 });
    pair.isCut = true;
    send(pair, 300);
    assert.equal(pair.sending.sender.counters.packets, 64);
    assert.equal(pair.sending.sender.unsent, 236);
  });

  it('do not wait for packets that the sender gave up', () => {
    const pair = new SimulatedSrt({ ...GOOD_PATH, latencyMs: 10_000 });
    send(pair, 10);
    pair.run(50);
    const drop = Buffer.alloc(8);
    drop.writeUInt32BE(1010, 0);
    drop.writeUInt32BE(1019, 4);
    pair.receiving.receiver.drop(drop);
    pair.run(11_000);
    assert.equal(pair.receiving.receiver.counters.lost, 10);
    assert.equal(pair.received.length, 10);
  });
});
