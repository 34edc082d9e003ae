import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import { innerReader, openInner, writeLayers } from './inner-layer.ts';

test('any range of any streams opens, however it is cut, and no two streams have the same key stream', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 40 }), async (lengths, a, b, cut) => {
      const dataKey = randomBytes(64);
      const streams = lengths.map((size, index) => ({ id: `part ${index}`, size }));
      const plain = streams.map(({ size }) => Buffer.alloc(size));
      const sealed = streams.map(({ id }, index) => {
        const { firstLayer } = writeLayers(dataKey, id);
        return Buffer.from(firstLayer?.(plain[index] ?? Buffer.alloc(0)) ?? []);
      });
      const whole = Buffer.concat(sealed);
      const [start = 0, end = 0] = [a, b].map((at) => at % (whole.length + 1)).sort((x, y) => x - y);
      const pieces: Buffer[] = [];
      for (let at = start; at < end; at += cut) pieces.push(whole.subarray(at, Math.min(end, at + cut)));
      const inner = Buffer.from(dataKey.subarray(32));
      const opened = await buffer(innerReader(Readable.from(pieces, { objectMode: false }), streams, inner, start));
      assert.deepEqual(opened, Buffer.alloc(end - start));
      assert.ok(
        inner.every((byte) => byte === 0),
        'the key is overwritten',
      );
      const long = sealed.filter(({ length }) => length >= 16).map((bytes) => bytes.toString('hex', 0, 16));
      assert.equal(new Set(long).size, long.length);
      const [first = Buffer.alloc(0)] = sealed;
      assert.deepEqual(openInner(first, dataKey.subarray(32), 'part 0'), plain[0]);
    }),
  );
});
