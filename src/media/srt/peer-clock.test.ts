import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PeerClock } from './peer-clock.ts';

const TURN = 2 ** 32;

describe("a peer's clock", () => {
  it('says when packets are due, on both sides of the turn of the timestamps', () => {
    const clock = new PeerClock(TURN - 10_000, 5000, 200);
    assert.equal(clock.dueAt(TURN - 10_000, 5000, false), 5200);
    assert.equal(clock.dueAt(TURN - 1000, 5030, false), 5209, 'it was 21 ms on its way');
    assert.equal(clock.dueAt(2000, 5012, false), 5212);
    assert.equal(clock.dueAt(TURN - 9000, 5150, true), 5201, 'a resent one, across the turn');
  });

  it('takes a packet that is stamped far in the future as sent now', () => {
    const clock = new PeerClock(0, 5000, 200);
    assert.equal(clock.dueAt(60_000_000, 5000, false), 5200);
    assert.equal(clock.dueAt(900_000, 5000, false), 6100, 'less than a second ahead is taken as it is');
  });

  it('follows a clock that runs slower, a little at a time', () => {
    const clock = new PeerClock(0, 5000, 200);
    // 8 ms behind by now.
    for (let sample = 0; sample < 1000; sample++) clock.addSample(sample * 10_000, 5008 + sample * 10, 20);
    assert.equal(clock.dueAt(10_000_000, 15_008, false), 15_205);
    for (let sample = 0; sample < 1000; sample++) clock.addSample(sample * 10_000, 5008 + sample * 10, 20);
    assert.ok(Math.abs(clock.dueAt(10_000_000, 15_008, false) - 15_208) < 1e-6);
  });

  it('does not take a longer way for a slower clock', () => {
    const clock = new PeerClock(0, 5000, 200);
    clock.addSample(0, 5000, 20);
    for (let sample = 1; sample < 1000; sample++) clock.addSample(sample * 10_000, 5050 + sample * 10, 120);
    assert.ok(Math.abs(clock.dueAt(10_000_000, 15_000, false) - 15_200) < 0.1);
  });

  it('measures how much the way varies', () => {
    const clock = new PeerClock(0, 5000, 200);
    for (let packet = 0; packet < 200; packet++) clock.dueAt(packet * 1000, 5000 + packet + (packet % 2) * 4, false);
    assert.ok(Math.abs(clock.jitter - 4) < 0.1, `${clock.jitter}`);
  });
});
