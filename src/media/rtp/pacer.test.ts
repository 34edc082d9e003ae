import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PaceQueue } from './pacer.ts';

function queueOf(smoothingMs: number) {
  const sent: { readonly index: number; readonly at: number }[] = [];
  const queue = new PaceQueue(smoothingMs, (payload, at) => sent.push({ index: payload.readUInt32BE(), at }));
  return { queue, sent };
}

function payloadOf(index: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(index);
  return payload;
}

describe('PaceQueue', () => {
  it('spreads a burst evenly over its time', () => {
    const { queue, sent } = queueOf(100);
    for (let index = 0; index < 200; index++) queue.add(payloadOf(index), 1000);
    assert.equal(sent.length, 0);
    for (let now = 1001; now <= 1100; now++) {
      queue.tick(now);
      assert.equal(sent.length, 2 * (now - 1000));
    }
  });

  it('sends everything in order, none later than its time after it came, in any traffic', () => {
    const traffic = fc.array(fc.tuple(fc.nat(40), fc.nat(30)), { maxLength: 60 });
    fc.assert(
      fc.property(traffic, fc.integer({ min: 1, max: 300 }), (bursts, smoothingMs) => {
        const { queue, sent } = queueOf(smoothingMs);
        const came: number[] = [];
        let now = 500;
        for (const [count, pause] of bursts) {
          for (let index = 0; index < count; index++) {
            came.push(now);
            queue.add(payloadOf(came.length - 1), now);
          }
          for (const until = now + pause; now < until; now++) queue.tick(now);
        }
        for (const until = now + smoothingMs + 1; now <= until; now++) queue.tick(now);
        assert.deepEqual(
          sent.map(({ index }) => index),
          [...came.keys()],
        );
        for (const { index, at } of sent) {
          const delay = at - (came[index] ?? 0);
          assert.ok(delay >= 0 && delay <= smoothingMs + 1, `${delay}`);
        }
        assert.equal(queue.length, 0);
      }),
    );
  });

  it('holds no more than it has room for, and loses nothing when that is not enough', () => {
    const { queue, sent } = queueOf(100);
    for (let index = 0; index < 10_000; index++) queue.add(payloadOf(index), 1000);
    assert.ok(queue.length <= 2048);
    queue.tick(1100);
    assert.deepEqual(
      sent.map(({ index }) => index),
      [...Array(10_000).keys()],
    );
  });
});
