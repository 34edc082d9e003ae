import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LoudnessMeter } from './loudness-meter.ts';

/** A tone of so many decibels under full scale. */
function tone(rate: number, seconds: number, decibels: number, hertz = 1000): Float32Array {
  const amplitude = 10 ** (decibels / 20);
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, index) => amplitude * Math.sin((2 * Math.PI * hertz * index) / rate),
  );
}

function near(actual: number, expected: number, tolerance = 0.1): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

describe('the loudness of sound', () => {
  for (const rate of [44_100, 48_000, 96_000]) {
    test(`of a tone in both channels is its level (${rate} Hz)`, () => {
      const meter = new LoudnessMeter(rate, 2);
      const plane = tone(rate, 5, -23);
      meter.add([plane, plane]);
      near(meter.measured(true).integrated, -23);
      near(meter.measured(false).integrated, -23);
      near(meter.measured(true).loudest, -23);
    });
  }

  // The test signals 3 to 5 of EBU Tech 3341.
  const passages: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
    [
      'quiet passages',
      [
        [10, -36],
        [60, -23],
        [10, -36],
      ],
    ],
    [
      'passages that are hardly heard',
      [
        [10, -72],
        [10, -36],
        [60, -23],
        [10, -36],
        [10, -72],
      ],
    ],
    [
      'loud passages in the middle',
      [
        [20, -26],
        [20.1, -20],
        [20, -26],
      ],
    ],
  ];
  for (const [what, parts] of passages) {
    test(`leaves out ${what} as the gates say`, () => {
      const meter = new LoudnessMeter(48_000, 2);
      for (const [seconds, level] of parts) {
        const plane = tone(48_000, seconds, level);
        meter.add([plane, plane]);
      }
      near(meter.measured(true).integrated, -23);
    });
  }

  test('of the first version counts all of it', () => {
    const meter = new LoudnessMeter(48_000, 1);
    meter.add([tone(48_000, 10, -20)]);
    meter.add([new Float32Array(480_000)]);
    near(meter.measured(false).integrated, -20 - 3.01 - 3.01);
    near(meter.measured(true).integrated, -20 - 3.01, 0.2);
  });

  test('of surround sound counts what is behind more, and low-frequency effects not', () => {
    const quiet = new Float32Array(240_000);
    const plane = tone(48_000, 5, -23);
    const at = (place: number): number => {
      const meter = new LoudnessMeter(48_000, 6);
      meter.add(Array.from({ length: 6 }, (_, index) => (index === place ? plane : quiet)));
      return meter.measured(true).integrated;
    };
    near(at(2), -26.01);
    near(at(4), -24.52);
    assert.equal(at(3), Number.NEGATIVE_INFINITY);
  });

  test('has peaks between the samples', () => {
    const meter = new LoudnessMeter(48_000, 1);
    const between = Float32Array.from(
      { length: 48_000 },
      (_, index) => 0.5 * Math.sin((Math.PI * index) / 2 + Math.PI / 4),
    );
    assert.ok(Math.max(...between) < 0.36);
    for (let at = 0; at < between.length; at += 1000) meter.add([between.subarray(at, at + 1000)]);
    near(meter.measured(true).truePeak, -6.02, 0.3);
  });

  test('of silence is nothing', () => {
    const meter = new LoudnessMeter(48_000, 2);
    meter.add([new Float32Array(48_000), new Float32Array(48_000)]);
    assert.equal(meter.measured(true).integrated, Number.NEGATIVE_INFINITY);
    assert.equal(meter.measured(false).integrated, Number.NEGATIVE_INFINITY);
  });
});
