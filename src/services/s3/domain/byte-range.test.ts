import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '#kernel/service-error.ts';
import { contentRangeOf, readRange } from './byte-range.ts';

test('reads the three forms of a range', () => {
  assert.deepEqual(readRange('bytes=0-0', 10), { start: 0, end: 1 });
  assert.deepEqual(readRange('bytes=5-', 10), { start: 5, end: 10 });
  assert.deepEqual(readRange('bytes=-3', 10), { start: 7, end: 10 });
  assert.deepEqual(readRange('bytes=-30', 10), { start: 0, end: 10 });
  assert.deepEqual(readRange('bytes=2-99999999999999999999', 10), { start: 2, end: 10 });
  assert.equal(contentRangeOf({ start: 2, end: 10 }, 10), 'bytes 2-9/10');
});

test('passes over what is no single range', () => {
  for (const header of [
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'lines=1-2',
    'bytes=a-b',
  ]) {
    assert.equal(readRange(header, 10), undefined, String(header));
  }
});

test('refuses a range beyond the end, and any range of nothing', () => {
  for (const [header, size] of [
    ['bytes=10-', 10],
    ['bytes=10-20', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ] as const) {
    assert.throws(
      () => readRange(header, size),
      (error) =>
        error instanceof ServiceError && error.status === 416 && error.headers['Content-Range'] === `bytes */${size}`,
    );
  }
});
