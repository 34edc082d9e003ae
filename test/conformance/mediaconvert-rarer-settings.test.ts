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

/** Two programs, 7 (red) and 9 (blue), whose packets are mixed; the second comes first where streams are counted. */
function twoPrograms(): Buffer {
  const sources = ['blue', 'red'].flatMap((color) => ['-f', 'lavfi', '-i', `color=${color}:size=160x90:rate=25`]);
  const programs = ['-program', 'program_num=7:st=1', '-program', 'program_num=9:st=0'];
  const args = ['-v', 'error', ...sources, '-t', '1', '-map', '0', '-map', '1', '-c:v', 'mpeg2video', ...programs];
  return ffmpeg([...args, '-f', 'mpegts', 'pipe:1']);
}

/** The same without any table. */
function withoutTables(stream: Buffer): Buffer {
  const packets: Buffer[] = [];
  for (let from = 0; from + 188 <= stream.length; from += 188) {
    const packet = stream.subarray(from, from + 188);
    const pid = packet.readUInt16BE(1) & 0x1fff;
    if (pid >= 0x100) packets.push(packet);
  }
  return Buffer.concat(packets);
}

before(async () => {
  jobs = await PictureJobs.start();
  const stream = twoPrograms();
  await jobs.put('programs.ts', stream);
  await jobs.put('black.mp4', makeFilm('color=black:size=160x90:rate=25:duration=1'));
  await jobs.put('tableless.ts', withoutTables(stream));
});

after(() => jobs.stop());

describe('transport streams with several programs', { skip: withoutFfmpeg }, () => {
  const shown = async (key: string, input: object): Promise<readonly number[]> =>
    colorOf(await jobs.film(key, input, { Width: 160, Height: 90 }), 5, at(80, 45));

  test('the program that is named is used, else the first one of the table', async () => {
    assertColor(await shown('programs.ts', { ProgramNumber: 9 }), BLUE, 'program 9');
    assertColor(await shown('programs.ts', { ProgramNumber: 7 }), RED, 'program 7');
    assertColor(await shown('programs.ts', { VideoSelector: { ProgramNumber: 9 } }), BLUE, 'the selector’s program 9');
    assertColor(await shown('programs.ts', {}), RED, 'the first program');
    assertColor(await shown('programs.ts', { ProgramNumber: 1234 }), RED, 'one that is not there');
  });

  test('IGNORE_PSI finds streams that no table names', async () => {
    assertColor(await shown('tableless.ts', { PsiControl: 'IGNORE_PSI' }), BLUE, 'the first stream');
  });

  test('two different programs for one input are refused', async () => {
    await assert.rejects(
      jobs.run('programs.ts', { ProgramNumber: 9, VideoSelector: { ProgramNumber: 7 } }, [{}]),
      /\/inputs\/0\/videoSelector\/programNumber: Should be the programNumber of the input/,
    );
  });
});

describe('files that say little of their rate', { skip: withoutFfmpeg }, () => {
  const SOURCE = ['-v', 'error', '-f', 'lavfi', '-i', 'color=red:size=160x90:rate=25:duration=1'];
  const ends = {
    'raw.h264': [['-c:v', 'libx264', '-f', 'h264'], 25],
    'raw.dv': [['-s', '720x576', '-pix_fmt', 'yuv420p', '-c:v', 'dvvideo', '-f', 'dv'], 25],
    'animated.gif': [['-r', '10', '-f', 'gif'], 11],
  } as const;

  for (const [name, [end, pictures]] of Object.entries(ends)) {
    test(`${name} keeps its ${pictures} pictures`, async () => {
      await jobs.put(name, ffmpeg([...SOURCE, ...end, 'pipe:1']));
      const film = await jobs.film(name, {}, { Width: 160, Height: 90 });
      const samples = ffmpeg(
        ['-v', 'error', '-i', 'pipe:0', '-vf', 'scale=1:1', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
        film,
      );
      assert.equal(samples.length, pictures);
      assertColor(colorOf(film, pictures - 1, at(80, 45)), RED, 'the last picture');
    });
  }
});

describe('motion overlays of images', { skip: withoutFfmpeg }, () => {
  const overlay = { InsertionMode: 'PNG', Offset: { ImageX: 40, ImageY: 20 } } as const;
  const Framerate = { FramerateNumerator: 4, FramerateDenominator: 1 };
  const point = at(60, 40);

  test('play one image after the other at their own rate, once or again and again', async () => {
    for (const [index, color] of ['red@1.0', 'blue@1.0'].entries()) {
      await jobs.put(`overlay_0${index}.png`, makeImage(color, '60x50', 'png'));
    }
    const inserter = { ...overlay, Framerate, Input: 's3://source/overlay_00.png' };
    const shown = async (Playback: string): Promise<Buffer> =>
      jobs.film('black.mp4', {}, { Width: 160, Height: 90 }, { MotionImageInserter: { ...inserter, Playback } });
    const once = await shown('ONCE');
    assertColor(colorOf(once, 2, point), RED, 'the first image');
    assertColor(colorOf(once, 9, point), BLUE, 'the second image');
    assertColor(colorOf(once, 16, point), BLACK, 'behind the last one');
    assertColor(colorOf(once, 2, at(110, 40)), BLACK, 'beside the image');
    const repeated = await shown('REPEAT');
    assertColor(colorOf(repeated, 16, point), RED, 'the first image again');
    assertColor(colorOf(repeated, 22, point), BLUE, 'the second image again');
  });

  test('end the job where the first image is missing, or another is of another size', async () => {
    const run = (Input: string) =>
      jobs.run('black.mp4', {}, [{}], { MotionImageInserter: { ...overlay, Framerate, Playback: 'ONCE', Input } });
    const missing = await run('s3://source/none_0.png');
    assert.deepEqual([missing.Status, missing.ErrorCode], ['ERROR', 1404]);
    await jobs.put('sizes_0.png', makeImage('red@1.0', '60x50', 'png'));
    await jobs.put('sizes_1.png', makeImage('red@1.0', '50x50', 'png'));
    const differing = await run('s3://source/sizes_0.png');
    assert.deepEqual([differing.Status, differing.ErrorCode], ['ERROR', 1010]);
  });

  test('are refused where they could not be read as a series', async () => {
    for (const [MotionImageInserter, problem] of [
      [{ ...overlay, Framerate, Input: 's3://source/overlay_01.png' }, /\/input: Should end with the number nought/],
      [{ ...overlay, Input: 's3://source/overlay_00.png' }, /framerate is a required property/],
      [{ ...overlay, Framerate, Input: 's3://source/overlay.mov' }, /\/framerate: Is only allowed with series/],
    ] as const) {
      await assert.rejects(jobs.run('black.mp4', {}, [{}], { MotionImageInserter }), problem);
    }
  });
});
