import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type CaptionDescription,
  CreateJobCommand,
  MediaConvertClient,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import { BrowserPlayers, playerFiles, withoutPlayers } from '../harness/browser-players.ts';
import { ContentHost } from '../harness/content-host.ts';
import { cmafGroup, hlsLadder, jobEnd, jobOf } from '../harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '../harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const SRT = '1\n00:00:00,500 --> 00:00:01,500\nFirst line\n\n2\n00:00:02,500 --> 00:00:03,500\nLater on\n';

function withCaptions(group: OutputGroup, Container: 'M3U8' | 'CMFC'): OutputGroup {
  const caption: CaptionDescription = {
    CaptionSelectorName: 'text',
    LanguageCode: 'ENG',
    LanguageDescription: 'English',
    DestinationSettings: { DestinationType: 'WEBVTT' },
  };
  const output = { NameModifier: '_en', ContainerSettings: { Container }, CaptionDescriptions: [caption] };
  return { ...group, Outputs: [...(group.Outputs ?? []), output] };
}

describe('captions in players', { skip: withoutPlayers }, () => {
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
    const film = await makeTestVideo({ seconds: 5, width: 320, height: 180 });
    await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'film.mp4', Body: film }));
    await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'film.srt', Body: SRT }));
    const role = await makeMediaRole(config, 'Media', [OBJECTS]);
    const hls = hlsLadder({ destination: 's3://outputs/hls/film' });
    const settings = hls.OutputGroupSettings ?? {};
    const HlsGroupSettings = { ...settings.HlsGroupSettings, CaptionSegmentLengthControl: 'MATCH_VIDEO' as const };
    const matched = { ...hls, OutputGroupSettings: { ...settings, HlsGroupSettings } };
    const groups = [
      withCaptions(matched, 'M3U8'),
      withCaptions(hlsLadder({ destination: 's3://outputs/large/film' }), 'M3U8'),
      withCaptions(cmafGroup({ destination: 's3://outputs/cmaf/film' }), 'CMFC'),
    ];
    const { Settings, ...request } = jobOf(role, 's3://source/film.mp4', groups);
    const FileSourceSettings = { SourceFile: 's3://source/film.srt' };
    const CaptionSelectors = { text: { SourceSettings: { SourceType: 'SRT' as const, FileSourceSettings } } };
    const Inputs = Settings?.Inputs?.map((input) => ({ ...input, CaptionSelectors })) ?? [];
    const { Job } = await mediaconvert.send(new CreateJobCommand({ ...request, Settings: { ...Settings, Inputs } }));
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
    ['hls.js', 'an HLS group in segments like the pictures', 'hls.html', 'hls/film.m3u8'],
    ['hls.js', 'an HLS group in one large segment', 'hls.html', 'large/film.m3u8'],
    ['dash.js', 'a CMAF group', 'dash.html', 'cmaf/film.mpd'],
  ] as const;

  for (const [player, what, page, manifest] of films) {
    it(`${player} shows those of ${what} at their times`, async () => {
      const url = `${host.address}/content/${manifest}`;
      const seen = await players.watch(`${host.address}/${page}`, { url }, 3);
      assert.deepEqual(seen.fatal, []);
      const texts = seen.captions.map(({ text }) => text.trim());
      assert.ok(texts.includes('First line') && texts.includes('Later on'), JSON.stringify(seen.captions));
      for (const { from, text } of seen.captions) {
        const expected = text.trim() === 'First line' ? 0.5 : 2.5;
        assert.ok(Math.abs(from - expected) < 0.2, `${text} at ${from}`);
      }
    });
  }
});
