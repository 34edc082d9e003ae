import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AbrSettings, chooseLadder } from './abr-ladder.ts';

const plain: AbrSettings = { maxRenditions: 15, maxBitrate: 8_000_000, minBitrate: 600_000, forced: [] };
const hd = { width: 1920, height: 1080, framerate: { num: 30, den: 1 } };

const sizesOf = (settings: AbrSettings, source = hd) =>
  chooseLadder(settings, source, 'h264').map(({ width, height }) => `${width}x${height}`);

test('a film in HD has the usual sizes, none larger than itself', () => {
  assert.deepEqual(sizesOf(plain), ['1920x1080', '1280x720', '960x540', '768x432', '640x360', '480x270']);
  assert.deepEqual(sizesOf(plain, { ...hd, width: 1000, height: 400 }), ['1000x400', '900x360', '676x270']);
});

test('rules say what is allowed, what is forced, and how small and large it gets', () => {
  const allowed = [
    { width: 1280, height: 720 },
    { width: 640, height: 360 },
    { width: 3840, height: 2160 },
  ];
  assert.deepEqual(sizesOf({ ...plain, allowed }), ['1280x720', '640x360']);
  assert.ok(sizesOf({ ...plain, forced: [{ width: 320, height: 180 }] }).includes('320x180'));
  assert.equal(sizesOf({ ...plain, minBottom: { width: 960, height: 540 } }).at(-1), '960x540');
  const poor = { ...plain, maxBitrate: 1_000_000 };
  assert.equal(sizesOf(poor)[0], '960x540');
  assert.equal(sizesOf({ ...poor, minTop: { width: 1280, height: 720 } })[0], '1920x1080');
});

test('there are never more than asked for, each smaller than the one before, within the bits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 15 }),
      fc.integer({ min: 64, max: 8192 }),
      fc.integer({ min: 64, max: 4320 }),
      fc.integer({ min: 600_000, max: 50_000_000 }),
      (maxRenditions, width, height, maxBitrate) => {
        const ladder = chooseLadder({ ...plain, maxRenditions, maxBitrate }, { ...hd, width, height }, 'h265');
        assert.ok(ladder.length >= 1 && ladder.length <= maxRenditions);
        for (const [index, { bitrate, width: wide, height: high }] of ladder.entries()) {
          assert.ok(bitrate >= plain.minBitrate && bitrate <= maxBitrate);
          assert.deepEqual([wide % 2, high % 2], [0, 0]);
          const before = ladder[index - 1];
          if (before !== undefined) assert.ok(before.width * before.height > wide * high && before.bitrate >= bitrate);
        }
      },
    ),
  );
});
