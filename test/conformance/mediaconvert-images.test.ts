import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type ImageInserter, type Input, type Job } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { h264, jobEnd, jobOf } from '#test/harness/media-job.ts';
import { assertColor, colorOf, makeFilm, makeImage } from '#test/harness/pixels.ts';

let account: MediaAccount;

const [RED, BLUE, BLACK] = [
  [255, 0, 0],
  [0, 0, 255],
  [0, 0, 0],
];

async function put(key: string, body: Buffer): Promise<void> {
  await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key: key, Body: body }));
}

interface Output {
  readonly width?: number;
  readonly height?: number;
  readonly images?: ImageInserter;
}

/** Runs a job of one input and one film an output. */
async function run(input: Partial<Input>, outputs: readonly Output[], file = 'black.mp4'): Promise<Job> {
  const request = jobOf(account.role, `s3://source/${file}`, [
    {
      OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings: { Destination: 's3://outputs/film' } },
      Outputs: outputs.map(({ width = 160, height = 90, images }, index) => ({
        NameModifier: `_${index}`,
        ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' } },
        VideoDescription: {
          Width: width,
          Height: height,
          CodecSettings: h264(2_000_000),
          ...(images !== undefined && { VideoPreprocessors: { ImageInserter: images } }),
        },
      })),
    },
  ]);
  Object.assign(request.Settings?.Inputs?.[0] ?? {}, { TimecodeSource: 'ZEROBASED' }, input);
  Object.assign(request.Settings ?? {}, { TimecodeConfig: { Source: 'ZEROBASED' } });
  const { Job: created } = await account.media.send(new CreateJobCommand(request));
  return jobEnd(account.media, created?.Id);
}

async function films(input: Partial<Input>, outputs: readonly Output[], file?: string): Promise<Buffer[]> {
  const job = await run(input, outputs, file);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  return Promise.all(outputs.map((_, index) => account.download(`film_${index}.mp4`)));
}

before(async () => {
  account = await MediaAccount.start(1);
  await put('black.mp4', makeFilm('color=black:size=160x90:rate=25:duration=2'));
  await put('red.png', makeImage('red@1.0', '40x30', 'png'));
  await put('blue.bmp', makeImage('blue@1.0', '40x30', 'bmp'));
  await put('half.tga', makeImage('red@0.5', '40x30', 'targa'));
});

after(() => account.stop());

const at = (x: number, y: number) => ({ x: x - 2, y: y - 2, width: 4, height: 4 });
const image = (file: string, extra: object = {}) => ({
  ImageInserterInput: `s3://source/${file}`,
  ImageX: 20,
  ImageY: 10,
  Opacity: 100,
  ...extra,
});

describe('images on films', { skip: withoutFfmpeg }, () => {
  test('lie at their place in their size and opacity, those of a higher layer on top', async () => {
    const images = {
      InsertableImages: [
        image('blue.bmp', { ImageX: 40, ImageY: 30, Layer: 2 }),
        image('red.png', { Layer: 1 }),
        image('half.tga', { ImageX: 100, ImageY: 10, Layer: 3 }),
        image('red.png', { ImageX: 100, ImageY: 50, Width: 20, Height: 20, Opacity: 50, Layer: 4 }),
      ],
    };
    const [film = Buffer.alloc(0)] = await films({}, [{ images }]);
    assertColor(colorOf(film, 10, at(30, 20)), RED, 'a PNG');
    assertColor(colorOf(film, 10, at(50, 35)), BLUE, 'a BMP of a higher layer');
    assertColor(colorOf(film, 10, at(10, 20)), BLACK, 'left of it');
    assertColor(colorOf(film, 10, at(30, 45)), BLACK, 'below it');
    assertColor(colorOf(film, 10, at(120, 25)), [128, 0, 0], 'a TGA that one half sees through');
    assertColor(colorOf(film, 10, at(110, 60)), [128, 0, 0], 'an image of half opacity');
    assertColor(colorOf(film, 10, at(125, 60)), BLACK, 'beside a smaller image');
  });

  test('of an input are scaled with it, and those of an output are not', async () => {
    const [small = Buffer.alloc(0), large = Buffer.alloc(0)] = await films(
      { ImageInserter: { InsertableImages: [image('red.png')] } },
      [
        { width: 80, height: 46 },
        { width: 320, height: 180, images: { InsertableImages: [image('blue.bmp')] } },
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
    const images = { InsertableImages: [image('red.png', timing)] };
    const [output = Buffer.alloc(0)] = await films({}, [{ images }]);
    const [input = Buffer.alloc(0)] = await films({ ImageInserter: images }, [{}]);
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
    const [film = Buffer.alloc(0)] = await films({ ...clip, ImageInserter: images }, [{}]);
    assertColor(colorOf(film, 11, at(30, 20)), BLACK, 'before');
    assertColor(colorOf(film, 12, at(30, 20)), RED, 'there');
  });
});

describe('images that are none', { skip: withoutFfmpeg }, () => {
  const withImage = (file: string) => run({}, [{ images: { InsertableImages: [image(file)] } }]);

  test('end the job with the code of what is wrong', async () => {
    const missing = await withImage('nowhere.png');
    assert.deepEqual([missing.Status, missing.ErrorCode], ['ERROR', 1404]);
    await put('film.png', makeFilm('color=black:size=160x90:rate=25:duration=1'));
    const film = await withImage('film.png');
    assert.deepEqual([film.Status, film.ErrorCode], ['ERROR', 1010]);
    await put('cut.png', makeImage('red', '40x30', 'png').subarray(0, 60));
    assert.equal((await withImage('cut.png')).ErrorCode, 1010);
  });

  test('that say they are larger than any film end the job before they are unpacked', async () => {
    const bomb = makeImage('red', '40x30', 'png');
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    await put('bomb.png', bomb);
    const job = await withImage('bomb.png');
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010]);
  });

  test('without their place are refused', async () => {
    const images = { InsertableImages: [{ ImageInserterInput: 's3://source/red.png' }] };
    await assert.rejects(run({}, [{ images }]), /insertableImages\/0: imageX is a required property/);
  });
});
