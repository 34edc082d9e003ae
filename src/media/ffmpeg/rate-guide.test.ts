import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestPass, RateGuide } from './rate-guide.ts';

/** An encoder whose pictures take `times` what the first pass says, at each factor. */
function encode(guide: RateGuide, bits: readonly number[], passFactor: number, times: number): number {
  let factor = guide.factor;
  let spent = 0;
  for (const one of bits) {
    const made = one * times * 2 ** ((passFactor - factor) / 6);
    spent += made;
    factor = guide.take(made) ?? factor;
  }
  return spent;
}

const bits = Array.from({ length: 600 }, (_, index) => 1000 + (index % 50 === 0 ? 9000 : 0) + (index > 300 ? 2000 : 0));
const total = bits.reduce((sum, one) => sum + one, 0);

test('a film that comes out as the first pass says takes its budget to the bit', () => {
  for (const share of [0.5, 1, 2]) {
    const guide = new RateGuide({ factor: 24, bits }, total * share);
    assert.ok(Math.abs(guide.factor - (24 - 6 * Math.log2(share))) < 0.01);
    assert.ok(Math.abs(encode(guide, bits, 24, 1) / (total * share) - 1) < 0.01);
  }
});

test('an encoder that takes more or less than the first pass is led back to the budget', () => {
  for (const times of [0.7, 0.85, 1.2, 1.4]) {
    const guide = new RateGuide({ factor: 24, bits }, total);
    assert.ok(Math.abs(encode(guide, bits, 24, times) / total - 1) < 0.02, `${times}`);
  }
});

test('no more quality is made than is asked for, however many bits there are', () => {
  const guide = new RateGuide({ factor: 24, bits }, total * 100, 22.5);
  assert.equal(guide.factor, 22.5);
  assert.ok(encode(guide, bits, 24, 0.5) < total * 2);
});

test('a film of nothing does not divide by nothing', () => {
  const guide = new RateGuide({ factor: 24, bits: [] }, 1000);
  assert.ok(Number.isFinite(guide.factor));
  assert.ok(guide.take(10) === undefined);
});

test('a film that grows faster or slower than most takes its budget, too, once passes have shown how fast', () => {
  for (const steps of [2.5, 4, 9]) {
    const passAt = (factor: number) => ({ factor, bits: bits.map((one) => one * 2 ** ((24 - factor) / steps)) });
    const budget = total / 5;
    const [first, near, far] = [passAt(24), passAt(24 + 2 * steps), passAt(24 + 4 * steps)];
    const guide = new RateGuide(nearestPass([far, first, near], budget), budget);
    assert.ok(Math.abs(guide.factor - (24 + steps * Math.log2(5))) < 0.02, `${steps}: ${guide.factor}`);
  }
});

test('passes that tell nothing of growth leave the usual one', () => {
  const flat = nearestPass(
    [
      { factor: 24, bits },
      { factor: 30, bits },
    ],
    total / 2,
  );
  assert.ok(Math.abs(new RateGuide(flat, total / 2).factor - flat.factor - 6) < 0.01);
});
