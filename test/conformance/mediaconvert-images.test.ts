import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { at, PictureJobs } from '#test/harness/picture-jobs.ts';
import { assertColor, colorOf, ffmpeg, makeFilm, makeImage } from '#test/harness/pixels.ts';

let jobs: PictureJobs;

const [RED, BLUE, BLACK] = [
  [255, 0, 0],
  [0, 0, 255],
  [0, 0, 0],
];

before(async () => {
  jobs = await PictureJobs.start();
  await jobs.put('black.mp4', makeFilm('color=black:size=160x90:rate=25:duration=2'));
  await jobs.put('red.png', makeImage('red@1.0', '40x30', 'png'));
  await jobs.put('blue.bmp', makeImage('blue@1.0', '40x30', 'bmp'));
  await jobs.put('half.tga', makeImage('red@0.5', '40x30', 'targa'));
});

after(() => jobs.stop());

const image = (file: string, extra: object = {}) => ({
  ImageInserterInput: `s3://source/${file}`,
  ImageX: 20,
  ImageY: 10,
  Opacity: 100,
  ...extra,
});

const withImages = (...InsertableImages: ReturnType<typeof image>[]) => ({
  VideoPreprocessors: { ImageInserter: { InsertableImages } },
});

describe('images on films', { skip: withoutFfmpeg }, () => {
  test('lie at their place in their size and opacity, those of a higher layer on top', async () => {
    const images = withImages(
      image('blue.bmp', { ImageX: 40, ImageY: 30, Layer: 2 }),
      image('red.png', { Layer: 1 }),
      image('half.tga', { ImageX: 100, ImageY: 10, Layer: 3 }),
      image('red.png', { ImageX: 100, ImageY: 50, Width: 20, Height: 20, Opacity: 50, Layer: 4 }),
    );
    const film = await jobs.film('black.mp4', {}, images);
    assertColor(colorOf(film, 10, at(30, 20)), RED, 'a PNG');
    assertColor(colorOf(film, 10, at(50, 35)), BLUE, 'a BMP of a higher layer');
    assertColor(colorOf(film, 10, at(10, 20)), BLACK, 'left of it');
    assertColor(colorOf(film, 10, at(30, 45)), BLACK, 'below it');
    assertColor(colorOf(film, 10, at(120, 25)), [128, 0, 0], 'a TGA that one half sees through');
    assertColor(colorOf(film, 10, at(110, 60)), [128, 0, 0], 'an image of half opacity');
    assertColor(colorOf(film, 10, at(125, 60)), BLACK, 'beside a smaller image');
  });

  test('of an input are scaled with it, and those of an output are not', async () => {
    const [small = Buffer.alloc(0), large = Buffer.alloc(0)] = await jobs.films(
      'black.mp4',
      { ImageInserter: { InsertableImages: [image('red.png')] } },
      [
        { Width: 80, Height: 46 },
        { Width: 320, Height: 180, ...withImages(image('blue.bmp')) },
      ],
    );
    assertColor(colorOf(small, 5, at(20, 12)), RED, 'half as large');
    assertColor(colorOf(small, 5, at(40, 12)), BLACK, 'beside it');
    assertColor(colorOf(large, 5, at(30, 20)), BLUE, "the output's");
    assertColor(colorOf(large, 5, at(110, 70)), RED, "the input's, twice as large");
    assertColor(colorOf(large, 5, at(130, 90)), BLACK, 'beside it');
  });

  test('come and go when they are told to, and fade', async () => {
    const timing = { StartTime: '00:00:00:10', Duration: 800, FadeIn: 400, FadeOut: 400 };
    const red = image('red.png', timing);
    const output = await jobs.film('black.mp4', {}, withImages(red));
    const input = await jobs.film('black.mp4', { ImageInserter: { InsertableImages: [red] } }, {});
    for (const [film, what] of [
      [output, 'output'],
      [input, 'input'],
    ] as const) {
      assertColor(colorOf(film, 9, at(30, 20)), BLACK, `${what}: before`);
      assertColor(colorOf(film, 15, at(30, 20)), [128, 0, 0], `${what}: fading in`, 30);
      assertColor(colorOf(film, 22, at(30, 20)), RED, `${what}: there`);
      assertColor(colorOf(film, 29, at(30, 20)), RED, `${what}: still there`);
      assertColor(colorOf(film, 35, at(30, 20)), [128, 0, 0], `${what}: fading out`, 30);
      assertColor(colorOf(film, 42, at(30, 20)), BLACK, `${what}: gone`);
    }
  });

  test('keep to the timecodes of the part of the input that is used', async () => {
    const clip = { InputClippings: [{ StartTimecode: '00:00:01:00' }] };
    const images = { InsertableImages: [image('red.png', { StartTime: '00:00:01:12' })] };
    const film = await jobs.film('black.mp4', { ...clip, ImageInserter: images }, {});
    assertColor(colorOf(film, 11, at(30, 20)), BLACK, 'before');
    assertColor(colorOf(film, 12, at(30, 20)), RED, 'there');
  });
});

describe('films on films', { skip: withoutFfmpeg }, () => {
  before(async () => {
    // Half a second of red with a transparent right half, at another rate than the film below.
    const alpha = "color=white:size=40x30:rate=10:duration=0.5,format=argb,geq=r=255:g=0:b=0:a='if(lt(X,20),255,0)'";
    const animation = ['-v', 'error', '-f', 'lavfi', '-i', alpha, '-c:v', 'qtrle'];
    await jobs.put(
      'motion.mov',
      ffmpeg([...animation, '-movflags', 'frag_keyframe+empty_moov', '-f', 'mov', 'pipe:1']),
    );
  });

  const MotionImageInserter = {
    InsertionMode: 'MOV',
    Input: 's3://source/motion.mov',
    Offset: { ImageX: 20, ImageY: 10 },
    StartTime: '00:00:00:10',
  };

  test('play once from their time on, with their transparency', async () => {
    const film = await jobs.film(
      'black.mp4',
      {},
      {},
      { MotionImageInserter: { ...MotionImageInserter, Playback: 'ONCE' } },
    );
    assertColor(colorOf(film, 8, at(30, 20)), BLACK, 'before');
    assertColor(colorOf(film, 12, at(30, 20)), RED, 'there');
    assertColor(colorOf(film, 12, at(50, 20)), BLACK, 'what is transparent');
    assertColor(colorOf(film, 30, at(30, 20)), BLACK, 'gone');
  });

  test('repeat, as large as the film where they have no place', async () => {
    const motion = { ...MotionImageInserter, Offset: undefined, Playback: 'REPEAT' };
    const film = await jobs.film('black.mp4', {}, {}, { MotionImageInserter: motion });
    assertColor(colorOf(film, 8, at(40, 45)), BLACK, 'before');
    for (const picture of [12, 25, 48]) {
      assertColor(colorOf(film, picture, at(40, 45)), RED, `picture ${picture}`);
      assertColor(colorOf(film, picture, at(120, 45)), BLACK, `right half of picture ${picture}`);
    }
  });
});

describe('images that are none', { skip: withoutFfmpeg }, () => {
  const withImage = (file: string) => jobs.run('black.mp4', {}, [withImages(image(file))]);

  test('end the job with the code of what is wrong', async () => {
    const missing = await withImage('nowhere.png');
    assert.deepEqual([missing.Status, missing.ErrorCode], ['ERROR', 1404]);
    await jobs.put('film.png', makeFilm('color=black:size=160x90:rate=25:duration=1'));
    const film = await withImage('film.png');
    assert.deepEqual([film.Status, film.ErrorCode], ['ERROR', 1010]);
    await jobs.put('cut.png', makeImage('red', '40x30', 'png').subarray(0, 60));
    assert.equal((await withImage('cut.png')).ErrorCode, 1010);
  });

  test('that say they are larger than any film end the job before they are unpacked', async () => {
    const bomb = makeImage('red', '40x30', 'png');
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    await jobs.put('bomb.png', bomb);
    const job = await withImage('bomb.png');
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010]);
  });

  test('without their place are refused', async () => {
    const VideoPreprocessors = { ImageInserter: { InsertableImages: [{ ImageInserterInput: 's3://source/red.png' }] } };
    await assert.rejects(
      jobs.run('black.mp4', {}, [{ VideoPreprocessors }]),
      /insertableImages\/0: imageX is a required property/,
    );
  });
});
