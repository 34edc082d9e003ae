import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateJobCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import { BrowserPlayers, playerFiles, withoutPlayers } from '../harness/browser-players.ts';
import { ContentHost } from '../harness/content-host.ts';
import { cmafGroup, dashGroup, hlsLadder, jobEnd, jobOf } from '../harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '../harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('players in a browser', { skip: withoutPlayers, concurrency: 2 }, () => {
  let platform: TestPlatform;
  let s3: S3Client;
  let mediaconvert: MediaConvertClient;
  let host: ContentHost;
  let players: BrowserPlayers;

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    s3 = new S3Client(config);
    mediaconvert = new MediaConvertClient(config);
    for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
    const Body = await makeTestVideo({ seconds: 5, width: 320, height: 180 });
    await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'film.mp4', Body }));
    const role = await makeMediaRole(config, 'Media', [OBJECTS]);
    const groups = [
      dashGroup({ destination: 's3://outputs/dash/film' }),
      cmafGroup({ destination: 's3://outputs/cmaf/film' }),
      hlsLadder({ destination: 's3://outputs/hls/film' }),
    ];
    const { Job } = await mediaconvert.send(new CreateJobCommand(jobOf(role, 's3://source/film.mp4', groups)));
    const job = await jobEnd(mediaconvert, Job?.Id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    host = await ContentHost.start(s3, 'outputs', playerFiles());
    players = await BrowserPlayers.start();
  });
  after(async () => {
    await players?.stop();
    host?.stop();
    for (const client of [s3, mediaconvert]) client?.destroy();
    await platform?.stop();
  });

  const films = [
    ['dash.js', 'a DASH ISO group of single files', 'dash.html', 'dash/film.mpd'],
    ['dash.js', 'a CMAF group', 'dash.html', 'cmaf/film.mpd'],
    ['hls.js', 'a CMAF group', 'hls.html', 'cmaf/film.m3u8'],
    ['hls.js', 'an HLS group', 'hls.html', 'hls/film.m3u8'],
  ] as const;

  for (const [player, what, page, manifest] of films) {
    it(`${player} shows ${what}`, async () => {
      const url = `${host.address}/content/${manifest}`;
      const seen = await players.watch(`${host.address}/${page}`, { url }, 2);
      assert.deepEqual(seen.fatal, []);
      assert.ok(seen.width === 320 || seen.width === 160, String(seen.width));
      assert.ok(seen.frames > 25, `${seen.frames} frames were shown`);
      assert.ok(seen.hasSound);
      assert.equal(seen.isProtected, false);
    });
  }
});
