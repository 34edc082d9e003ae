import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type CmafImageBasedTrickPlaySettings,
  CreateJobCommand,
  type HlsGroupSettings,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { cmafGroup, hlsLadder, jobEnd, jobOf } from '#test/harness/media-job.ts';
import { checkMpd } from '#test/harness/mpd-checker.ts';

/** Images for fast forward, in both kinds of manifests. */

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(5);
});

after(() => account.stop());

async function run(groups: OutputGroup[]): Promise<void> {
  const { Job } = await account.media.send(new CreateJobCommand(jobOf(account.role, account.source, groups)));
  const job = await jobEnd(account.media, Job?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

function hls(name: string, settings: Partial<HlsGroupSettings>): OutputGroup {
  const group = hlsLadder({ destination: `s3://outputs/${name}/film` });
  const HlsGroupSettings = { ...group.OutputGroupSettings?.HlsGroupSettings, ...settings };
  return { ...group, OutputGroupSettings: { Type: 'HLS_GROUP_SETTINGS', HlsGroupSettings } };
}

async function imagesBelow(Prefix: string): Promise<string[]> {
  const listed = await account.s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
  return (listed.Contents ?? []).flatMap(({ Key = '' }) => (Key.endsWith('.jpg') ? [Key] : [])).sort();
}

async function sizeOf(key: string): Promise<unknown[]> {
  const [image] = await probe(await account.download(key));
  return [image?.['codec_name'], image?.['width'], image?.['height']];
}

const read = (key: string): Promise<Buffer> => account.download(key);

test('thumbnails lie in tiles, and whole pictures beside them', { skip: withoutFfmpeg }, async () => {
  await run([hls('tiles', { ImageBasedTrickPlay: 'THUMBNAIL_AND_FULLFRAME' })]);
  const { faults, playlists } = await validateHls(read, 'tiles/film.m3u8');
  assert.deepEqual(faults, []);
  assert.deepEqual(await imagesBelow('tiles/'), [
    'tiles/film_fullframe_00001.jpg',
    'tiles/film_fullframe_00002.jpg',
    'tiles/film_fullframe_00003.jpg',
    'tiles/film_thumbnails_00001.jpg',
  ]);
  assert.deepEqual(await sizeOf('tiles/film_thumbnails_00001.jpg'), ['mjpeg', 1560, 352]);
  assert.deepEqual(await sizeOf('tiles/film_fullframe_00002.jpg'), ['mjpeg', 320, 180]);
  assert.equal(playlists.filter(({ kind }) => kind === 'images').length, 2);
  const main = (await read('tiles/film.m3u8')).toString();
  assert.match(
    main,
    /#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=\d+,RESOLUTION=312x176,CODECS="jpeg",URI="film_thumbnails\.m3u8"/,
  );
  const list = (await read('tiles/film_thumbnails.m3u8')).toString();
  assert.match(list, /#EXTINF:6,\n#EXT-X-TILES:RESOLUTION=312x176,LAYOUT=5x2,DURATION=2\nfilm_thumbnails_00001\.jpg/);
});

test('thumbnails are as large and as many as they are asked for, in an MPD too', { skip: withoutFfmpeg }, async () => {
  const group = cmafGroup({ destination: 's3://outputs/advanced/film' });
  const ImageBasedTrickPlaySettings: CmafImageBasedTrickPlaySettings = {
    IntervalCadence: 'FOLLOW_CUSTOM',
    ThumbnailInterval: 0.5,
    ThumbnailWidth: 64,
    ThumbnailHeight: 36,
    TileWidth: 3,
    TileHeight: 2,
  };
  const CmafGroupSettings = {
    ...group.OutputGroupSettings?.CmafGroupSettings,
    ImageBasedTrickPlay: 'ADVANCED',
    ImageBasedTrickPlaySettings,
  } as const;
  await run([{ ...group, OutputGroupSettings: { Type: 'CMAF_GROUP_SETTINGS', CmafGroupSettings } }]);
  assert.deepEqual((await validateHls(read, 'advanced/film.m3u8')).faults, []);
  assert.deepEqual((await checkMpd(read, 'advanced/film.mpd')).faults, []);
  assert.deepEqual(await imagesBelow('advanced/'), [
    'advanced/film_thumbnails_00001.jpg',
    'advanced/film_thumbnails_00002.jpg',
  ]);
  assert.deepEqual(await sizeOf('advanced/film_thumbnails_00002.jpg'), ['mjpeg', 192, 72]);
  const mpd = (await read('advanced/film.mpd')).toString();
  assert.match(mpd, /timescale="1000" startNumber="1" duration="3000" media="film_thumbnails_\$Number%05d\$\.jpg"/);
  assert.match(mpd, /width="192" height="72">\s*<EssentialProperty [^>]*thumbnail_tile" value="3x2"\/>/);
});
