import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { composed, mixFilters, panFilter } from './channel-mix.ts';

describe('a matrix of channels', () => {
  test('is a filter that names each output channel', () => {
    const gains = [
      [1, 0, 0.5],
      [0, 0, 0],
    ];
    assert.equal(panFilter(gains, 3), 'pan=stereo|c0=c0+0.5*c2|c1=0*c0');
  });

  test('takes nothing from channels that the input does not have', () => {
    assert.equal(panFilter([[0, 1, 1]], 2), 'pan=mono|c0=c1');
    assert.equal(panFilter([[0, 0, 1]], 2), 'pan=mono|c0=0*c0');
  });

  test('after another is their product', () => {
    const first = {
      gains: [
        [1, 0],
        [0, 0.5],
      ],
    };
    assert.deepEqual(composed(first, { gains: [[1, 2]] }), { gains: [[1, 1]] });
    assert.deepEqual(composed(undefined, first), first);
    assert.deepEqual(composed(first, undefined), first);
    assert.equal(composed(undefined, undefined), undefined);
  });

  test('is there only where FFmpeg does not know what goes where', () => {
    assert.equal(mixFilters(undefined, 6, 2), '', '5.1 is mixed down by places');
    assert.equal(mixFilters(undefined, 10, 10), '');
    assert.equal(mixFilters(undefined, 10, 2), 'pan=stereo|c0=c0|c1=c1,');
    assert.equal(mixFilters(undefined, 1, 10).split('|').length, 11);
    assert.equal(mixFilters({ gains: [[0, 1]] }, 2, 2), 'pan=mono|c0=c1,', 'one channel becomes two as always');
  });
});
