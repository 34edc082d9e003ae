import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fileGroup, hlsGroup, testJob, testVideo, testVideoH265 } from '#test/fixtures/media/transcode-jobs.ts';
import { makeTestVideo } from './test-video.ts';
import { TranscodeError } from './transcode-error.ts';
import type { TranscodeJob } from './transcode-job.ts';
import type { VideoSettings } from './video-settings.ts';
import { startTranscode } from './transcoder.ts';

let server: ObjectServer;

async function run(job: TranscodeJob) {
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  });
  return startTranscode(job, { endpoint: server.endpoint, region: 'eu-west-1', credentials }, () => undefined).result;
}

const FILM = 'out/film.mp4';

/** Makes a file with this picture and no sound; returns what ffprobe says of it. */
async function pictureOf(video: VideoSettings, inputs?: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  await run(testJob([fileGroup({ video, audios: [] })], inputs));
  const [picture] = await probe(server.bytes(FILM));
  assert.ok(picture);
  return picture;
}

function typesOf(units: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 6 < units.length; at += 4 + units.readUInt32BE(at)) types.push((units[at + 4] ?? 0) >> 1);
  return types;
}

/** The types of the NAL units of a file's first sample. */
function firstUnits(film: Buffer): number[] {
  const at = film.indexOf('mdat');
  return typesOf(film.subarray(at + 4, at + 60_000)).slice(0, 8);
}

before(async () => {
  server = await ObjectServer.start();
  server.put('in/in.mp4', await makeTestVideo({ seconds: 5, width: 320, height: 180 }));
});

after(() => server.stop());

describe('H.265', { skip: withoutFfmpeg }, () => {
  test('in MP4 and MOV plays, under the name and with the profile, tier and level that were asked for', async () => {
    const video = testVideoH265(320, 180, { level: '4.1', tier: 'high', tag: 'hvc1' });
    const outputs = [
      { ...fileGroup({ video }).outputs[0] },
      { ...fileGroup({ video, container: 'mov', extension: 'mov' }).outputs[0] },
    ] as ReturnType<typeof fileGroup>['outputs'];
    await run(testJob([{ ...fileGroup(), outputs }]));
    for (const key of [FILM, 'out/film.mov']) {
      const film = server.bytes(key);
      const [picture, sound] = await probe(film);
      const { codec_name: codec, codec_tag_string: tag, profile, level, pix_fmt: format } = picture ?? {};
      assert.deepEqual([codec, tag, profile, level, format], ['hevc', 'hvc1', 'Main', 123, 'yuv420p']);
      assert.equal(sound?.['codec_name'], 'aac');
      const { checksums, complaints } = await play(film, 'v');
      assert.deepEqual([checksums.length, complaints], [150, '']);
    }
  });

  test('has its parameter sets in the index alone as hvc1, and in the stream as hev1', async () => {
    const SETS = [32, 33, 34];
    assert.equal((await pictureOf(testVideoH265(160, 90, { tag: 'hvc1' })))['codec_tag_string'], 'hvc1');
    assert.ok(!firstUnits(server.bytes(FILM)).some((type) => SETS.includes(type)));
    assert.equal((await pictureOf(testVideoH265(160, 90, { tag: 'hev1' })))['codec_tag_string'], 'hev1');
    assert.deepEqual(
      firstUnits(server.bytes(FILM)).filter((type) => SETS.includes(type)),
      SETS,
    );
    assert.equal((await play(server.bytes(FILM), 'v')).complaints, '');
  });

  test('has ten bits with the profile Main10', async () => {
    const picture = await pictureOf(testVideoH265(160, 90, { profile: 'main10' }));
    assert.deepEqual([picture['profile'], picture['pix_fmt']], ['Main 10', 'yuv420p10le']);
    assert.equal((await play(server.bytes(FILM), 'v')).complaints, '');
  });

  test('keeps to constant and variable bitrates', async () => {
    for (const mode of ['cbr', 'vbr'] as const) {
      const picture = await pictureOf(testVideoH265(320, 180, { rateControl: { mode, bitrate: 400_000 } }));
      const bitrate = Number(picture['bit_rate']);
      assert.ok(bitrate > 300_000 && bitrate < 500_000, `${mode}: ${bitrate}`);
    }
  });

  test('takes GOPs, B frames, references, slices and switches of the encoder', async () => {
    const slices = (film: Buffer) => firstUnits(film).filter((type) => type === 19 || type === 20).length;
    await pictureOf(
      testVideoH265(320, 180, {
        gop: { size: 25, unit: 'frames' },
        isSceneChangeDetected: false,
        bFrames: 0,
        references: 2,
        slices: 2,
        treeBlockSize: 32,
        isDeblocked: false,
        isSampleOffsetAdaptive: false,
        isMotionPredictedOverTime: false,
        isBFrameCountAdaptive: false,
        adaptiveQuantization: 0,
        bufferInitialFill: 50,
        minKeyInterval: 5,
      }),
    );
    const film = server.bytes(FILM);
    assert.equal(slices(film), 2);
    const { stdout } = spawnSync(
      'ffprobe',
      ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pict_type', '-of', 'csv=p=0', 'pipe:0'],
      { input: film },
    );
    const types = stdout.toString().replace(/[^IPB]/g, '');
    assert.match(types, /^(IP{24}){6}$/);
    assert.equal((await play(film, 'v')).complaints, '');
  });

  test('that a level cannot hold is refused with 1040', async () => {
    const video = testVideoH265(1920, 1080, { level: '1.0' });
    await assert.rejects(
      run(testJob([fileGroup({ video })])),
      (error) => error instanceof TranscodeError && error.code === 1040,
    );
  });

  test('plays as HLS, whose manifest names it', async () => {
    await run(testJob([hlsGroup([{ video: testVideoH265(320, 180, {}) }])]));
    const main = server.bytes('out/hls/film.m3u8').toString();
    assert.match(main, /CODECS="hvc1\.1\.6\.L\d+\.90,mp4a\.40\.2"/);
    const address = `${server.endpoint}/out/hls/film.m3u8`;
    const { checksums, complaints } = await play(address, 'v');
    assert.deepEqual([checksums.length, complaints], [150, '']);
    for (const number of [1, 2, 3]) {
      const { checksums: some } = await play(server.bytes(`out/hls/film_1_0000${number}.ts`), 'v');
      assert.equal(some.length, number === 3 ? 30 : 60);
    }
  });
});

describe('AV1', { skip: withoutFfmpeg }, () => {
  test('in MP4 plays, with 8 and 10 bits, GOPs and the rate that was asked for', async () => {
    for (const bitDepth of [8, 10] as const) {
      const rateControl = { mode: 'qvbr', level: 6, maxBitrate: 300_000 } as const;
      const codec = { kind: 'av1', rateControl, gop: { size: 30, unit: 'frames' }, bFrames: 7, bitDepth } as const;
      const picture = await pictureOf({ ...testVideo(320, 180), codec });
      const { codec_name: name, pix_fmt: format, codec_tag_string: tag } = picture;
      assert.deepEqual([name, tag, format], ['av1', 'av01', bitDepth === 8 ? 'yuv420p' : 'yuv420p10le']);
      assert.ok(Number(picture['bit_rate']) < 400_000, String(picture['bit_rate']));
      const film = server.bytes(FILM);
      const { checksums, complaints } = await play(film, 'v');
      assert.deepEqual([checksums.length, complaints], [150, '']);
      const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=flags', '-of', 'csv=p=0', 'pipe:0'];
      const flags = spawnSync('ffprobe', args, { input: film }).stdout.toString().split('\n');
      assert.deepEqual(
        flags.flatMap((flag, index) => (flag.startsWith('K') ? [index] : [])),
        [0, 30, 60, 90, 120],
      );
    }
  });

  test('of a higher quality has more bytes', async () => {
    const sizes: number[] = [];
    for (const level of [2, 9]) {
      const rateControl = { mode: 'qvbr', level, maxBitrate: 5_000_000 } as const;
      await pictureOf({ ...testVideo(320, 180), codec: { kind: 'av1', rateControl, bitDepth: 8 } });
      sizes.push(server.bytes(FILM).length);
    }
    assert.ok((sizes[0] ?? 0) * 1.5 < (sizes[1] ?? 0), sizes.join());
  });
});

/** Frames of the file that the detector calls interlaced, and progressive. */
function detected(film: Buffer): { readonly interlaced: number; readonly progressive: number } {
  const args = ['-hide_banner', '-i', 'pipe:0', '-vf', 'idet', '-an', '-f', 'null', '-'];
  const text = spawnSync('ffmpeg', args, { input: film }).stderr.toString();
  const [, top, bottom, progressive] =
    /Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+)/.exec(text) ?? [];
  return { interlaced: Number(top) + Number(bottom), progressive: Number(progressive) };
}

describe('pictures of other times', { skip: withoutFfmpeg }, () => {
  before(() => {
    const source = 'testsrc2=size=320x240:rate=50:duration=3,tinterlace=interleave_top,fieldorder=tff';
    const flags = ['-flags', '+ilme+ildct', '-x264-params', 'tff=1', '-f', 'matroska', 'pipe:1'];
    const { stdout, status } = spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...flags], {
      maxBuffer: 100_000_000,
    });
    assert.equal(status, 0);
    server.put('in/tv.mkv', stdout);
  });

  test('interlaced ones become progressive where that is asked for, and stay as they are elsewhere', async () => {
    const plain = testVideo(320, 240);
    await pictureOf(plain, ['tv.mkv']);
    assert.ok(detected(server.bytes(FILM)).interlaced > 40);
    for (const deinterlace of [
      { method: 'interpolate', pictures: 'interlaced', isDetected: false },
      { method: 'interpolate', pictures: 'all', isDetected: false },
      { method: 'interpolate', pictures: 'interlaced', isDetected: true },
      { method: 'ticker', pictures: 'interlaced', isDetected: false },
      { method: 'linear', pictures: 'interlaced', isDetected: false },
      { method: 'blend', pictures: 'interlaced', isDetected: false },
    ] as const) {
      await pictureOf({ ...plain, deinterlace }, ['tv.mkv']);
      const { interlaced, progressive } = detected(server.bytes(FILM));
      assert.ok(interlaced < 5 && progressive > 40, `${JSON.stringify(deinterlace)}: ${interlaced}, ${progressive}`);
      assert.equal((await play(server.bytes(FILM), 'v')).checksums.length, 75);
    }
  });

  test('a higher rate repeats pictures, or blends two of them', async () => {
    server.put('in/slow.mp4', await makeTestVideo({ seconds: 2, width: 320, height: 180, framesPerSecond: 20 }));
    const distinct = (film: Buffer) => {
      const args = ['-v', 'error', '-i', 'pipe:0', '-vf', 'mpdecimate', '-vsync', '0', '-f', 'framemd5', '-an', '-'];
      const lines = spawnSync('ffmpeg', args, { input: film }).stdout.toString().split('\n');
      return lines.filter((line) => line !== '' && !line.startsWith('#')).length;
    };
    const faster = { ...testVideo(320, 180), framerate: { num: 30, den: 1 } };
    await pictureOf(faster, ['slow.mp4']);
    const repeated = distinct(server.bytes(FILM));
    await pictureOf({ ...faster, rateConversion: 'blend' }, ['slow.mp4']);
    const blended = distinct(server.bytes(FILM));
    assert.ok(repeated < 45 && blended > 55, `${repeated}, ${blended}`);
  });
});

describe('captures', { skip: withoutFfmpeg }, () => {
  const captures = (num: number, den: number, extra: { quality?: number; maxPictures?: number } = {}) => {
    const codec = { kind: 'jpeg', quality: 80, ...extra } as const;
    const video: VideoSettings = { ...testVideo(320, 180), framerate: { num, den }, codec };
    return fileGroup({ video, container: 'pictures', extension: 'jpg', nameModifier: '_still', audios: [] });
  };
  const written = () => [...server.objects.keys()].filter((path) => path.endsWith('.jpg')).sort();
  const clear = () => written().forEach((path) => server.objects.delete(path));

  test('are pictures of their own, the first one and then one for each step, as many as are wanted', async () => {
    clear();
    const result = await run(testJob([captures(1, 2)]));
    assert.deepEqual(
      written(),
      [0, 1, 2].map((number) => `out/film_still.000000${number}.jpg`),
    );
    const [output] = result.groups[0]?.outputs ?? [];
    assert.deepEqual([output?.paths, output?.width], [['s3://out/film_still.0000002.jpg'], 320]);
    for (const path of written()) {
      const [picture] = await probe(server.bytes(path));
      const { codec_name: codec, width, height, color_range: range } = picture ?? {};
      assert.deepEqual([codec, width, height, range], ['mjpeg', 320, 180, 'pc']);
    }
    clear();
    await run(testJob([captures(2, 1, { maxPictures: 4 })]));
    assert.equal(written().length, 4);
  });

  test('show the film at their times', async () => {
    clear();
    await run(testJob([captures(1, 1)]));
    const wanted = (second: number) => {
      const args = ['-v', 'error', '-i', 'pipe:0', '-vf', `select=eq(n\\,${second * 30}),scale=320:180,format=gray`];
      return spawnSync('ffmpeg', [...args, '-frames:v', '1', '-f', 'rawvideo', '-'], {
        input: server.bytes('in/in.mp4'),
      }).stdout;
    };
    for (const [second, path] of written().entries()) {
      const args = [
        '-v',
        'error',
        '-i',
        'pipe:0',
        '-vf',
        'scale=in_range=pc:out_range=tv,format=gray',
        '-f',
        'rawvideo',
        '-',
      ];
      const got = spawnSync('ffmpeg', args, { input: server.bytes(path) }).stdout;
      const other = wanted(second);
      const distance = got.reduce((sum, value, at) => sum + Math.abs(value - (other[at] ?? 0)), 0) / got.length;
      assert.ok(distance < 12, `second ${second}: ${distance}`);
    }
  });

  test('of a higher quality have more bytes', async () => {
    const sizes: number[] = [];
    for (const quality of [20, 60, 100]) {
      await run(testJob([captures(1, 5, { quality })]));
      sizes.push(server.bytes('out/film_still.0000000.jpg').length);
    }
    assert.deepEqual(
      sizes.toSorted((a, b) => a - b),
      sizes,
    );
    assert.ok((sizes[0] ?? 0) * 2 < (sizes[2] ?? 0), sizes.join());
  });
});
