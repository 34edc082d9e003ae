import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateJobCommand, MediaConvertClient, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CLEAR_KEY, COMMON_PSSH, HLS_AES_128, PLAYREADY, WIDEVINE } from '#media/cpix/system-ids.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { BrowserPlayers, playerFiles, withoutPlayers } from '../harness/browser-players.ts';
import { ContentHost } from '../harness/content-host.ts';
import { callKeyProvider } from '../harness/key-provider.ts';
import { cmafGroup, dashGroup, hlsLadder, jobEnd, jobOf } from '../harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '../harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const URL_BY_HOST = 'https://coffer.execute-api.us-east-1.amazonaws.com/speke/copyProtection';
const URL_BY_PATH = 'https://localhost/_aws/execute-api/coffer/speke/copyProtection';

/** The same group, with more of its own settings. */
function withSettings(group: OutputGroup, more: Readonly<Record<string, object>>): OutputGroup {
  const { OutputGroupSettings = {} } = group;
  const settings = Object.fromEntries(
    Object.entries(OutputGroupSettings).map(([name, value]) => [
      name,
      name in more && typeof value === 'object' ? { ...value, ...more[name] } : value,
    ]),
  );
  return { ...group, OutputGroupSettings: settings };
}

const dash = withSettings(dashGroup({ destination: 's3://outputs/dash/film' }), {
  DashIsoGroupSettings: {
    Encryption: {
      SpekeKeyProvider: { Url: URL_BY_HOST, ResourceId: 'film-dash', SystemIds: [CLEAR_KEY, WIDEVINE] },
    },
  },
});

function cmaf(folder: string, EncryptionMethod: 'AES_CTR' | 'SAMPLE_AES', more: object): OutputGroup {
  return withSettings(cmafGroup({ destination: `s3://outputs/${folder}/film` }), {
    CmafGroupSettings: {
      Encryption: {
        Type: 'SPEKE',
        EncryptionMethod,
        SpekeKeyProvider: {
          Url: URL_BY_PATH,
          ResourceId: `film-${folder}`,
          DashSignaledSystemIds: [CLEAR_KEY],
          HlsSignaledSystemIds: [COMMON_PSSH],
          ...more,
        },
      },
    },
  });
}

const TWO_KEYS = {
  EncryptionContractConfiguration: { SpekeVideoPreset: 'PRESET_VIDEO_1', SpekeAudioPreset: 'PRESET_AUDIO_1' },
};

/** What players of these two systems are told; nothing in it is ClearKey's. */
const SHAPED = { HlsSignaledSystemIds: [WIDEVINE, PLAYREADY], DashSignaledSystemIds: [WIDEVINE, PLAYREADY] };

const hls = withSettings(hlsLadder({ destination: 's3://outputs/hls/film' }), {
  HlsGroupSettings: {
    Encryption: {
      Type: 'SPEKE',
      EncryptionMethod: 'AES128',
      SpekeKeyProvider: { Url: URL_BY_HOST, ResourceId: 'film-hls', SystemIds: [HLS_AES_128] },
    },
  },
});

describe('players of protected content in a browser', { skip: withoutPlayers, concurrency: 3 }, () => {
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
    const invoke = {
      Effect: 'Allow',
      Action: 'execute-api:Invoke',
      Resource: 'arn:aws:execute-api:*:*:coffer/speke/POST/copyProtection',
    };
    const role = await makeMediaRole(config, 'Media', [OBJECTS, invoke]);
    const shaped = cmaf('shaped', 'SAMPLE_AES', SHAPED);
    const groups = [dash, cmaf('counted', 'AES_CTR', {}), cmaf('patterned', 'SAMPLE_AES', TWO_KEYS), shaped, hls];
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

  async function licenceFor(contentId: string): Promise<{ readonly token: string; readonly licenceUrl: string }> {
    const answer = await callKeyProvider(platform, { method: 'POST', path: `licence-tokens/${contentId}` });
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text) as { token: string; licenceUrl: string };
  }

  async function read(key: string): Promise<string> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key: key }));
    return (await Body?.transformToString()) ?? '';
  }

  const films = [
    ['dash.js', 'a DASH ISO group', 'dash.html', 'dash/film.mpd', 'film-dash'],
    ['dash.js', 'a CMAF group with AES-CTR', 'dash.html', 'counted/film.mpd', 'film-counted'],
    [
      'dash.js',
      'a CMAF group with patterns, and a key for pictures and one for sound',
      'dash.html',
      'patterned/film.mpd',
      'film-patterned',
    ],
    ['hls.js', 'a CMAF group with AES-CTR', 'hls.html', 'counted/film.m3u8', 'film-counted'],
    ['hls.js', 'a CMAF group with patterns', 'hls.html', 'patterned/film.m3u8', 'film-patterned'],
  ] as const;

  for (const [player, what, page, manifest, contentId] of films) {
    it(`${player} shows ${what} with a ClearKey licence`, async () => {
      const url = `${host.address}/content/${manifest}`;
      const { licenceUrl } = await licenceFor(contentId);
      const seen = await players.watch(`${host.address}/${page}`, { url, licenceUrl }, 2);
      assert.deepEqual(seen.fatal, []);
      assert.ok(seen.width === 320 || seen.width === 160, String(seen.width));
      assert.ok(seen.frames > 25, `${seen.frames} frames were shown`);
      assert.ok(seen.hasSound);
      assert.ok(seen.isProtected);
    });
  }

  it('hls.js shows an HLS group with AES-128, whose key it fetches with a token', async () => {
    const playlist = await read('hls/film_180.m3u8');
    assert.match(
      playlist,
      /#EXT-X-KEY:METHOD=AES-128,URI="http:\/\/[^"]*\/speke\/play\/film-hls\/keys\/[0-9a-f-]{36}"/,
    );
    const url = `${host.address}/content/hls/film.m3u8`;
    const { token: keyToken } = await licenceFor('film-hls');
    const seen = await players.watch(`${host.address}/hls.html`, { url, keyToken }, 2);
    assert.deepEqual(seen.fatal, []);
    assert.ok(seen.frames > 25 && seen.hasSound, JSON.stringify(seen));
  });

  for (const shapedAs of ['com.widevine.alpha', 'com.microsoft.playready'] as const) {
    it(`hls.js finds the key of a group that is signalled for ${shapedAs}, and shows it with a ClearKey licence`, async () => {
      const url = `${host.address}/content/shaped/film.m3u8`;
      const { licenceUrl } = await licenceFor('film-shaped');
      const seen = await players.watch(`${host.address}/hls.html`, { url, licenceUrl, shapedAs }, 2);
      assert.deepEqual(seen.fatal, []);
      assert.ok(seen.frames > 25 && seen.hasSound && seen.isProtected, JSON.stringify(seen));
    });
  }

  it('shows nothing with the token of another content', async () => {
    const { token } = await licenceFor('film-hls');
    const { licenceUrl } = await licenceFor('film-dash');
    const foreign = licenceUrl.replace(/token=.*/, `token=${token}`);
    const url = `${host.address}/content/dash/film.mpd`;
    const seen = await players.watch(`${host.address}/dash.html`, { url, licenceUrl: foreign }, 2);
    assert.notDeepEqual(seen.fatal, []);
    assert.equal(seen.frames, 0);
  });
});
