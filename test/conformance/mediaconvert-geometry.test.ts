import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { at, PictureJobs } from '#test/harness/picture-jobs.ts';
import { assertColor, colorOf, ffmpeg, makeFilm } from '#test/harness/pixels.ts';

let jobs: PictureJobs;

const [RED, GREEN, BLUE, WHITE, BLACK] = [
  [255, 0, 0],
  [0, 128, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
];

/** Red, green (on top), blue and white (below). */
const QUARTERS =
  'color=red:size=80x46:rate=25:duration=1[a];color=green:size=80x46:rate=25:duration=1[b];' +
  'color=blue:size=80x46:rate=25:duration=1[c];color=white:size=80x46:rate=25:duration=1[d];' +
  '[a][b]hstack[ab];[c][d]hstack[cd];[ab][cd]vstack';

async function sizeOf(film: Buffer): Promise<unknown[]> {
  const [picture] = await probe(film);
  return [picture?.['width'], picture?.['height']];
}

before(async () => {
  jobs = await PictureJobs.start();
  const film = makeFilm(QUARTERS);
  await jobs.put('quarters.mp4', film);
  // For this ffmpeg, a quarter to the left.
  const turn = ['-v', 'error', '-i', 'pipe:0', '-c', 'copy', '-metadata:s:v', 'rotate=90'];
  const turnedFilm = ffmpeg([...turn, '-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4', 'pipe:1'], film);
  await jobs.put('turned.mp4', turnedFilm);
  const alpha = "color=white:size=160x90:rate=25:duration=1,format=argb,geq=r=255:g=0:b=0:a='if(lt(X,80),255,0)'";
  const animation = ['-v', 'error', '-f', 'lavfi', '-i', alpha, '-c:v', 'qtrle'];
  await jobs.put('alpha.mov', ffmpeg([...animation, '-movflags', 'frag_keyframe+empty_moov', '-f', 'mov', 'pipe:1']));
});

after(() => jobs.stop());

describe('which part of a picture goes where', { skip: withoutFfmpeg }, () => {
  test('a picture is cropped, and fills the output with what is left', async () => {
    const Crop = { X: 80, Y: 0, Width: 80, Height: 46 };
    const output = await jobs.film('quarters.mp4', {}, { Crop, Width: 160, Height: 92 });
    const input = await jobs.film('quarters.mp4', { Crop }, { Width: 160, Height: 92 });
    for (const film of [output, input]) {
      assertColor(colorOf(film, 5, at(10, 10)), GREEN, 'the left');
      assertColor(colorOf(film, 5, at(150, 84)), GREEN, 'the corner');
    }
  });

  test("an input's crop and position go before an output's", async () => {
    const film = await jobs.film(
      'quarters.mp4',
      { Crop: { X: 0, Y: 0, Width: 80, Height: 46 }, Position: { X: 40, Y: 20, Width: 60, Height: 40 } },
      { Crop: { X: 80, Y: 0, Width: 80, Height: 46 }, Position: { X: 0, Y: 0, Width: 10, Height: 10 } },
    );
    assertColor(colorOf(film, 5, at(45, 25)), RED, 'the upper left of the position');
    assertColor(colorOf(film, 5, at(95, 55)), RED, 'the lower right of the position');
    assertColor(colorOf(film, 5, at(5, 5)), BLACK, 'before it');
    assertColor(colorOf(film, 5, at(110, 70)), BLACK, 'behind it');
  });

  test('a crop that is not in the picture ends the job, and one of odd numbers is refused', async () => {
    const job = await jobs.run('quarters.mp4', { Crop: { X: 100, Y: 0, Width: 80, Height: 40 } }, [{}]);
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1040]);
    const odd = { X: 1, Y: 0, Width: 80, Height: 40 };
    await assert.rejects(
      jobs.run('quarters.mp4', { Crop: odd }, [{}]),
      /\/inputs\/0\/crop\/x: Should be an even number/,
    );
    const Position = { X: 100, Y: 0, Width: 80, Height: 40 };
    await assert.rejects(jobs.run('quarters.mp4', {}, [{ Position }]), /videoDescription\/position\/width: Reaches/);
  });
});

describe('pictures are turned', { skip: withoutFfmpeg }, () => {
  const video = { Width: undefined, Height: undefined };

  test('clockwise, with their sides', async () => {
    const quarter = await jobs.film('quarters.mp4', { VideoSelector: { Rotate: 'DEGREES_90' } }, video);
    assert.deepEqual(await sizeOf(quarter), [92, 160]);
    assertColor(colorOf(quarter, 5, at(20, 20)), BLUE, 'upper left');
    assertColor(colorOf(quarter, 5, at(70, 20)), RED, 'upper right');
    assertColor(colorOf(quarter, 5, at(70, 140)), GREEN, 'lower right');
    const half = await jobs.film('quarters.mp4', { VideoSelector: { Rotate: 'DEGREES_180' } }, video);
    assertColor(colorOf(half, 5, at(20, 20)), WHITE, 'upside down');
    const back = await jobs.film('quarters.mp4', { VideoSelector: { Rotate: 'DEGREES_270' } }, video);
    assertColor(colorOf(back, 5, at(20, 20)), GREEN, 'to the left');
  });

  test('as their container says, and only if that is wanted', async () => {
    const followed = await jobs.film('turned.mp4', { VideoSelector: { Rotate: 'AUTO' } }, video);
    assert.deepEqual(await sizeOf(followed), [92, 160]);
    assertColor(colorOf(followed, 5, at(20, 20)), GREEN, 'upper left');
    const untouched = await jobs.film('turned.mp4', {}, video);
    assert.deepEqual(await sizeOf(untouched), [160, 92]);
    assertColor(colorOf(untouched, 5, at(20, 20)), RED, 'upper left');
  });
});

test('transparency becomes the picture', { skip: withoutFfmpeg }, async () => {
  const key = await jobs.film('alpha.mov', { VideoSelector: { AlphaBehavior: 'REMAP_TO_LUMA' } }, {});
  assertColor(colorOf(key, 5, at(40, 45)), WHITE, 'what is opaque');
  assertColor(colorOf(key, 5, at(120, 45)), BLACK, 'what is not');
  const job = await jobs.run('quarters.mp4', { VideoSelector: { AlphaBehavior: 'REMAP_TO_LUMA' } }, [{}]);
  assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1040]);
});
