import assert from 'node:assert/strict';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  CreateJobCommand,
  type EncryptionContractConfiguration,
  GetJobCommand,
  type Job,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { chromium } from 'playwright-core';
import { decryptFragments, fragmentSamples } from '#test/fixtures/media/decrypt-fragments.ts';
import { ContentHost } from '#test/harness/content-host.ts';
import { cmaf, copied, dash, hls, smooth } from '#test/harness/encrypted-groups.ts';
import { filesUnder } from '#test/harness/files-under.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { jobEnd, jobOf } from '#test/harness/media-job.ts';
import { keyOf, signalsOf, SpekeProvider, withoutOpenssl } from '#test/harness/speke-provider.ts';

const KEY = randomBytes(16);
const KEY_HEX = KEY.toString('hex').toUpperCase();
const IV = randomBytes(16);
const WIDEVINE = 'edef8ba9-79d6-4ace-a3c8-27dcd51d21ed';
const PLAYREADY = '9a04f079-9840-4286-ab92-e65be0885f95';
const FAIRPLAY = '94ce86fb-07ff-4f43-adb8-93d2fa968ca2';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));

/** Plays one rendition of picture and one of sound with a ClearKey licence of the page's own. */
const PAGE = `<!doctype html><video muted width="160"></video><script>
  const video = document.querySelector('video');
  const faults = [];
  async function play({ folder, keys, codecs, extensions, segments, scheme }) {
    const capability = (kind, codec) => [{ contentType: kind + '/mp4; codecs="' + codec + '"', encryptionScheme: scheme }];
    const access = await navigator.requestMediaKeySystemAccess('org.w3.clearkey', [{
      initDataTypes: ['cenc'],
      videoCapabilities: capability('video', codecs[0]),
      audioCapabilities: capability('audio', codecs[1]),
    }]);
    await video.setMediaKeys(await access.createMediaKeys());
    video.onerror = () => faults.push(video.error.message);
    const ask = (type, data) => {
      const session = video.mediaKeys.createSession();
      session.onmessage = ({ message }) => {
        const { kids } = JSON.parse(new TextDecoder().decode(message));
        const list = kids.map((kid) => ({ kty: 'oct', kid, k: keys[kid] }));
        session.update(new TextEncoder().encode(JSON.stringify({ keys: list }))).catch((e) => faults.push(String(e)));
      };
      return session.generateRequest(type, data);
    };
    // Boxes of other systems say nothing to ClearKey.
    const ids = new TextEncoder().encode(JSON.stringify({ kids: Object.keys(keys) }));
    video.onencrypted = ({ initDataType, initData }) =>
      ask(initDataType, initData).catch(() => ask('keyids', ids)).catch((e) => faults.push(String(e)));
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await new Promise((resolve) => { source.onsourceopen = resolve; });
    await Promise.all(['video', 'audio'].map(async (kind, index) => {
      const buffer = source.addSourceBuffer(kind + '/mp4; codecs="' + codecs[index] + '"');
      const name = folder + '/film_' + kind[0];
      const extension = extensions[index];
      const paths = [name + 'init.' + extension];
      for (let number = 1; number <= segments; number++) paths.push(name + '_00000000' + number + '.' + extension);
      for (const path of paths) {
        const answer = await fetch('/content/' + path);
        buffer.appendBuffer(await answer.arrayBuffer());
        await new Promise((resolve) => { buffer.onupdateend = resolve; });
      }
    }));
    source.endOfStream();
    video.playbackRate = 2;
    await video.play();
  }
</script>`;

describe('content encryption', { skip: withoutOpenssl }, () => {
  let account: MediaAccount;
  let provider: SpekeProvider;
  let job: Job;

  const staticKey = {
    Type: 'STATIC_KEY',
    StaticKeyProvider: { StaticKeyValue: KEY_HEX, Url: 'https://keys.example.com/1' },
  };
  const presets = (video: string, audio: string) => ({
    EncryptionContractConfiguration: {
      SpekeVideoPreset: video,
      SpekeAudioPreset: audio,
    } as EncryptionContractConfiguration,
  });
  const spekeOf = (ResourceId: string, extra: object = {}) => ({ ResourceId, Url: provider.url, ...extra });

  function groups(): OutputGroup[] {
    const cbcs = { EncryptionMethod: 'SAMPLE_AES' };
    const speke = { Type: 'SPEKE', ...cbcs };
    const cmafSystems = { HlsSignaledSystemIds: [FAIRPLAY], DashSignaledSystemIds: [WIDEVINE, PLAYREADY] };
    return [
      cmaf('clear'),
      copied('copy-clear'),
      copied('copy', { ...staticKey, EncryptionMethod: 'AES_CTR' }),
      hls('hls-clear'),
      smooth('smooth-clear'),
      smooth('smooth', { SpekeKeyProvider: spekeOf('smooth', { SystemIds: [PLAYREADY] }) }),
      cmaf('static-cbcs', { ...staticKey, ...cbcs, ConstantInitializationVector: IV.toString('hex') }),
      cmaf('static-cenc', { ...staticKey, EncryptionMethod: 'AES_CTR', ClearLeadSegments: 1 }),
      cmaf('cmaf-1', { ...speke, SpekeKeyProvider: spekeOf('one', cmafSystems) }),
      cmaf('cmaf-2', {
        ...speke,
        SpekeKeyProvider: spekeOf('two', { ...cmafSystems, ...presets('PRESET_VIDEO_3', 'PRESET_AUDIO_2') }),
      }),
      dash('dash-1', { SpekeKeyProvider: spekeOf('one', { SystemIds: [WIDEVINE, PLAYREADY] }) }),
      dash('dash-half', {
        SpekeKeyProvider: spekeOf('half', { SystemIds: [WIDEVINE], ...presets('PRESET_VIDEO_1', 'UNENCRYPTED') }),
      }),
      hls('hls-whole', {
        Type: 'SPEKE',
        EncryptionMethod: 'AES128',
        SpekeKeyProvider: spekeOf('whole', { SystemIds: [FAIRPLAY] }),
      }),
      hls('hls-2', {
        ...speke,
        OfflineEncrypted: 'ENABLED',
        SpekeKeyProvider: spekeOf('live', { SystemIds: [FAIRPLAY, WIDEVINE], ...presets('SHARED', 'SHARED') }),
      }),
    ];
  }

  const text = async (key: string): Promise<string> => (await account.download(key)).toString();

  /** The initialization segment and the media of a rendition of a fragmented group. */
  async function rendition(folder: string, name: 'v' | 'a') {
    const { Contents } = await account.s3.send(
      new ListObjectsV2Command({ Bucket: 'outputs', Prefix: `${folder}/film_${name}` }),
    );
    const keys = (Contents ?? []).map(({ Key = '' }) => Key).sort();
    const init = await account.download(keys.find((key) => key.includes('init.')) ?? '');
    const media = await Promise.all(keys.filter((key) => /_\d{9}\./.test(key)).map((key) => account.download(key)));
    return { init, media: Buffer.concat(media) };
  }

  async function assertSame(folder: string, name: 'v' | 'a', scheme: string, key: Buffer): Promise<string> {
    const { init, media } = await rendition(folder, name);
    const found = decryptFragments(init, media, key);
    const clear = fragmentSamples((await rendition('clear', name)).media);
    assert.equal(found.scheme, scheme);
    assert.equal(found.samples.length, clear.length);
    clear.forEach((sample, index) => assert.ok(found.samples[index]?.equals(sample), `${folder} ${name} ${index}`));
    return found.keyId;
  }

  const callsOf = (contentId: string) => provider.calls.filter(({ request }) => request.contentId === contentId);
  const hexOf = (kid: string) => kid.replaceAll('-', '');
  const tagsOf = async (key: string) => (await text(key)).match(/#EXT-X-(SESSION-)?KEY:.*/g) ?? [];

  before(async () => {
    provider = await SpekeProvider.start();
    account = await MediaAccount.start(2, { COFFER_KEY_PROVIDER_HOSTS: provider.host });
    const { Job: made } = await account.media.send(new CreateJobCommand(jobOf(account.role, account.source, groups())));
    job = await jobEnd(account.media, made?.Id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  });

  after(async () => {
    provider?.stop();
    await account?.stop();
  });

  describe('of CMAF with a static key', () => {
    test('by cbcs gives back the clear samples, and both manifests tell of it', async () => {
      const keyId = await assertSame('static-cbcs', 'v', 'cbcs', KEY);
      assert.equal(await assertSame('static-cbcs', 'a', 'cbcs', KEY), keyId);
      const line = `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="https://keys.example.com/1",IV=0x${IV.toString('hex')}`;
      assert.deepEqual(await tagsOf('static-cbcs/film_v.m3u8'), [line]);
      const mpd = await text('static-cbcs/film.mpd');
      const ids = [...mpd.matchAll(/mp4protection:2011" value="cbcs" xmlns:cenc="[^"]*" cenc:default_KID="([^"]*)"/g)];
      assert.deepEqual(
        ids.map(([, id = '']) => hexOf(id)),
        [keyId, keyId],
      );
    });

    test('encrypts pictures that are copied, too', async () => {
      const { init, media } = await rendition('copy', 'v');
      const found = decryptFragments(init, media, KEY);
      const clear = fragmentSamples((await rendition('copy-clear', 'v')).media);
      assert.ok(clear.length > 50 && found.encryptedBytes > found.allBytes / 2);
      clear.forEach((sample, index) => assert.ok(found.samples[index]?.equals(sample), `${index}`));
    });

    test('by cenc leaves what was told to be clear clear', async () => {
      await assertSame('static-cenc', 'v', 'cenc', KEY);
      const { init, media } = await rendition('static-cenc', 'v');
      assert.equal(decryptFragments(init, media, KEY).clearFragments, 1);
      assert.match(
        await text('static-cenc/film_v.m3u8'),
        /_000000001\.cmfv\n#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="[^"]*"\n/,
      );
    });
  });

  describe('with a key provider', () => {
    test('asks for one key in SPEKE 1.0, signed for API Gateway with the role of the job', async () => {
      const [ofCmaf, ofDash] = callsOf('one');
      assert.ok(ofCmaf !== undefined && ofDash !== undefined);
      for (const { headers, request, path } of [ofCmaf, ofDash]) {
        assert.equal(path, '/cpix');
        assert.equal(request.version, '1.0');
        assert.match(
          headers.authorization ?? '',
          /^AWS4-HMAC-SHA256 Credential=ASIA\w+\/\d{8}\/us-east-1\/execute-api\/aws4_request, /,
        );
        assert.match(
          headers.authorization ?? '',
          /SignedHeaders=content-type;host;[^,]*x-amz-date;x-amz-security-token/,
        );
        assert.ok(headers['x-amz-security-token']);
        assert.equal(headers['content-type'], 'application/xml');
        assert.equal(request.keys.length, 1);
      }
      assert.equal(ofCmaf.request.keys[0]?.kid, ofDash.request.keys[0]?.kid, 'the same content has the same key');
      const kid = ofCmaf.request.keys[0]?.kid ?? '';
      for (const name of ['v', 'a'] as const) {
        assert.equal(await assertSame('cmaf-1', name, 'cbcs', keyOf(kid)), hexOf(kid));
        assert.equal(await assertSame('dash-1', name, 'cenc', keyOf(kid)), hexOf(kid));
      }
    });

    test('says in manifests and segments what the provider said', async () => {
      const kid = callsOf('one')[0]?.request.keys[0]?.kid ?? '';
      const iv = callsOf('one')[0]?.request.keys[0]?.explicitIv?.toString('hex');
      assert.deepEqual(await tagsOf('cmaf-1/film_v.m3u8'), [
        `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="https://licences.example.com/${kid}/${FAIRPLAY}",IV=0x${iv},KEYFORMAT="com.example.drm",KEYFORMATVERSIONS="1/2"`,
      ]);
      for (const folder of ['cmaf-1', 'dash-1']) {
        const mpd = await text(`${folder}/film.mpd`);
        for (const system of [WIDEVINE, PLAYREADY]) {
          const { pssh } = signalsOf(kid, system);
          const element = `<ContentProtection schemeIdUri="urn:uuid:${system}"><cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">${pssh.toString('base64')}</cenc:pssh></ContentProtection>`;
          assert.equal(mpd.split(element).length, 3, `${folder}: in each of two sets`);
          assert.ok((await rendition(folder, 'v')).init.includes(pssh));
        }
      }
    });

    test('asks in SPEKE 2.0 for the keys of the presets, and each rendition has the one for such as it', async () => {
      const [call] = callsOf('two');
      assert.ok(call);
      assert.equal(call.headers['x-speke-version'], '2.0');
      const { rules, keys } = call.request;
      assert.deepEqual(
        rules.map(({ intendedTrackType, videoFilters, audioFilters }) => [
          intendedTrackType,
          ...videoFilters,
          ...audioFilters,
        ]),
        [
          ['SD', { maxPixels: 589_824 }],
          ['HD', { minPixels: 589_825, maxPixels: 2_073_600 }],
          ['UHD', { minPixels: 2_073_601 }],
          ['STEREO_AUDIO', { maxChannels: 2 }],
          ['MULTICHANNEL_AUDIO', { minChannels: 3 }],
        ],
      );
      assert.deepEqual(new Set(keys.map(({ scheme }) => scheme)), new Set(['cbcs']));
      const kidOf = (type: string) => rules.find(({ intendedTrackType }) => intendedTrackType === type)?.kid ?? '';
      for (const [name, type] of [
        ['v', 'SD'],
        ['a', 'STEREO_AUDIO'],
      ] as const) {
        assert.equal(await assertSame('cmaf-2', name, 'cbcs', keyOf(kidOf(type))), hexOf(kidOf(type)));
        assert.deepEqual(await tagsOf(`cmaf-2/film_${name}.m3u8`), [signalsOf(kidOf(type), FAIRPLAY).hlsMedia]);
      }
    });

    test('leaves in the clear what shall not be encrypted', async () => {
      assert.ok(!(await rendition('dash-half', 'a')).init.includes('enca'));
      assert.equal((await text('dash-half/film.mpd')).match(/mp4protection/g)?.length, 1);
    });

    test('encrypts HLS: whole segments, and samples with the tags of SPEKE 2.0', async () => {
      const kid = callsOf('whole')[0]?.request.keys[0]?.kid ?? '';
      const iv = Buffer.alloc(16);
      iv[15] = 1;
      const decipher = createDecipheriv('aes-128-cbc', keyOf(kid), iv);
      const opened = Buffer.concat([
        decipher.update(await account.download('hls-whole/film_v_00001.ts')),
        decipher.final(),
      ]);
      assert.ok(opened.equals(await account.download('hls-clear/film_v_00001.ts')));
      assert.match((await tagsOf('hls-whole/film_v.m3u8'))[0] ?? '', /METHOD=AES-128,URI="https:\/\/licences/);
      const shared = callsOf('live')[0]?.request;
      assert.deepEqual(shared?.rules, [
        { kid: shared?.keys[0]?.kid, intendedTrackType: 'ALL', videoFilters: [{}], audioFilters: [{}] },
      ]);
      const signals = [FAIRPLAY, WIDEVINE].map((system) => signalsOf(shared?.keys[0]?.kid ?? '', system));
      assert.deepEqual(
        await tagsOf('hls-2/film_v.m3u8'),
        signals.map(({ hlsMedia }) => hlsMedia),
      );
      assert.deepEqual(
        await tagsOf('hls-2/film.m3u8'),
        signals.map(({ hlsMaster }) => hlsMaster),
      );
    });
  });

  test('encrypts the files of Smooth Streaming, and their manifest tells PlayReady of it', async () => {
    const kid = callsOf('smooth')[0]?.request.keys[0]?.kid ?? '';
    const [sealed, clear] = [
      await account.download('smooth/film_v.ismv'),
      await account.download('smooth-clear/film_v.ismv'),
    ];
    for (const track of [1, 2]) {
      const found = decryptFragments(sealed, sealed, keyOf(kid), track);
      const expected = fragmentSamples(clear, track);
      assert.ok(expected.length > 40);
      assert.deepEqual([found.scheme, found.keyId, found.samples.length], ['cenc', hexOf(kid), expected.length]);
      expected.forEach((sample, index) => assert.ok(found.samples[index]?.equals(sample), `${track} ${index}`));
    }
    const piff = Buffer.from('a2394f525a9b4f14a2446c427c648df4', 'hex');
    assert.ok(sealed.includes(piff) && sealed.includes(signalsOf(kid, PLAYREADY).pssh));
    const header = signalsOf(kid, PLAYREADY).protectionHeader.toString('base64');
    const element = `<ProtectionHeader SystemID="${PLAYREADY}">${header}</ProtectionHeader>`;
    assert.ok((await text('smooth/film.ismc')).includes(element));
    // The index at the end finds the fragments where they are now.
    const size = sealed.readUInt32BE(sealed.length - 4);
    const table = sealed.indexOf('tfra', sealed.length - size);
    for (let entry = 0; entry < sealed.readUInt32BE(table + 16); entry++) {
      const offset = Number(sealed.readBigUInt64BE(table + 20 + entry * 19 + 8));
      assert.equal(sealed.toString('latin1', offset + 4, offset + 8), 'moof');
    }
  });

  test('plays in a browser with ClearKey, by both schemes', {
    skip: executablePath === undefined && 'Chromium is not installed',
  }, async () => {
    const files = new Map([['/page.html', Buffer.from(PAGE)]]);
    const host = await ContentHost.start(account.s3, 'outputs', files);
    const browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    try {
      const codec = /codecs="(avc1[^"]*)"/.exec(await text('clear/film.mpd'))?.[1] ?? '';
      const base64 = (bytes: Buffer) => bytes.toString('base64url');
      const kid = callsOf('one')[0]?.request.keys[0]?.kid ?? '';
      const fixed = decryptFragments((await rendition('static-cbcs', 'v')).init, Buffer.alloc(0), KEY).keyId;
      for (const [folder, scheme, id, key, extensions] of [
        ['static-cbcs', 'cbcs', fixed, KEY, ['cmfv', 'cmfa']],
        ['static-cenc', 'cenc', fixed, KEY, ['cmfv', 'cmfa']],
        ['cmaf-1', 'cbcs', hexOf(kid), keyOf(kid), ['cmfv', 'cmfa']],
        ['dash-1', 'cenc', hexOf(kid), keyOf(kid), ['mp4', 'mp4']],
      ] as const) {
        const page = await browser.newPage();
        await page.goto(`${host.address}/page.html`);
        const keys = { [base64(Buffer.from(id, 'hex'))]: base64(key) };
        const facts = { folder, scheme, keys, codecs: [codec, 'mp4a.40.2'], extensions, segments: 2 };
        await page.evaluate(`void play(${JSON.stringify(facts)}).catch((error) => faults.push(String(error)))`);
        await page.waitForFunction('video.currentTime > 1.8 || faults.length > 0', undefined, { timeout: 30_000 });
        assert.deepEqual(await page.evaluate('faults'), [], folder);
        assert.ok(Number(await page.evaluate('video.getVideoPlaybackQuality().totalVideoFrames')) > 30, folder);
        await page.close();
      }
    } finally {
      await browser.close();
      host.stop();
    }
  });

  test('leaves no key in a file of the server, nor in what a job shows', async () => {
    const keys = provider.calls.flatMap(({ request }) => request.keys.map(({ kid }) => keyOf(kid)));
    assert.ok(keys.length > 5);
    const { Job: seen } = await account.media.send(new GetJobCommand({ Id: job.Id }));
    const shown = JSON.stringify(seen);
    const forms = keys.flatMap((key) => [key.toString('hex'), key.toString('base64')]);
    for (const form of forms) assert.ok(!shown.includes(form));
    for (const file of await filesUnder(account.platform.dataFolder)) {
      const bytes = await readFile(file);
      for (const form of [...keys, ...forms, KEY, KEY_HEX, KEY.toString('hex')]) assert.ok(!bytes.includes(form), file);
    }
  });
});
