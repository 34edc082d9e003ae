import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { isReusable, PartMemory } from './part-memory.ts';

const MIB = 1024 * 1024;

test('memory that came back is used again for a part of the same size, and no other', () => {
  const { port1, port2 } = new MessageChannel();
  const memory = new PartMemory(port1);
  const part = new Uint8Array(8 * MIB).fill(7);
  assert.ok(isReusable(part));
  assert.ok(!isReusable(part.subarray(1)) && !isReusable(new Uint8Array(MIB)));
  port2.postMessage(part.buffer, [part.buffer]);
  assert.deepEqual([memory.take(16 * MIB)[0], memory.take(8 * MIB)[0], memory.take(8 * MIB)[0]], [0, 7, 0]);
  port1.close();
});
