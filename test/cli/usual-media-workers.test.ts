import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualMediaWorkers } from '../../bin/usual-media-workers.ts';

test('jobs leave one processor to the platform, but where there are two, two jobs run at once', () => {
  assert.deepEqual([1, 2, 3, 4, 16].map(usualMediaWorkers), [1, 2, 2, 3, 15]);
});
