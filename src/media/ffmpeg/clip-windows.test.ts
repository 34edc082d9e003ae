import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from './clip-windows.ts';

test('timecodes count pictures, and drop numbers to keep to the clock', () => {
  const [pal, ntsc, double] = [
    { num: 25, den: 1 },
    { num: 30_000, den: 1001 },
    { num: 60_000, den: 1001 },
  ];
  assert.equal(frameOf('00:00:00:00', pal), 0);
  assert.equal(frameOf('01:02:03:04', pal), (62 * 60 + 3) * 25 + 4);
  assert.equal(frameOf('00:01:00:00', ntsc), 1800);
  // 00:00:59;29 is followed by 00:01:00;02, and 00:09:59;29 by 00:10:00;00.
  assert.equal(frameOf('00:00:59;29', ntsc), 1799);
  assert.equal(frameOf('00:01:00;02', ntsc), 1800);
  assert.equal(frameOf('00:10:00;00', ntsc), frameOf('00:09:59;29', ntsc) + 1);
  assert.equal(frameOf('01:00:00;00', ntsc), 107_892);
  assert.equal(frameOf('00:01:00;04', double), frameOf('00:00:59;59', double) + 1);
});

test('a timecode that no picture has is refused', () => {
  for (const timecode of ['00:00:00:25', '1:00:00:00', 'soon', '00:00:00']) {
    assert.throws(() => frameOf(timecode, { num: 25, den: 1 }), { code: 1060 }, timecode);
  }
});
