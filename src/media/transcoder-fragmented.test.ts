import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fragmentedGroup, testJob, testVideo, testVideoH265 } from '#test/fixtures/media/transcode-jobs.ts';
import { makeTestVideo } from './test-video.ts';
import type { FragmentedGroup } from './output-group.ts';
import type { TranscodeResult } from './transcode-report.ts';
import type { VideoSettings } from './video-settings.ts';
import { startTranscode } from './transcoder.ts';

let server: ObjectServer;

/** Runs a job of one group, with nothing else in the bucket. */
async function run(group: FragmentedGroup): Promise<TranscodeResult> {
  for (const path of server.objects.keys()) if (path.startsWith('out/')) server.objects.delete(path);
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  return startTranscode(testJob([group]), access, () => undefined).result;
}

const written = () => [...server.objects.keys()].filter((path) => path.startsWith('out/')).sort();
const address = (path: string) => `${server.endpoint}/out/${path}`;
const textOf = (path: string) => server.bytes(`out/${path}`).toString();

/** The times at which the video's segments begin are key frames: each plays behind the initialisation segment. */
async function assertSegmentsPlay(init: string, segments: readonly string[], pictures: readonly number[]) {
  for (const [index, segment] of segments.entries()) {
    const film = Buffer.concat([server.bytes(`out/${init}`), server.bytes(`out/${segment}`)]);
    assert.equal((await play(film, 'v')).checksums.length, pictures[index], segment);
  }
}

function boxesOf(film: Buffer): string[] {
  const boxes: string[] = [];
  for (let at = 0; at < film.length; at += film.readUInt32BE(at)) boxes.push(film.toString('latin1', at + 4, at + 8));
  return boxes;
}

before(async () => {
  server = await ObjectServer.start();
  server.put('in/in.mp4', await makeTestVideo({ seconds: 5, width: 320, height: 180 }));
});

after(() => server.stop());

describe('a DASH group', { skip: withoutFfmpeg }, () => {
  test('has an MPD, initialisation segments and numbered segments, and plays to the last picture', async () => {
    const result = await run(fragmentedGroup('dash', {}));
    const numbers = ['000000001', '000000002', '000000003'];
    assert.deepEqual(written(), [
      'out/dash/film.mpd',
      ...['_1', '_2', '_a'].flatMap((name) => [
        ...numbers.map((number) => `out/dash/film${name}_${number}.mp4`),
        `out/dash/film${name}init.mp4`,
      ]),
    ]);
    assert.deepEqual(result.groups[0]?.playlistPaths, ['s3://out/dash/film.mpd']);
    assert.deepEqual(result.groups[0]?.outputs[0]?.paths, []);
    assert.equal(result.groups[0]?.outputs[0]?.durationMs, 5000);
    const mpd = textOf('dash/film.mpd');
    assert.match(mpd, /profile:isoff-main:2011" type="static" mediaPresentationDuration="PT5S" minBufferTime="PT2S"/);
    assert.match(mpd, /codecs="avc1\.4d[0-9a-f]{4}" width="320" height="180" frameRate="30\/1" sar="1:1"/);
    assert.match(mpd, /initialization="film_1init\.mp4" media="film_1_\$Number%09d\$\.mp4">/);
    assert.match(mpd, /<S t="0" d="60" r="1"\/>\s*<S t="120" d="30"\/>/);
    const { checksums, complaints } = await play(address('dash/film.mpd'), 'v:0');
    assert.deepEqual([checksums.length, complaints], [150, '']);
    const sound = await play(address('dash/film.mpd'), 'a:0');
    assert.ok(sound.checksums.length >= 234, `${sound.checksums.length}`);
    await assertSegmentsPlay(
      'dash/film_1init.mp4',
      numbers.map((number) => `dash/film_1_${number}.mp4`),
      [60, 60, 30],
    );
  });

  test('tells what its settings allow at most, and how much to buffer', async () => {
    const settings = { profile: 'main', isTimelineWritten: true, bandwidth: 'max', minBufferMs: 1500 } as const;
    await run(fragmentedGroup('dash', { dash: { ...settings, baseUrl: 'https://cdn/?a&b' } }));
    const mpd = textOf('dash/film.mpd');
    assert.match(mpd, /minBufferTime="PT1\.5S"/);
    assert.match(mpd, /bandwidth="1000000" codecs="avc1/);
    assert.match(mpd, /<BaseURL>https:\/\/cdn\/\?a&amp;b<\/BaseURL>/);
  });

  test('without a timeline has as many segments as players count, at television rates too', async () => {
    for (const framerate of [
      { num: 30, den: 1 },
      { num: 30_000, den: 1001 },
    ]) {
      const outputs = [
        {
          nameModifier: '_1',
          extension: 'mp4',
          video: { ...testVideo(160, 90), framerate },
          audios: [],
          audioGroupIds: [],
        },
      ];
      const dash = { profile: 'main', isTimelineWritten: false, bandwidth: 'average', baseUrl: '' } as const;
      await run(fragmentedGroup('dash', { outputs, segmentSeconds: 1, dash }));
      const mpd = textOf('dash/film.mpd');
      const length = Number(/duration="(\d+)"\/>/.exec(mpd)?.[1]) / framerate.num;
      const total = Number(/mediaPresentationDuration="PT([\d.]+)S"/.exec(mpd)?.[1]);
      assert.equal(Math.ceil(total / length - 1e-6), written().filter((path) => /_\d{9}\.mp4$/.test(path)).length, mpd);
    }
  });

  test('keeps an output in one file with an index, for on-demand players', async () => {
    const settings = { profile: 'on-demand', isTimelineWritten: false, bandwidth: 'average', baseUrl: '' } as const;
    await run(fragmentedGroup('dash', { isSingleFile: true, dash: settings, fragmentSeconds: 1 }));
    assert.deepEqual(written(), [
      'out/dash/film.mpd',
      'out/dash/film_1.mp4',
      'out/dash/film_2.mp4',
      'out/dash/film_a.mp4',
    ]);
    const film = server.bytes('out/dash/film_1.mp4');
    assert.deepEqual(boxesOf(film).slice(0, 4), ['ftyp', 'moov', 'sidx', 'moof']);
    const [, from, to, init] =
      /indexRange="(\d+)-(\d+)">\s*<Initialization range="0-(\d+)"/.exec(textOf('dash/film.mpd')) ?? [];
    const index = film.subarray(Number(from), Number(to) + 1);
    assert.equal(index.toString('latin1', 4, 8), 'sidx');
    assert.equal(Number(init) + 1, Number(from));
    let at = Number(to) + 1;
    for (let entry = 0; entry < index.readUInt16BE(38); entry++) {
      assert.equal(film.toString('latin1', at + 4, at + 8), 'moof');
      at += index.readUInt32BE(40 + entry * 12);
    }
    assert.equal(at, film.length);
    const { checksums, complaints } = await play(film, 'v');
    assert.deepEqual([checksums.length, complaints], [150, '']);
    assert.equal((await play(address('dash/film.mpd'), 'v:0')).checksums.length, 150);
  });

  test('names segments after their number, their time or their rendition', async () => {
    const outputs = fragmentedGroup('dash', {}).outputs.map((output, index) => ({
      ...output,
      nameModifier: index === 1 ? '/$RepresentationID$-$Time$' : `/x${index}-$w$$Number%03$`,
    }));
    await run(fragmentedGroup('dash', { outputs: outputs.slice(0, 2) }));
    assert.deepEqual(written(), [
      'out/dash/film.mpd',
      'out/dash/film/-init.mp4',
      'out/dash/film/2-0.mp4',
      'out/dash/film/2-120.mp4',
      'out/dash/film/2-60.mp4',
      'out/dash/film/x0-320001.mp4',
      'out/dash/film/x0-320002.mp4',
      'out/dash/film/x0-320003.mp4',
      'out/dash/film/x0-320init.mp4',
    ]);
  });
});

describe('a CMAF group', { skip: withoutFfmpeg }, () => {
  test('has an MPD and HLS manifests over the same segments', async () => {
    const result = await run(fragmentedGroup('cmaf', {}));
    assert.deepEqual(result.groups[0]?.playlistPaths, ['s3://out/cmaf/film.mpd', 's3://out/cmaf/film.m3u8']);
    assert.deepEqual(
      result.groups[0]?.outputs.map(({ paths }) => paths),
      [['s3://out/cmaf/film_1.m3u8'], ['s3://out/cmaf/film_2.m3u8'], ['s3://out/cmaf/film_a.m3u8']],
    );
    const paths = written();
    assert.ok(paths.includes('out/cmaf/film_1init.cmfv') && paths.includes('out/cmaf/film_a_000000003.cmfa'));
    const main = textOf('cmaf/film.m3u8');
    assert.match(main, /#EXT-X-VERSION:7\n/);
    assert.match(main, /#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound".*CHANNELS="2",URI="film_a\.m3u8"/);
    assert.match(main, /CODECS="avc1\.4d[0-9a-f]{4},mp4a\.40\.2",RESOLUTION=320x180,.*AUDIO="sound"\nfilm_1\.m3u8/);
    const child = textOf('cmaf/film_1.m3u8');
    assert.match(child, /#EXT-X-MAP:URI="film_1init\.cmfv"\n#EXTINF:2,\nfilm_1_000000001\.cmfv\n/);
    for (const manifest of ['cmaf/film.mpd', 'cmaf/film.m3u8']) {
      const { checksums, complaints } = await play(address(manifest), 'v:0', ...PLAIN);
      assert.deepEqual([checksums.length, complaints], [150, ''], manifest);
      assert.ok((await play(address(manifest), 'a:0', ...PLAIN)).checksums.length >= 234, manifest);
    }
  });

  test('in single files is played by ranges', async () => {
    await run(fragmentedGroup('cmaf', { isSingleFile: true, fragmentSeconds: 1 }));
    const child = textOf('cmaf/film_1.m3u8');
    assert.match(
      child,
      /#EXT-X-MAP:URI="film_1\.cmfv",BYTERANGE="\d+@0"\n#EXTINF:2,\n#EXT-X-BYTERANGE:\d+@\d+\nfilm_1\.cmfv/,
    );
    for (const manifest of ['cmaf/film.mpd', 'cmaf/film.m3u8']) {
      const { checksums, complaints } = await play(address(manifest), 'v:0', ...PLAIN);
      assert.deepEqual([checksums.length, complaints], [150, ''], manifest);
    }
  });

  test('cuts fragments inside segments at key frames, and begins at 0', async () => {
    const codec = {
      ...testVideo(160, 90).codec,
      gop: { size: 15, unit: 'frames' },
      isSceneChangeDetected: false,
    } as const;
    const video: VideoSettings = { ...testVideo(160, 90), codec };
    const outputs = [{ nameModifier: '_1', extension: 'cmfv', video, audios: [], audioGroupIds: [] }];
    await run(fragmentedGroup('cmaf', { outputs, fragmentSeconds: 1 }));
    const first = server.bytes('out/cmaf/film_1_000000001.cmfv');
    assert.deepEqual(boxesOf(first), ['styp', 'moof', 'mdat', 'moof', 'mdat']);
    const film = Buffer.concat([server.bytes('out/cmaf/film_1init.cmfv'), first]);
    const [picture] = await probe(film);
    assert.equal(picture?.['start_time'], '0.000000');
    assert.equal((await play(film, 'v')).complaints, '');
  });

  test('of H.265 is named in both manifests as the samples are', async () => {
    for (const tag of ['hvc1', 'hev1'] as const) {
      const video = testVideoH265(160, 90, { tag });
      const outputs = [{ nameModifier: '_1', extension: 'cmfv', video, audios: [], audioGroupIds: [] }];
      await run(fragmentedGroup('cmaf', { outputs }));
      const name = new RegExp(`"${tag}\\.1\\.6\\.L\\d+\\.90"`);
      assert.match(textOf('cmaf/film.mpd'), name);
      assert.match(textOf('cmaf/film.m3u8'), name);
      assert.ok(server.bytes('out/cmaf/film_1init.cmfv').includes(tag));
      const { checksums, complaints } = await play(address('cmaf/film.mpd'), 'v:0', ...PLAIN);
      assert.deepEqual([checksums.length, complaints], [150, '']);
    }
  });

  test('cuts at whole groups of pictures where the length is rounded up to them', async () => {
    const codec = {
      ...testVideo(160, 90).codec,
      gop: { size: 45, unit: 'frames' },
      isSceneChangeDetected: false,
    } as const;
    const outputs = [
      { nameModifier: '_1', extension: 'cmfv', video: { ...testVideo(160, 90), codec }, audios: [], audioGroupIds: [] },
    ];
    await run(fragmentedGroup('cmaf', { outputs, alignment: 'gop-multiple' }));
    assert.match(textOf('cmaf/film_1.m3u8'), /#EXT-X-TARGETDURATION:3\n/);
    assert.equal(written().filter((path) => /_\d{9}\.cmfv$/.test(path)).length, 2);
  });
});

/** ffmpeg 5 knows some extensions only. */
const PLAIN = ['-allowed_extensions', 'ALL'];
