import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { CreateJobCommand, type Output, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, cmafGroup, dashGroup, hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';

let account: MediaAccount;
const video = { CodecSettings: { Codec: 'PASSTHROUGH' } } as const;

async function run(input: string, ...groups: OutputGroup[]) {
  const { Job: created } = await account.media.send(new CreateJobCommand(jobOf(account.role, input, groups)));
  const job = await jobEnd(account.media, created?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  return job;
}

/** A film of four seconds with a key frame each second, made by another encoder. */
function sourceFilm(format: 'mp4' | 'mpegts', codec: 'libx264' | 'libx265'): Buffer {
  const graph = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4'];
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=4:sample_rate=48000', '-c:a', 'aac'];
  const x265 = ['-x265-params', 'log-level=none'];
  const picture = ['-c:v', codec, ...(codec === 'libx265' ? x265 : []), '-preset', 'ultrafast', '-bf', '2', '-g', '25'];
  const out = format === 'mp4' ? ['-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4'] : ['-f', 'mpegts'];
  const args = ['-v', 'error', ...graph, ...sound, ...picture, '-pix_fmt', 'yuv420p', ...out, 'pipe:1'];
  const { stdout, status, stderr } = spawnSync('ffmpeg', args, { maxBuffer: 64 * 1024 * 1024 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

before(async () => {
  account = await MediaAccount.start(1);
  const films = [
    ['a.mp4', sourceFilm('mp4', 'libx264')],
    ['a.ts', sourceFilm('mpegts', 'libx264')],
    ['h.mp4', sourceFilm('mp4', 'libx265')],
  ] as const;
  for (const [Key, Body] of films) await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body }));
});

after(() => account.stop());

function fileGroup(destination: string): OutputGroup {
  const group = mp4Group({ destination });
  const output: Output = {
    ...group.Outputs?.[0],
    NameModifier: '-copy',
    VideoDescription: video,
    AudioDescriptions: [aac],
  };
  return { ...group, Outputs: [output] };
}

test("a picture that is passed through is the input's own, sample by sample, beside sound that is encoded", {
  skip: withoutFfmpeg,
}, async () => {
  for (const name of ['a.mp4', 'a.ts', 'h.mp4']) {
    const job = await run(`s3://source/${name}`, fileGroup(`s3://outputs/copy/${name}`));
    const film = await account.download(`copy/${name}-copy.mp4`);
    const [picture, sound] = await probe(film);
    assert.deepEqual([picture?.['width'], picture?.['height'], sound?.['codec_name']], [320, 180, 'aac'], name);
    const source = sourceFilm(name.endsWith('ts') ? 'mpegts' : 'mp4', name.startsWith('h') ? 'libx265' : 'libx264');
    const [made, wanted] = await Promise.all([play(film, 'v'), play(source, 'v')]);
    assert.deepEqual([made.checksums, made.complaints], [wanted.checksums, ''], name);
    const [details] = job.OutputGroupDetails?.[0]?.OutputDetails ?? [];
    assert.deepEqual(details?.VideoDetails, { WidthInPx: 320, HeightInPx: 180 });
    assert.ok(Math.abs((details?.DurationInMs ?? 0) - 4000) < 100, `${details?.DurationInMs}`);
  }
});

test('segments of a picture that is passed through begin at its own key frames', { skip: withoutFfmpeg }, async () => {
  const group = hlsLadder({ destination: 's3://outputs/hls/film' });
  const Outputs: Output[] = [
    {
      NameModifier: '_copy',
      ContainerSettings: { Container: 'M3U8' },
      VideoDescription: video,
      AudioDescriptions: [aac],
    },
  ];
  await run('s3://source/a.mp4', { ...group, Outputs });
  const playlist = (await account.download('hls/film_copy.m3u8')).toString();
  assert.deepEqual(playlist.match(/#EXTINF:[\d.]+/g), ['#EXTINF:2', '#EXTINF:2']);
  assert.match((await account.download('hls/film.m3u8')).toString(), /CODECS="avc1\.77\.12,mp4a\.40\.2"/);
  const wanted = await play(sourceFilm('mp4', 'libx264'), 'v');
  const parts = await Promise.all(['1', '2'].map((number) => account.download(`hls/film_copy_0000${number}.ts`)));
  const first = await play(parts[0] ?? Buffer.alloc(0), 'v');
  assert.deepEqual([first.checksums.length, first.complaints], [50, '']);
  assert.deepEqual((await play(Buffer.concat(parts), 'v')).checksums, wanted.checksums);
});

test('fragments of a picture that is passed through are in both manifests of CMAF, and in DASH', {
  skip: withoutFfmpeg,
}, async () => {
  const outputs = (container: 'CMFC' | 'MPD', sound: string): Output[] => [
    { NameModifier: '_v', ContainerSettings: { Container: container }, VideoDescription: video },
    { NameModifier: sound, ContainerSettings: { Container: container }, AudioDescriptions: [aac] },
  ];
  await run(
    's3://source/a.mp4',
    { ...cmafGroup({ destination: 's3://outputs/cmaf/film' }), Outputs: outputs('CMFC', '_a') },
    { ...dashGroup({ destination: 's3://outputs/dash/film' }), Outputs: outputs('MPD', '_a') },
  );
  const wanted = await play(sourceFilm('mp4', 'libx264'), 'v');
  const { Contents = [] } = await account.s3.send(
    new ListObjectsV2Command({ Bucket: 'outputs', Prefix: 'cmaf/film_v' }),
  );
  const keys = Contents.map(({ Key = '' }) => Key).filter((key) => !key.endsWith('.m3u8'));
  const [head = ''] = keys.filter((key) => key.endsWith('init.cmfv'));
  const segments = keys.filter((key) => key !== head).toSorted();
  assert.equal(segments.length, 2, keys.join());
  const parts = await Promise.all([head, ...segments].map((key) => account.download(key)));
  assert.deepEqual((await play(Buffer.concat(parts), 'v')).checksums, wanted.checksums);
  const first = await play(Buffer.concat(parts.slice(0, 2)), 'v');
  assert.deepEqual([first.checksums.length, first.complaints], [50, '']);
  const playlist = (await account.download('cmaf/film_v.m3u8')).toString();
  // The film's picture begins 80 ms behind its sound.
  assert.deepEqual(playlist.match(/#EXTINF:[\d.]+/g), ['#EXTINF:2.08', '#EXTINF:2']);
  assert.match((await account.download('cmaf/film.mpd')).toString(), /codecs="avc1\.[0-9A-Fa-f]{6}"/);
  const whole = await account.download('dash/film_v.mp4');
  assert.deepEqual((await play(whole, 'v')).checksums, wanted.checksums);
  assert.match((await account.download('dash/film.mpd')).toString(), /codecs="avc1\.[0-9A-Fa-f]{6}"/);
});

test('what only an encoder could do is refused beside PASSTHROUGH', async () => {
  const group = fileGroup('s3://outputs/refused');
  const job = jobOf(account.role, account.source, [
    { ...group, Outputs: [{ ...group.Outputs?.[0], VideoDescription: { ...video, Width: 640 } }] },
  ]);
  await assert.rejects(account.media.send(new CreateJobCommand(job)), (error: Error) => {
    assert.match(error.message, /videoDescription\/width: Is not allowed with codec PASSTHROUGH/);
    return true;
  });
  const clipped = jobOf(account.role, account.source, [group]);
  Object.assign(clipped.Settings?.Inputs?.[0] ?? {}, {
    TimecodeSource: 'ZEROBASED',
    InputClippings: [{ StartTimecode: '00:00:01:00' }],
  });
  await assert.rejects(account.media.send(new CreateJobCommand(clipped)), /PASSTHROUGH is supported with one input/);
});
