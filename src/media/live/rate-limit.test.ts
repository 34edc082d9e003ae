import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RateLimit } from './rate-limit.ts';

/** Bits that pass in ten seconds of a steady stream. */
function passed(limit: number, rate: number): number {
  const gate = new RateLimit(limit);
  const bytes = 1316;
  let sum = 0;
  for (let now = 0; now < 10_000; now += (bytes * 8000) / rate) if (gate.admits(bytes, now)) sum += bytes * 8;
  return sum;
}

describe('the limit of a source', () => {
  it('lets a stream below it pass whole', () => {
    assert.ok(Math.abs(passed(10_000_000, 9_900_000) - 99_000_000) < 20_000);
  });

  it('cuts a stream above it down to it, with a second of grace', () => {
    const bits = passed(10_000_000, 30_000_000);
    assert.ok(bits > 100_000_000 && bits < 111_000_000, `${bits}`);
  });

  it('counts what it drops', () => {
    const gate = new RateLimit(8000);
    assert.equal(gate.admits(1000, 0), true);
    assert.equal(gate.admits(1000, 1), false);
    assert.equal(gate.dropped, 1);
    assert.equal(gate.admits(1000, 1001), true);
  });
});
