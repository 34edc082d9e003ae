import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SrtConnection } from './connection.ts';
import { Outlet } from './outlet.ts';

/** A connection whose peer says nothing, ticked at the given times. When it ended, and why. */
function play(times: readonly number[]): readonly [at: number, reason: string] | undefined {
  const role = { data() {}, control() {}, tick() {}, failure: () => undefined };
  let now = 0;
  let end: readonly [number, string] | undefined;
  const outlet = new Outlet(() => true, 1, 0, 0);
  const connection = new SrtConnection('192.0.2.1:1', outlet, role, (reason) => (end = [now, reason]), 0);
  for (now of times) connection.tick(now);
  return end;
}

const every = (ms: number, from: number, to: number): number[] =>
  Array.from({ length: (to - from) / ms }, (_, index) => from + (index + 1) * ms);

describe('a connection', () => {
  it('ends when nothing was heard of the peer for five seconds', () => {
    assert.deepEqual(play(every(5, 0, 10_000)), [5000, 'nothing was heard of the peer for 5 s']);
  });

  it('does not take its own standstill for the peer’s silence', () => {
    assert.equal(play([...every(5, 0, 1000), ...every(5, 61_000, 64_900)]), undefined);
    assert.equal(play([...every(5, 0, 1000), ...every(5, 61_000, 70_000)])?.[0], 65_005);
  });
});
