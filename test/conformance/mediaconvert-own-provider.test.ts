import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateJobCommand, type Job, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { chromium } from 'playwright-core';
import { decryptFragments, fragmentSamples } from '#test/fixtures/media/decrypt-fragments.ts';
import { ContentHost } from '#test/harness/content-host.ts';
import { cmaf, dash, hls } from '#test/harness/encrypted-groups.ts';
import { filesUnder } from '#test/harness/files-under.ts';
import { callKeyProvider } from '#test/harness/key-provider.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { jobEnd, jobOf } from '#test/harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '#test/harness/media-role.ts';

const COMMON = '1077efec-c0b2-4d02-ace3-3c1e52e2fb4b';
const CLEAR_KEY = 'e2719d58-a985-b3c9-781a-b030af78d30e';
const PLAYREADY = '9a04f079-9840-4286-ab92-e65be0885f95';
const WIDEVINE = 'edef8ba9-79d6-4ace-a3c8-27dcd51d21ed';
const FAIRPLAY = '94ce86fb-07ff-4f43-adb8-93d2fa968ca2';
const AES_128 = '3ea8778f-7742-4bf9-b18b-e834b2acbd47';
const URL_OF_API = 'https://coffer.execute-api.us-east-1.amazonaws.com/speke/copyProtection';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));

/** Plays the pictures of a folder with licences of the address. */
const PAGE = `<!doctype html><video muted width="160"></video><script>
  const video = document.querySelector('video');
  const faults = [];
  async function play({ folder, licence, codec, scheme, extension }) {
    const contentType = 'video/mp4; codecs="' + codec + '"';
    const capability = [{ contentType, encryptionScheme: scheme }];
    const config = { initDataTypes: ['cenc'], videoCapabilities: capability };
    const access = await navigator.requestMediaKeySystemAccess('org.w3.clearkey', [config]);
    await video.setMediaKeys(await access.createMediaKeys());
    video.onerror = () => faults.push(video.error.message);
    video.onencrypted = ({ initDataType, initData }) => {
      const session = video.mediaKeys.createSession();
      session.onmessage = async ({ message }) => {
        const answer = await fetch(licence, { method: 'POST', body: message });
        if (!answer.ok) faults.push(await answer.text());
        await session.update(await answer.arrayBuffer()).catch((error) => faults.push(String(error)));
      };
      session.generateRequest(initDataType, initData).catch((error) => faults.push(String(error)));
    };
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await new Promise((resolve) => { source.onsourceopen = resolve; });
    const buffer = source.addSourceBuffer(contentType);
    for (const part of ['init', '_000000001', '_000000002']) {
      const answer = await fetch('/content/' + folder + '/film_v' + part + '.' + extension);
      buffer.appendBuffer(await answer.arrayBuffer());
      await new Promise((resolve) => { buffer.onupdateend = resolve; });
    }
    source.endOfStream();
    video.playbackRate = 2;
    await video.play();
  }
</script>`;

const contract = { SpekeVideoPreset: 'PRESET_VIDEO_8', SpekeAudioPreset: 'PRESET_AUDIO_3' } as const;
const provider = (ResourceId: string, SystemIds: string[]) => ({ Url: URL_OF_API, ResourceId, SystemIds });
const INVOKE = {
  Effect: 'Allow',
  Action: 'execute-api:Invoke',
  Resource: 'arn:aws:execute-api:*:*:coffer/speke/POST/copyProtection',
};

describe('a job whose key provider is Coffer’s own', () => {
  let account: MediaAccount;
  let job: Job;
  let licenceUrl: string;
  let token: string;

  const text = async (key: string): Promise<string> => (await account.download(key)).toString();

  async function run(role: string, groups: OutputGroup[]): Promise<Job> {
    const { Job: made } = await account.media.send(new CreateJobCommand(jobOf(role, account.source, groups)));
    return jobEnd(account.media, made?.Id);
  }

  async function call(method: string, path: string, body?: string) {
    const answer = await callKeyProvider(account.platform, {
      method,
      path,
      ...(body !== undefined && { body: Buffer.from(body) }),
    });
    assert.equal(answer.status, 200, answer.body.toString());
    return answer.body;
  }

  before(async () => {
    account = await MediaAccount.start(2);
    const role = await makeMediaRole(account.platform.clientConfig(), 'Protected', [OBJECTS, INVOKE]);
    job = await run(role, [
      dash('clear'),
      dash('dash', { SpekeKeyProvider: provider('film', [COMMON, PLAYREADY]) }),
      cmaf('cmaf', {
        Type: 'SPEKE',
        EncryptionMethod: 'SAMPLE_AES',
        SpekeKeyProvider: {
          Url: URL_OF_API,
          ResourceId: 'film-2',
          HlsSignaledSystemIds: [FAIRPLAY, CLEAR_KEY],
          DashSignaledSystemIds: [CLEAR_KEY, COMMON, WIDEVINE],
          EncryptionContractConfiguration: contract,
        },
      }),
      hls('hls', { Type: 'SPEKE', EncryptionMethod: 'AES128', SpekeKeyProvider: provider('film', [AES_128]) }),
      hls('fairplay', {
        Type: 'SPEKE',
        EncryptionMethod: 'SAMPLE_AES',
        SpekeKeyProvider: provider('film', [FAIRPLAY]),
      }),
    ]);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    ({ licenceUrl, token } = JSON.parse((await call('POST', 'licence-tokens/film', '{"expires":600}')).toString()));
  });

  after(() => account?.stop());

  /** What the provider gives whoever may have the key of an id. */
  const keyOf = (contentId: string, kid: string): Promise<Buffer> =>
    call('GET', `keys/${contentId}/${kid.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`);

  test('is encrypted with keys that the provider gives to those who may have them', async () => {
    for (const name of ['v', 'a']) {
      const segments = [1, 2].map((number) => `film_${name}_00000000${number}`);
      const media = async (folder: string, extension: string) =>
        Buffer.concat(await Promise.all(segments.map((one) => account.download(`${folder}/${one}.${extension}`))));
      const clear = fragmentSamples(await media('clear', 'mp4'));
      for (const [folder, contentId, scheme, extension] of [
        ['dash', 'film', 'cenc', 'mp4'],
        ['cmaf', 'film-2', 'cbcs', name === 'v' ? 'cmfv' : 'cmfa'],
      ] as const) {
        const init = await account.download(`${folder}/film_${name}init.${extension}`);
        const { keyId } = decryptFragments(init, Buffer.alloc(0), Buffer.alloc(16));
        const found = decryptFragments(init, await media(folder, extension), await keyOf(contentId, keyId));
        assert.equal(found.scheme, scheme);
        assert.ok(clear.every((sample, index) => found.samples[index]?.equals(sample)) && clear.length > 10, folder);
      }
    }
  });

  test('tells players in both manifests where their licences are', async () => {
    const mpd = await text('cmaf/film.mpd');
    assert.match(mpd, new RegExp(`schemeIdUri="urn:uuid:${CLEAR_KEY}">.*<dashif:Laurl [^>]*>http://.*/licence`));
    assert.match(mpd, new RegExp(`schemeIdUri="urn:uuid:${WIDEVINE}"`));
    assert.match(await text('dash/film.mpd'), /<mspr:pro xmlns:mspr="urn:microsoft:playready">/);
    const playlist = await text('cmaf/film_v.m3u8');
    assert.match(
      playlist,
      /#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd:\/\/film-2\/[^"]*".*KEYFORMAT="com\.apple\.streamingkeydelivery"/,
    );
    assert.match(await text('fairplay/film_v.m3u8'), /#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd:/);
  });

  test('in HLS gives a key at the address in the playlist, and it opens the segments', async () => {
    const uri = /METHOD=AES-128,URI="([^"]*)"/.exec(await text('hls/film_v.m3u8'))?.[1] ?? '';
    assert.equal((await fetch(uri)).status, 403);
    const answer = await fetch(`${uri}?token=${encodeURIComponent(token)}`);
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [200, 16]);
  });

  test('plays in a browser, with licences from the provider', {
    skip: executablePath === undefined && 'Chromium is not installed',
  }, async () => {
    const second = JSON.parse((await call('POST', 'licence-tokens/film-2', '{"expires":600}')).toString());
    const host = await ContentHost.start(account.s3, 'outputs', new Map([['/page.html', Buffer.from(PAGE)]]));
    const browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    try {
      const codec = /codecs="(avc1[^"]*)"/.exec(await text('dash/film.mpd'))?.[1];
      for (const facts of [
        { folder: 'dash', licence: licenceUrl, scheme: 'cenc', extension: 'mp4', codec },
        { folder: 'cmaf', licence: second.licenceUrl, scheme: 'cbcs', extension: 'cmfv', codec },
      ]) {
        const page = await browser.newPage();
        await page.goto(`${host.address}/page.html`);
        await page.evaluate(`void play(${JSON.stringify(facts)}).catch((error) => faults.push(String(error)))`);
        await page.waitForFunction('video.currentTime > 1.5 || faults.length > 0', undefined, { timeout: 30_000 });
        assert.deepEqual(await page.evaluate('faults'), [], facts.folder);
        await page.close();
      }
    } finally {
      await browser.close();
      host.stop();
    }
  });

  test('whose role may not invoke the provider ends with 1091, and says what is missing', async () => {
    const role = await makeMediaRole(account.platform.clientConfig(), 'Unprotected', [OBJECTS]);
    const failed = await run(role, [dash('refused', { SpekeKeyProvider: provider('film', [COMMON]) })]);
    assert.deepEqual([failed.Status, failed.ErrorCode], ['ERROR', 1091]);
    const message = failed.ErrorMessage ?? '';
    assert.match(
      message,
      /^Unable to get content keys from the key provider \[https:\/\/coffer\.execute-api\.us-east-1/,
    );
    assert.match(
      message,
      /not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:\d{12}:coffer/,
    );
    assert.match(message, / Missing: asking https:.* for content keys: .*"Action":"execute-api:Invoke"/);
  });

  test('is asked for in the name of the role, and that is in the audit log', async () => {
    const trail = new CloudTrailClient(account.platform.clientConfig());
    const { Events = [] } = await trail.send(
      new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'RequestContentKeys' }],
      }),
    );
    trail.destroy();
    const events = Events.map(({ CloudTrailEvent = '{}' }) => CloudTrailEvent);
    assert.ok(events.some((event) => event.includes(`assumed-role/Protected/MediaConvert-${job.Id}`)));
    assert.ok(events.some((event) => event.includes('AccessDenied')));
  });

  test('leaves its keys nowhere in the clear', async () => {
    const uri = /METHOD=AES-128,URI="[^"]*\/keys\/([^"?]*)"/.exec(await text('hls/film_v.m3u8'))?.[1] ?? '';
    const key = await keyOf('film', uri.replaceAll('-', ''));
    assert.equal(key.length, 16);
    for (const file of await filesUnder(account.platform.dataFolder)) {
      const bytes = await readFile(file);
      for (const form of [key, key.toString('hex'), key.toString('base64')]) assert.ok(!bytes.includes(form), file);
    }
  });
});
