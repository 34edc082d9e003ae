import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { PictureJobs } from '#test/harness/picture-jobs.ts';
import { lumaOf, makeFilm, rawPixels } from '#test/harness/pixels.ts';

let jobs: PictureJobs;

before(async () => {
  jobs = await PictureJobs.start();
  await jobs.put('grey.mp4', makeFilm('color=0x808080:size=320x180:rate=25:duration=2'));
});

after(() => jobs.stop());

const SIZE = { Width: 320, Height: 180 };
const burn = (extra: object) => ({ ...SIZE, VideoPreprocessors: { TimecodeBurnin: { FontSize: 16, ...extra } } });

/** A picture's samples where the timecode is written. */
function written(film: Buffer, picture: number): Buffer {
  return rawPixels(film, picture, 'crop=320:30:0:0,format=gray', 'gray');
}

/** How much two pictures differ, from 0 to 255. */
function difference(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length;
}

describe('timecodes on pictures', { skip: withoutFfmpeg }, () => {
  test('stand where they are wanted', async () => {
    const [top, bottom] = await jobs.films('grey.mp4', {}, [
      burn({ Position: 'TOP_LEFT' }),
      burn({ Position: 'BOTTOM_RIGHT' }),
    ]);
    const [left, right] = [
      { x: 10, y: 6, width: 80, height: 16 },
      { x: 230, y: 158, width: 80, height: 16 },
    ];
    assert.ok(lumaOf(top ?? Buffer.alloc(0), 3, left) < 100 && lumaOf(top ?? Buffer.alloc(0), 3, right) > 110);
    assert.ok(lumaOf(bottom ?? Buffer.alloc(0), 3, left) > 110 && lumaOf(bottom ?? Buffer.alloc(0), 3, right) < 100);
  });

  test("count from the job's timecode, and each picture has its own", async () => {
    const [counted = Buffer.alloc(0)] = await jobs.films('grey.mp4', {}, [burn({ Prefix: "A:'%{n}\\;" })]);
    const Start = '00:00:00:10';
    const settings = { TimecodeConfig: { Source: 'SPECIFIEDSTART', Start } };
    const later = await jobs.film('grey.mp4', {}, burn({ Prefix: "A:'%{n}\\;" }), settings);
    // The eleventh picture of the one says what the first of the other says.
    assert.ok(difference(written(counted, 10), written(later, 0)) < 0.6);
    assert.ok(difference(written(counted, 10), written(counted, 11)) > 0.9);
    assert.ok(difference(written(counted, 0), written(later, 0)) > 0.9);
  });
});
