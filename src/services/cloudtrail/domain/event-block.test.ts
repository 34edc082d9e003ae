import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BLOCK_SPAN_MS, cutBlocks, packEvents, unpackEvents } from './event-block.ts';
import { newEventId, timeOfEventId } from './event-id.ts';
import { systemRandomness } from '#kernel/randomness.ts';

const event = fc.record({
  time: fc.integer({ min: 0, max: 5000 }),
  userName: fc.stringMatching(/^[\w+=,.@-]{0,20}$/),
  json: fc.jsonValue().map((value) => JSON.stringify({ value })),
});

test('events come back from a block as they were, whatever their texts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      assert.deepEqual(
        unpackEvents(await packEvents(events)),
        events.map((one) => ({ ...one })),
      );
    }),
    { numRuns: 60 },
  );
});

test('blocks have every event once, in order, and none that is far from the others', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const blocks = cutBlocks(events);
      const times = blocks.flatMap((block) => block.events.map(({ time }) => time));
      assert.deepEqual(
        times,
        events.map(({ time }) => time).toSorted((a, b) => a - b),
      );
      for (const { first, last, events: own } of blocks) {
        assert.ok(last - first <= BLOCK_SPAN_MS);
        assert.deepEqual([first, last], [own[0]?.time, own.at(-1)?.time]);
      }
    }),
    { numRuns: 100 },
  );
});

test('a block is bounded in events and in length', () => {
  const small = Array.from({ length: 1201 }, () => ({ time: 1, userName: '', json: '{}' }));
  assert.deepEqual(
    cutBlocks(small).map(({ events }) => events.length),
    [500, 500, 201],
  );
  const large = Array.from({ length: 3 }, () => ({ time: 1, userName: '', json: 'x'.repeat(400_000) }));
  assert.equal(cutBlocks(large).length, 3);
});

test('a block that was cut short or is no block is an error', async () => {
  const packed = await packEvents([{ time: 1, userName: 'anna', json: '{}' }]);
  for (let length = 0; length < packed.length; length++) assert.throws(() => unpackEvents(packed.subarray(0, length)));
  assert.throws(() => unpackEvents(Buffer.from('nothing of ours')));
});

test('an event’s id is unique, a UUID, and says when the event was', () => {
  const ids = new Set<string>();
  for (const time of [0, 1, 1_900_000_000_000, 2 ** 47]) {
    for (let i = 0; i < 100; i++) {
      const id = newEventId(time, systemRandomness);
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal(timeOfEventId(id), time);
      ids.add(id);
    }
  }
  assert.equal(ids.size, 400);
  assert.equal(timeOfEventId('0b8a1a5e-3c1d-4c5e-9e5e-3f3f3f3f3f3f'), undefined);
});
