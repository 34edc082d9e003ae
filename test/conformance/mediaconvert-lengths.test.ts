import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type H264Settings, type Output, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { listBoxes } from '#media/packaging/mp4-boxes.ts';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, cmafGroup, h264, hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';

/** How long segments and sounds are, and what stands in the index of files. */

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(5);
});

after(() => account.stop());

async function run(groups: OutputGroup[], source = account.source): Promise<void> {
  const { Job } = await account.media.send(new CreateJobCommand(jobOf(account.role, source, groups)));
  const job = await jobEnd(account.media, Job?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

/** The seconds of each segment, of a presentation without faults. */
async function segmentSeconds(main: string, child: string): Promise<number[]> {
  const { faults, playlists } = await validateHls((key) => account.download(key), main);
  assert.deepEqual(faults, []);
  return playlists.find(({ key }) => key.endsWith(child))?.segments.map(({ seconds }) => seconds) ?? [];
}

/** Where a player that seeks reads an object. */
const address = (Key: string): Promise<string> =>
  getSignedUrl(account.s3, new GetObjectCommand({ Bucket: 'outputs', Key }));

/** Puts a film into the bucket whose sound is not as long as its picture. */
async function uneven(pictureSeconds: number, soundSeconds: number): Promise<string> {
  const args = ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=25:duration=${pictureSeconds}`];
  args.push('-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${soundSeconds}`);
  args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-f', 'matroska', 'pipe:1');
  const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 64 * 1024 * 1024 });
  const Key = `uneven-${soundSeconds}.mkv`;
  await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body: stdout }));
  return `s3://source/${Key}`;
}

function hls(name: string, settings: object, outputs?: Output[]): OutputGroup {
  const group = hlsLadder({ destination: `s3://outputs/${name}/film` });
  const plain = { ...group.OutputGroupSettings?.HlsGroupSettings, ManifestDurationFormat: 'FLOATING_POINT' as const };
  return {
    OutputGroupSettings: { Type: 'HLS_GROUP_SETTINGS', HlsGroupSettings: { ...plain, ...settings } },
    Outputs: outputs ?? group.Outputs?.slice(1) ?? [],
  };
}

function cmaf(name: string, settings: object, outputs?: Output[]): OutputGroup {
  const group = cmafGroup({ destination: `s3://outputs/${name}/film` });
  const plain = group.OutputGroupSettings?.CmafGroupSettings;
  return {
    OutputGroupSettings: { Type: 'CMAF_GROUP_SETTINGS', CmafGroupSettings: { ...plain, ...settings } },
    Outputs: outputs ?? group.Outputs?.slice(1) ?? [],
  };
}

describe('the last segment', { skip: withoutFfmpeg }, () => {
  test('becomes part of the one before where it would be too short', async () => {
    await run([
      hls('short', { MinFinalSegmentLength: 1.5 }),
      hls('long', { MinFinalSegmentLength: 1 }),
      cmaf('short-cmaf', { MinFinalSegmentLength: 1.5, FragmentLength: 1 }),
      cmaf('one-cmaf', { MinFinalSegmentLength: 1.5, SegmentControl: 'SINGLE_FILE' }),
    ]);
    assert.deepEqual(await segmentSeconds('short/film.m3u8', '_90.m3u8'), [2, 3]);
    assert.deepEqual(await segmentSeconds('long/film.m3u8', '_90.m3u8'), [2, 2, 1]);
    assert.deepEqual(await segmentSeconds('short-cmaf/film.m3u8', '_90.m3u8'), [2, 3]);
    assert.deepEqual(await segmentSeconds('one-cmaf/film.m3u8', '_90.m3u8'), [2, 3]);
    const parts = await Promise.all([1, 2].map((number) => account.download(`short/film_90_0000${number}.ts`)));
    const played = await play(Buffer.concat(parts), 'v');
    assert.deepEqual([played.checksums.length, played.complaints], [150, '']);
    const names = ['film_90init.cmfv', 'film_90_000000001.cmfv', 'film_90_000000002.cmfv'];
    const pieces = await Promise.all(names.map((name) => account.download(`short-cmaf/${name}`)));
    assert.equal((await play(Buffer.concat(pieces), 'v')).checksums.length, 150);
  });
});

test('segments hold whole pictures and whole frames of sound where they are to match', {
  skip: withoutFfmpeg,
}, async () => {
  const { H264Settings } = h264(300_000);
  const matched: H264Settings = {
    ...H264Settings,
    FramerateControl: 'SPECIFIED',
    FramerateNumerator: 30,
    FramerateDenominator: 1,
  };
  const VideoDescription = {
    Width: 160,
    Height: 90,
    CodecSettings: { Codec: 'H_264', H264Settings: matched },
  } as const;
  const ContainerSettings = { Container: 'CMFC' } as const;
  await run([
    cmaf('match', { SegmentLengthControl: 'MATCH', ManifestDurationFormat: 'FLOATING_POINT' }, [
      { NameModifier: '_v', ContainerSettings, VideoDescription },
      { NameModifier: '_a', ContainerSettings, AudioDescriptions: [aac] },
    ]),
  ]);
  // 64 pictures of 1600 samples are 100 frames of 1024.
  const length = 64 / 30;
  const pictures = await segmentSeconds('match/film.m3u8', '_v.m3u8');
  const sounds = await segmentSeconds('match/film.m3u8', '_a.m3u8');
  for (const segments of [pictures, sounds]) {
    assert.equal(segments.length, 3);
    for (const seconds of segments.slice(0, 2)) assert.ok(Math.abs(seconds - length) < 1e-5, segments.join());
  }
});

describe('sound that is to be as long as the picture', { skip: withoutFfmpeg }, () => {
  const groups = (name: string): OutputGroup[] => {
    const mp4 = mp4Group({ destination: `s3://outputs/${name}/film` });
    const AudioDuration = 'MATCH_VIDEO_DURATION' as const;
    const [output] = mp4.Outputs ?? [];
    const [, picture, sound] = cmafGroup({ destination: '' }).Outputs ?? [];
    return [
      { ...mp4, Outputs: [{ ...output, ContainerSettings: { Container: 'MP4', Mp4Settings: { AudioDuration } } }] },
      cmaf(`${name}-cmaf`, { SegmentControl: 'SINGLE_FILE' }, [
        { ...picture },
        { ...sound, ContainerSettings: { Container: 'CMFC', CmfcSettings: { AudioDuration } } },
      ]),
    ];
  };
  for (const [what, soundSeconds] of [
    ['is cut off', 3],
    ['is filled up with silence', 1],
  ] as const) {
    test(what, async () => {
      const name = `sound-${soundSeconds}`;
      await run(groups(name), await uneven(2, soundSeconds));
      const streams = await probe(await account.download(`${name}/film-180p.mp4`));
      const seconds = streams.map(({ duration }) => Number(duration));
      const [picture = 0, sound = 0] = seconds;
      assert.ok(Math.abs(picture - 2) < 0.05, `${picture}`);
      assert.ok(sound >= picture - 0.001 && sound <= picture + 1024 / 48_000, `${sound} of ${picture}`);
      const { checksums } = await play(await account.download(`${name}-cmaf/film_sound.cmfa`), 'a');
      // The encoder puts a frame in front.
      assert.ok(Math.abs(checksums.length - (picture * 48_000) / 1024) <= 2, `${checksums.length} frames`);
    });
  }
});

test('the index of a file has the brand, the room and the aperture that are asked for', {
  skip: withoutFfmpeg,
}, async () => {
  const group = mp4Group({ destination: 's3://outputs/index/film' });
  const [output] = group.Outputs ?? [];
  const Mp4Settings = { FreeSpaceBox: 'INCLUDE', Mp4MajorBrand: 'mp42' } as const;
  await run([
    {
      ...group,
      Outputs: [
        { ...output, NameModifier: '-front', ContainerSettings: { Container: 'MP4', Mp4Settings } },
        {
          ...output,
          NameModifier: '-end',
          ContainerSettings: { Container: 'MP4', Mp4Settings: { ...Mp4Settings, MoovPlacement: 'NORMAL' } },
        },
        { ...output, ContainerSettings: { Container: 'MOV', MovSettings: { ClapAtom: 'INCLUDE' } } },
      ],
    },
  ]);
  for (const [name, layout] of [
    ['index/film-front.mp4', ['ftyp', 'moov', 'free', 'mdat']],
    ['index/film-end.mp4', ['ftyp', 'mdat', 'moov', 'free']],
  ] as const) {
    const file = await account.download(name);
    assert.equal(file.toString('latin1', 8, 12), 'mp42');
    const types = listBoxes(file).map(({ type }) => type);
    assert.deepEqual(
      types.filter((type, index) => type !== 'free' || types[index - 1] === 'moov'),
      layout,
    );
    const { checksums, complaints } = await play(await address(name), 'v');
    assert.deepEqual([checksums.length, complaints], [150, '']);
  }
  const movie = await account.download('index/film-180p.mov');
  const clap = movie.indexOf('clap');
  assert.deepEqual([movie.readUInt32BE(clap + 4), movie.readUInt32BE(clap + 12)], [320, 180]);
  const movieAt = await address('index/film-180p.mov');
  assert.equal((await play(movieAt, 'v')).checksums.length, 150);
  assert.equal((await play(movieAt, 'a')).complaints, '');
});
