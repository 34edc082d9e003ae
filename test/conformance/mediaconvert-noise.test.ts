import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NoiseReducer } from '@aws-sdk/client-mediaconvert';
import { probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { h264 } from '#test/harness/media-job.ts';
import { PictureJobs } from '#test/harness/picture-jobs.ts';
import { ffmpeg, makeFilm, rawPixels } from '#test/harness/pixels.ts';

let jobs: PictureJobs;

before(async () => {
  jobs = await PictureJobs.start();
  await jobs.put(
    'noise.mp4',
    makeFilm('color=0x808080:size=160x90:rate=25:duration=1,noise=alls=12:allf=t', '-crf', '1'),
  );
  const film = 'testsrc2=size=160x96:rate=24000/1001:duration=2,telecine=pattern=23:first_field=top';
  const lines =
    "color=gray:size=160x96:rate=25:duration=1,format=yuv420p,geq=lum='if(mod(Y+N,2),200,50)':cb=128:cr=128";
  await jobs.put('lines.mp4', makeFilm(lines, '-flags', '+ilme+ildct', '-top', '1', '-crf', '4'));
  await jobs.put('telecined.mp4', makeFilm(film, '-flags', '+ilme+ildct', '-top', '1', '-crf', '4'));
});

after(() => jobs.stop());

/** How far the samples of a grey film's middle are from their average. */
function noiseOf(film: Buffer | undefined): number {
  const samples = rawPixels(film ?? Buffer.alloc(0), 12, 'format=gray', 'gray');
  const average = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  return Math.sqrt(samples.reduce((sum, value) => sum + (value - average) ** 2, 0) / samples.length);
}

const reduced = (NoiseReducer: NoiseReducer) => ({ VideoPreprocessors: { NoiseReducer } });
const fine = { CodecSettings: h264(20_000_000) };

describe('noise', { skip: withoutFfmpeg }, () => {
  test('is less behind each filter, and the less the stronger it is', async () => {
    const filters: NoiseReducer[] = [
      ...(['BILATERAL', 'MEAN', 'GAUSSIAN', 'LANCZOS', 'CONSERVE'] as const).flatMap((Filter) =>
        [1, 3].map((Strength) => ({ Filter, FilterSettings: { Strength } })),
      ),
      ...[2, 16].map((Strength) => ({ Filter: 'SPATIAL' as const, SpatialFilterSettings: { Strength } })),
      ...[2, 16].map((Strength) => ({ Filter: 'TEMPORAL' as const, TemporalFilterSettings: { Strength } })),
    ];
    const [plain, ...films] = await jobs.films('noise.mp4', {}, [
      fine,
      ...filters.map((filter) => ({ ...fine, ...reduced(filter) })),
    ]);
    for (let index = 0; index < films.length; index += 2) {
      const [before, weak, strong] = [noiseOf(plain), noiseOf(films[index]), noiseOf(films[index + 1])];
      const text = `${filters[index]?.Filter}: ${before.toFixed(2)}, ${weak.toFixed(2)}, ${strong.toFixed(2)}`;
      assert.ok(weak < before * 0.97 && strong < weak, text);
    }
  });

  test('of an input is filtered for all outputs; SHARPEN makes edges harder', async () => {
    const [plain] = await jobs.films('noise.mp4', {}, [fine]);
    const [cleaned] = await jobs.films(
      'noise.mp4',
      { DenoiseFilter: 'ENABLED', FilterEnable: 'FORCE', FilterStrength: 5 },
      [fine],
    );
    assert.ok(noiseOf(cleaned) < noiseOf(plain) * 0.8, `${noiseOf(cleaned)}, ${noiseOf(plain)}`);
    await jobs.films('noise.mp4', { DeblockFilter: 'ENABLED' }, [fine]);
    const [sharp] = await jobs.films('noise.mp4', {}, [
      { ...fine, ...reduced({ Filter: 'SHARPEN', FilterSettings: { Strength: 3 } }) },
    ]);
    assert.ok(noiseOf(sharp) > noiseOf(plain));
  });

  test('settings of another filter, and filters that are turned off, are refused', async () => {
    const settings = reduced({ Filter: 'MEAN', SpatialFilterSettings: { Strength: 1 } });
    await assert.rejects(jobs.run('noise.mp4', {}, [settings]), /noiseReducer\/spatialFilterSettings: Is not allowed/);
    const input = { FilterEnable: 'DISABLE', DeblockFilter: 'ENABLED' } as const;
    await assert.rejects(jobs.run('noise.mp4', input, [{}]), /\/inputs\/0\/deblockFilter: Is not allowed/);
  });
});

test('pictures that are segmented in two halves are not deinterlaced', { skip: withoutFfmpeg }, async () => {
  const video = { ...fine, Height: 96, VideoPreprocessors: { Deinterlacer: { Control: 'FORCE_ALL_FRAMES' as const } } };
  /** By how much each line differs from the next one. */
  const contrast = (film: Buffer): number => {
    const samples = rawPixels(film, 12, 'format=gray,scale=1:96:flags=area', 'gray');
    const steps = [...samples.subarray(1)].map((value, index) => Math.abs(value - (samples[index] ?? 0)));
    return steps.reduce((sum, step) => sum + step, 0) / steps.length;
  };
  const whole = contrast(await jobs.film('lines.mp4', { InputScanType: 'PSF' }, video));
  const divided = contrast(await jobs.film('lines.mp4', { InputScanType: 'AUTO' }, video));
  assert.ok(whole > 120 && divided < 60, `${whole}, ${divided}`);
});

test('telecined film becomes film again', { skip: withoutFfmpeg }, async () => {
  const Deinterlacer = { Mode: 'INVERSE_TELECINE' } as const;
  const film = await jobs.film('telecined.mp4', {}, { ...fine, Height: 96, VideoPreprocessors: { Deinterlacer } });
  const [picture] = await probe(film);
  assert.equal(picture?.['r_frame_rate'], '24000/1001');
  // No picture is the one before it again, and none is of two moments.
  const frames = ffmpeg(
    [
      '-v',
      'error',
      '-i',
      'pipe:0',
      '-vf',
      'mpdecimate,format=gray,scale=1:1',
      '-vsync',
      'vfr',
      '-f',
      'rawvideo',
      'pipe:1',
    ],
    film,
  );
  assert.ok(frames.length >= 45 && frames.length <= 49, `${frames.length} different pictures`);
});
