import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReorderBuffer, type ReorderOptions } from './reorder-buffer.ts';
import { receptionOptions } from './reception-options.ts';

const ORDERED = receptionOptions(true);

function payloadOf(index: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(index);
  return payload;
}

function receiver(options: ReorderOptions = ORDERED) {
  const delivered: number[] = [];
  const sequences: number[] = [];
  const buffer = new ReorderBuffer(options, (payload, sequence) => {
    delivered.push(payload.readUInt32BE());
    sequences.push(sequence);
  });
  return { buffer, delivered, sequences };
}

const network = fc.record({
  first: fc.nat(0xffff),
  /** Of each packet: whether it is lost, how much it is late in ms, whether it comes twice. */
  packets: fc.array(fc.record({ isLost: fc.boolean(), delay: fc.nat(30), isDoubled: fc.boolean() }), {
    minLength: 1,
    maxLength: 200,
  }),
});

interface Arrival {
  readonly at: number;
  readonly index: number;
}

function arrivalsOf({ packets }: { packets: readonly { isLost: boolean; delay: number; isDoubled: boolean }[] }) {
  const arrivals: Arrival[] = packets.flatMap(({ isLost, delay, isDoubled }, index) => {
    const arrival = { at: index + delay, index };
    if (isLost) return [];
    return isDoubled ? [arrival, { at: arrival.at + 3, index }] : [arrival];
  });
  return arrivals.toSorted((left, right) => left.at - right.at);
}

describe('ReorderBuffer', () => {
  it('delivers every packet at once where nothing is missing, over the end of the numbers', () => {
    const { buffer, delivered, sequences } = receiver();
    for (let index = 0; index < 100_000; index++) {
      buffer.add(payloadOf(index), (65_000 + index) & 0xffff, index);
      assert.equal(delivered.length, index + 1);
    }
    assert.equal(sequences.at(-1), (65_000 + 99_999) & 0xffff);
    assert.equal(buffer.lost, 0);
    assert.equal(buffer.deadline, Number.POSITIVE_INFINITY);
  });

  it('holds what is behind a gap until the gap is closed', () => {
    const { buffer, delivered } = receiver();
    for (const index of [0, 2, 3]) buffer.add(payloadOf(index), index, 10);
    assert.deepEqual(delivered, [0]);
    assert.equal(buffer.add(payloadOf(1), 1, 29), 'filled');
    assert.deepEqual(delivered, [0, 1, 2, 3]);
    assert.equal(buffer.lost, 0);
  });

  it('counts what does not come in the window as lost, and drops it when it comes later', () => {
    const { buffer, delivered } = receiver();
    for (const index of [0, 2, 5]) buffer.add(payloadOf(index), index, 10);
    assert.equal(buffer.deadline, 30);
    buffer.tick(30);
    assert.deepEqual(delivered, [0, 2, 5]);
    assert.equal(buffer.lost, 3);
    assert.equal(buffer.add(payloadOf(1), 1, 31), 'late');
    assert.deepEqual(delivered, [0, 2, 5]);
    assert.equal(buffer.dropped, 1);
  });

  it('gives up a gap when as many packets came as there is room for', () => {
    const { buffer, delivered } = receiver();
    buffer.add(payloadOf(0), 0, 0);
    for (let index = 2; index < 600; index++) buffer.add(payloadOf(index), index, 0);
    assert.equal(delivered.length, 599);
    assert.equal(buffer.lost, 1);
  });

  it('delivers all that was sent, in order and once, or counts it, on any network', () => {
    fc.assert(
      fc.property(network, fc.constantFrom('in-order', 'after-window'), ({ first, packets }, release) => {
        const { buffer, delivered } = receiver({ ...ORDERED, release });
        let now = 0;
        for (const { at, index } of arrivalsOf({ packets })) {
          for (; now < at; now++) buffer.tick(now);
          buffer.add(payloadOf(index), (first + index) & 0xffff, now);
        }
        for (; now < packets.length + 100; now++) buffer.tick(now);
        assert.deepEqual(
          delivered,
          [...new Set(delivered)].toSorted((left, right) => left - right),
        );
        const from = delivered[0] ?? 0;
        const to = delivered.at(-1) ?? -1;
        assert.equal(delivered.length + buffer.lost, to - from + 1);
        const arrived = arrivalsOf({ packets }).length;
        assert.equal(delivered.length + buffer.dropped, arrived);
        assert.equal(buffer.next, buffer.end);
      }),
    );
  });

  it('loses nothing that came in the window', () => {
    fc.assert(
      fc.property(network, ({ first, packets }) => {
        const kept = packets.map((packet) => ({ ...packet, delay: packet.delay % 19 }));
        const { buffer, delivered } = receiver();
        let now = 0;
        for (const { at, index } of arrivalsOf({ packets: kept })) {
          for (; now < at; now++) buffer.tick(now);
          buffer.add(payloadOf(index), (first + index) & 0xffff, now);
        }
        for (; now < packets.length + 100; now++) buffer.tick(now);
        const sent = kept.flatMap(({ isLost }, index) => (isLost ? [] : [index]));
        const from = delivered[0] ?? 0;
        assert.deepEqual(
          delivered,
          sent.filter((index) => index >= from),
        );
      }),
    );
  });

  it('delivers on arrival where another puts them in order, and each once', () => {
    fc.assert(
      fc.property(network, ({ first, packets }) => {
        const { buffer, delivered } = receiver(receptionOptions(false));
        const expected: number[] = [];
        for (const { at, index } of arrivalsOf({ packets })) {
          buffer.tick(at);
          const before = delivered.length;
          const result = buffer.add(payloadOf(index), (first + index) & 0xffff, at);
          assert.equal(delivered.length - before, result === 'late' ? 0 : 1);
          if (result !== 'late') expected.push(index);
        }
        assert.deepEqual(delivered, expected);
        assert.equal(new Set(delivered).size, delivered.length);
        // Only what came before the first packet of the sequence is missing.
        const arrived = new Set(arrivalsOf({ packets }).map(({ index }) => index));
        const start = arrivalsOf({ packets })[0]?.index ?? 0;
        for (const index of arrived) assert.ok(delivered.includes(index) || index < start);
      }),
    );
  });

  it('follows a sender that begins anew at a number far away, and loses none of its packets', () => {
    const { buffer, delivered } = receiver();
    for (let index = 0; index < 10; index++) buffer.add(payloadOf(index), 1000 + index, index);
    for (let index = 10; index < 20; index++) buffer.add(payloadOf(index), 30_000 + index, index);
    assert.deepEqual(delivered, [...Array(20).keys()]);
    assert.equal(buffer.lost, 0);
    assert.equal(buffer.dropped, 0);
    assert.equal(buffer.restarts, 1);
  });

  it('follows a sender that begins anew a little behind, after a pause', () => {
    const { buffer, delivered } = receiver();
    for (let index = 0; index < 300; index++) buffer.add(payloadOf(index), index, index);
    for (let index = 0; index < 300; index++) buffer.add(payloadOf(1000 + index), index, 2000 + index);
    assert.deepEqual(
      delivered.slice(300),
      [...Array(296).keys()].map((index) => 1004 + index),
    );
    assert.equal(buffer.restarts, 1);
  });

  it('is not led astray by a single packet far away', () => {
    const { buffer, delivered } = receiver();
    for (let index = 0; index < 1000; index++) {
      buffer.add(payloadOf(index), index, index);
      if (index % 10 === 5) assert.equal(buffer.add(payloadOf(9999), (index + 20_000) & 0xffff, index), 'stray');
    }
    assert.deepEqual(delivered, [...Array(1000).keys()]);
    assert.equal(buffer.restarts, 0);
  });

  it('takes any numbers at any time without a fault, and never holds more than it may', () => {
    const steps = fc.array(fc.tuple(fc.nat(0xffff), fc.nat(300)), { maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.constantFrom('in-order', 'on-arrival', 'after-window'), (packets, release) => {
        const { buffer, delivered } = receiver({ ...ORDERED, capacity: 64, release });
        let now = 0;
        for (const [sequence, pause] of packets) {
          now += pause;
          buffer.tick(now);
          buffer.add(payloadOf(sequence), sequence, now);
          assert.ok(buffer.end - buffer.next <= 64);
        }
        buffer.flush();
        assert.equal(delivered.length + buffer.dropped, packets.length);
      }),
    );
  });
});
