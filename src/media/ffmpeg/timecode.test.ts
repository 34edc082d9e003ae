import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertTimecode, frameOfTimecode, timecodeOfFrame } from './timecode.ts';

const NTSC = { num: 30_000, den: 1001 };
const FAST = { num: 60_000, den: 1001 };

test('a timecode counts the pictures from midnight, and leaves numbers out where it drops', () => {
  assert.equal(frameOfTimecode('00:01:00:00', NTSC), 1800);
  assert.equal(frameOfTimecode('00:01:00;02', NTSC), 1800);
  assert.equal(frameOfTimecode('00:10:00;00', NTSC), 17_982);
  assert.equal(frameOfTimecode('01:00:00;00', NTSC), 107_892);
  assert.equal(frameOfTimecode('00:00:00:25', { num: 25, den: 1 }), undefined);
  assert.equal(frameOfTimecode('1:00', NTSC), undefined);
});

test('each number has its timecode, and each timecode its number, with and without dropping', () => {
  for (const rate of [NTSC, FAST, { num: 25, den: 1 }, { num: 24_000, den: 1001 }]) {
    for (const isDrop of rate === NTSC || rate === FAST ? [false, true] : [false]) {
      for (let frame = 0; frame < 120_000; frame += 37) {
        assert.equal(frameOfTimecode(timecodeOfFrame(frame, rate, isDrop), rate), frame);
      }
    }
  }
});

test('a timecode of another rate names the same moment', () => {
  assert.equal(convertTimecode('01:00:00:12', { num: 24, den: 1 }, { num: 50, den: 1 }), '01:00:00:25');
  assert.equal(convertTimecode('01:00:00;10', NTSC, { num: 25, den: 1 }), '01:00:00:08');
});
