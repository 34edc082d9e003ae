import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MergeBuffer } from './merge-buffer.ts';

const WINDOW_MS = 200;

function payloadOf(index: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(index);
  return payload;
}

function merger(windowMs = WINDOW_MS) {
  const delivered: number[] = [];
  const buffer = new MergeBuffer({ windowMs, sink: { packet: (payload) => delivered.push(payload.readUInt32BE()) } });
  return { buffer, delivered };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** What a network does to each packet of a copy. */
const copies = fc.array(
  fc.record({ losses: fc.tuple(fc.boolean(), fc.boolean()), delays: fc.tuple(fc.nat(20), fc.nat(20)) }),
  { minLength: 1, maxLength: 300 },
);

describe('MergeBuffer', () => {
  it('makes the original of two copies that lost, delayed and reordered packets', () => {
    fc.assert(
      fc.property(copies, fc.nat(0xffff), fc.nat(170), fc.boolean(), (packets, first, skew, isFirstBehind) => {
        const { buffer, delivered } = merger();
        const arrivals = packets.flatMap(({ losses, delays }, index) =>
          ([0, 1] as const).flatMap((source) => {
            const behind = (source === 0) === isFirstBehind ? skew : 0;
            return losses[source] ? [] : [{ at: index + behind + delays[source], source, index }];
          }),
        );
        let now = 0;
        for (const { at, source, index } of arrivals.toSorted((left, right) => left.at - right.at)) {
          for (; now < at; now++) buffer.tick(now);
          buffer.packet(source, payloadOf(index), (first + index) & 0xffff, now);
        }
        for (; now < packets.length + 1000; now += 5) buffer.tick(now);
        const start = delivered[0] ?? packets.length;
        const given = range(start, packets.length).filter((index) => !packets[index]?.losses.every(Boolean));
        assert.deepEqual(delivered, given);
        const last = delivered.at(-1) ?? start - 1;
        assert.equal(buffer.packets + buffer.lost, last - start + 1);
        assert.equal(buffer.packets + buffer.duplicates, arrivals.length);
      }),
    );
  });

  it('delivers at once what has no gap before it, with one source as with two', () => {
    for (const sources of [[0], [1], [0, 1]]) {
      const { buffer, delivered } = merger();
      for (const index of range(0, 1000)) {
        for (const source of sources) buffer.packet(source, payloadOf(index), index, index);
        assert.equal(delivered.length, index + 1);
      }
      assert.equal(buffer.lost, 0);
    }
  });

  it('waits behind a gap for the window, and no longer', () => {
    const { buffer, delivered } = merger();
    for (const index of [0, 1, 3, 4]) buffer.packet(0, payloadOf(index), index, 100);
    assert.equal(buffer.deadline, 300);
    buffer.tick(299);
    assert.deepEqual(delivered, [0, 1]);
    buffer.tick(300);
    assert.deepEqual(delivered, [0, 1, 3, 4]);
    assert.equal(buffer.lost, 1);
  });

  it('counts for each source what the other stood in for', () => {
    const { buffer, delivered } = merger();
    for (const index of range(0, 1000)) {
      // The first loses every tenth packet, the second every hundredth; both lose 90, 190 …
      if (index % 10 !== 0) buffer.packet(0, payloadOf(index), index, index);
      if (index % 100 !== 90) buffer.packet(1, payloadOf(index), index, index);
    }
    buffer.tick(5000);
    assert.equal(buffer.lost, 10);
    assert.equal(delivered.length, 990);
    // 96 of 10, 20 … 960, without the 9 that both lost; what came after 967 is not decided.
    assert.deepEqual(
      buffer.sources.slice(0, 2).map(({ recovered }) => recovered),
      [87, 0],
    );
  });

  it('counts what the lagging source gives later', () => {
    const { buffer, delivered } = merger();
    const lag = 100;
    for (const index of range(0, 1000)) {
      if (index % 10 !== 5) buffer.packet(0, payloadOf(index), index, index);
      if (index >= lag) buffer.packet(1, payloadOf(index - lag), index - lag, index);
    }
    assert.equal(buffer.lost, 0);
    assert.equal(delivered[0], 0);
    assert.deepEqual(delivered, range(0, delivered.length));
    const [first, second] = buffer.sources;
    assert.ok((first?.recovered ?? 0) >= 85, `${first?.recovered}`);
    assert.equal(second?.recovered, 0);
  });

  it('goes on with one source when the other stops, and takes it back', () => {
    const { buffer, delivered } = merger();
    for (const index of range(0, 3000)) {
      if (index < 1000 || index >= 2000) buffer.packet(0, payloadOf(index), index, index);
      buffer.packet(1, payloadOf(index), index, index);
    }
    assert.deepEqual(delivered, range(0, 3000));
    assert.equal(buffer.sources[0]?.recovered, 1000);
  });

  it('does not repeat what the lagging source still gives when the leading one stopped', () => {
    const { buffer, delivered } = merger();
    for (const index of range(0, 1200)) {
      if (index < 1000) buffer.packet(0, payloadOf(index), index, index);
      if (index >= 180) buffer.packet(1, payloadOf(index - 180), index - 180, index);
    }
    for (const index of range(1200, 2000)) buffer.packet(1, payloadOf(index - 180), index - 180, index);
    assert.deepEqual(delivered, range(0, 1820));
  });

  it('follows both sources to other numbers', () => {
    for (const jump of [40_000, 700, -400]) {
      const { buffer, delivered } = merger();
      for (const index of range(0, 2000)) {
        const sequence = (2000 + index + (index < 1000 ? 0 : jump)) & 0xffff;
        // The senders were away for three seconds.
        const now = index + (index < 1000 ? 0 : 3000);
        buffer.tick(now);
        for (const source of [0, 1]) buffer.packet(source, payloadOf(index), sequence, now);
      }
      assert.ok(delivered.length >= 1990, `${jump}: ${delivered.length}`);
      assert.deepEqual(delivered.slice(-990), range(1010, 2000));
      assert.deepEqual(delivered, [...new Set(delivered)]);
    }
  });

  it('is not led away by one source that sends other numbers than the other, also in bursts', () => {
    for (const burst of [1, 20]) {
      const { buffer, delivered } = merger();
      for (let start = 0; start < 1000; start += burst) {
        for (const source of [0, 1]) {
          for (const index of range(start, start + burst)) {
            if (source === 0) buffer.packet(0, payloadOf(index), index, start);
            else buffer.packet(1, payloadOf(100_000 + index), 40_000 + index, start);
          }
        }
      }
      assert.deepEqual(delivered, range(0, 1000));
    }
  });
});
