import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand } from '@aws-sdk/client-mediaconvert';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { h264, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { at, PictureJobs } from '#test/harness/picture-jobs.ts';
import { assertColor, colorOf, ffmpeg, lumaOf, makeFilm, rawPixels } from '#test/harness/pixels.ts';

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

/** What a film's timecode track says of its first picture; ffprobe has to go back for it. */
function timecodeTrackOf(film: Buffer): string {
  const args = ['-v', 'error', '-select_streams', 'd', '-show_entries', 'stream_tags=timecode', '-of', 'csv=p=0'];
  return spawnSync('ffprobe', [...args, 'cache:pipe:0'], { input: film })
    .stdout.toString()
    .trim();
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

  test('are a track of their own where that is wanted, and drop numbers at 29.97', async () => {
    const rate = { FramerateControl: 'SPECIFIED', FramerateNumerator: 30_000, FramerateDenominator: 1001 } as const;
    const { H264Settings, Codec } = h264(2_000_000);
    const video = {
      ...SIZE,
      TimecodeTrack: 'ENABLED',
      CodecSettings: { Codec, H264Settings: { ...H264Settings, ...rate } },
    } as const;
    const settings = { TimecodeConfig: { Source: 'SPECIFIEDSTART', Start: '01:00:00:00' } };
    const [dropped = Buffer.alloc(0), plain = Buffer.alloc(0)] = await jobs.films(
      'grey.mp4',
      {},
      [video, { ...video, DropFrameTimecode: 'DISABLED' }],
      settings,
    );
    for (const [film, wanted] of [
      [dropped, '01:00:00;00'],
      [plain, '01:00:00:00'],
    ] as const) {
      assert.equal(timecodeTrackOf(film), wanted);
    }
    // What one job has counted, the next one follows.
    await jobs.put('counted.mp4', dropped);
    const again = await jobs.film('counted.mp4', {}, video, { TimecodeConfig: { Source: 'EMBEDDED' } });
    assert.equal(timecodeTrackOf(again), '01:00:00;00');
  });
});

/** What ffprobe reads beside each picture, in the order in which they are shown. */
function insertedIn(film: Buffer): readonly string[] {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_frames', '-of', 'json', 'cache:pipe:0'];
  const { stdout } = spawnSync('ffprobe', args, { input: film, maxBuffer: 64 * 1024 * 1024 });
  const { frames } = JSON.parse(stdout.toString()) as {
    frames: { side_data_list?: { timecode?: string; timecodes?: { value: string }[] }[] }[];
  };
  return frames.map(({ side_data_list: list = [] }) => {
    const found = list.find(({ timecode, timecodes }) => timecode !== undefined || timecodes !== undefined);
    return found?.timecode ?? found?.timecodes?.[0]?.value ?? '';
  });
}

describe('timecodes in pictures', { skip: withoutFfmpeg }, () => {
  const settings = { TimecodeConfig: { Source: 'SPECIFIEDSTART', Start: '01:00:59:20' } };
  const expected = Array.from({ length: 50 }, (_, index) => {
    const frames = 20 + index;
    const two = (value: number): string => String(value).padStart(2, '0');
    return frames < 25 ? `01:00:59:${two(frames)}` : `01:01:${two(Math.floor(frames / 25) - 1)}:${two(frames % 25)}`;
  });
  const inserted = { ...SIZE, TimecodeInsertion: 'PIC_TIMING_SEI' } as const;

  test('are beside each picture of H.264 and H.265, whatever else stands there', async () => {
    const { H264Settings, Codec } = h264(2_000_000);
    const { SceneChangeDetect, GopSize, GopSizeUnits } = H264Settings;
    const constant = { RateControlMode: 'CBR', Bitrate: 500_000, SceneChangeDetect, GopSize, GopSizeUnits } as const;
    const films = await jobs.films(
      'grey.mp4',
      {},
      [
        { ...inserted, CodecSettings: { Codec, H264Settings } },
        { ...inserted, CodecSettings: { Codec, H264Settings: constant } },
        { ...inserted, CodecSettings: { Codec: 'H_265', H265Settings: constant } },
        { ...SIZE, CodecSettings: { Codec, H264Settings } },
      ],
      settings,
    );
    const [plain, buffered, hevc, without] = films.map(insertedIn);
    assert.deepEqual(plain, expected);
    assert.deepEqual(buffered, expected);
    assert.deepEqual(hevc, expected);
    assert.ok(without?.every((timecode) => timecode === ''));
    for (const film of films) assertColor(colorOf(film, 30, at(160, 90)), [128, 128, 128], 'the picture itself');
  });

  test('drop numbers where the rate does', async () => {
    const { H264Settings, Codec } = h264(2_000_000);
    const rate = { FramerateControl: 'SPECIFIED', FramerateNumerator: 30_000, FramerateDenominator: 1001 } as const;
    const video = { ...inserted, CodecSettings: { Codec, H264Settings: { ...H264Settings, ...rate } } };
    const film = await jobs.film('grey.mp4', {}, video, {
      TimecodeConfig: { Source: 'SPECIFIEDSTART', Start: '00:00:59:28' },
    });
    assert.deepEqual(insertedIn(film).slice(0, 4), ['00:00:59;28', '00:00:59;29', '00:01:00;02', '00:01:00;03']);
  });

  test('begin each group of pictures of MPEG-2', async () => {
    const group = mp4Group({ destination: 's3://outputs/gops' });
    const Mpeg2Settings = { RateControlMode: 'CBR', Bitrate: 2_000_000, GopSize: 12, GopSizeUnits: 'FRAMES' } as const;
    const output = {
      ContainerSettings: { Container: 'M2TS' },
      VideoDescription: { ...inserted, CodecSettings: { Codec: 'MPEG2', Mpeg2Settings } },
    } as const;
    const request = jobOf(jobs.account.role, 's3://source/grey.mp4', [{ ...group, Outputs: [output] }]);
    Object.assign(request.Settings ?? {}, settings);
    const { Job } = await jobs.account.media.send(new CreateJobCommand(request));
    const job = await jobEnd(jobs.account.media, Job?.Id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    const found = insertedIn(await jobs.account.download('gops.m2ts'));
    const begun = found.flatMap((timecode, picture) => (timecode === '' ? [] : [{ timecode, picture }]));
    assert.ok(begun.length >= 4, `${begun.length}`);
    // The decoder tells it with the picture that it has ready then, the one before.
    for (const { timecode, picture } of begun) assert.equal(timecode, expected[picture === 0 ? 0 : picture + 1]);
  });

  test('of other codecs are refused', async () => {
    const ProresSettings = { CodecProfile: 'APPLE_PRORES_422' } as const;
    await assert.rejects(
      jobs.run('grey.mp4', {}, [{ ...inserted, CodecSettings: { Codec: 'PRORES', ProresSettings } }]),
      /\/videoDescription\/timecodeInsertion: Needs codec H_264, H_265 or MPEG2/,
    );
  });
});

describe('other choices of an input', { skip: withoutFfmpeg }, () => {
  test('the video of a number is used, and one that is not there ends the job', async () => {
    const sources = ['red', 'blue'].flatMap((color) => [
      '-f',
      'lavfi',
      '-i',
      `color=${color}:size=160x90:rate=25:duration=1`,
    ]);
    const maps = ['-map', '0', '-map', '1', '-streamid', '0:300', '-streamid', '1:301', '-c:v', 'libx264'];
    const film = ffmpeg(['-v', 'error', ...sources, ...maps, '-pix_fmt', 'yuv420p', '-f', 'mpegts', 'pipe:1']);
    await jobs.put('two.ts', film);
    const blue = await jobs.film('two.ts', { VideoSelector: { Pid: 301 } }, {});
    assertColor(colorOf(blue, 5, at(80, 45)), [0, 0, 255], 'the second video');
    const job = await jobs.run('two.ts', { VideoSelector: { Pid: 400 } }, [{}]);
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1020]);
  });

  test('FRAMEFORMER moves what moves by half its way', async () => {
    const source =
      "color=black:size=160x96:rate=10:duration=2,drawbox=x=0:y=0:w=1:h=1,geq=lum='if(between(X,8*N,8*N+23)*between(Y,30,65),235,16)':cb=128:cr=128";
    await jobs.put('moving.mp4', makeFilm(source));
    const { H264Settings, Codec } = h264(4_000_000);
    const twice = { FramerateControl: 'SPECIFIED', FramerateNumerator: 20, FramerateDenominator: 1 } as const;
    const film = await jobs.film(
      'moving.mp4',
      {},
      {
        Height: 96,
        CodecSettings: {
          Codec,
          H264Settings: { ...H264Settings, ...twice, FramerateConversionAlgorithm: 'FRAMEFORMER' },
        },
      },
    );
    // Between the pictures with the bar at 40 and 48 it is at 44, and not half to be seen at both places.
    assert.ok(lumaOf(film, 11, { x: 46, y: 44, width: 2, height: 8 }) > 200);
    assert.ok(lumaOf(film, 11, { x: 41, y: 44, width: 2, height: 8 }) < 60);
  });

  test('sound that begins earlier and ends later has black pictures', async () => {
    const sources = ['-itsoffset', '0.4', '-f', 'lavfi', '-i', 'color=red:size=160x90:rate=25:duration=0.8'];
    const sound = ['-f', 'lavfi', '-i', 'sine=duration=2:sample_rate=48000', '-c:a', 'aac'];
    const encoder = ['-c:v', 'libx264', '-bf', '0', '-pix_fmt', 'yuv420p', '-f', 'matroska', 'pipe:1'];
    await jobs.put('late.mkv', ffmpeg(['-v', 'error', ...sources, ...sound, ...encoder]));
    const request = jobOf(jobs.account.role, 's3://source/late.mkv', [
      mp4Group({ destination: 's3://outputs/padded' }),
    ]);
    Object.assign(request.Settings?.Inputs?.[0] ?? {}, { VideoSelector: { PadVideo: 'BLACK' } });
    const { Job: created } = await jobs.account.media.send(new CreateJobCommand(request));
    const job = await jobEnd(jobs.account.media, created?.Id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    const film = await jobs.account.download('padded-180p.mp4');
    for (const [picture, color] of [
      [5, [0, 0, 0]],
      [15, [255, 0, 0]],
      [45, [0, 0, 0]],
    ] as const) {
      assertColor(colorOf(film, picture, at(160, 90)), color, `picture ${picture}`);
    }
  });
});
