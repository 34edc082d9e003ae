import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateJobCommand,
  GetJobCommand,
  type HlsEncryptionSettings,
  type Job,
  MediaConvertClient,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { chromium } from 'playwright-core';
import { makeTestVideo } from '#media/test-video.ts';
import { isIntact, readProgramMap } from '#media/transport-stream/program-tables.ts';
import { SectionAssembler } from '#media/transport-stream/section-assembler.ts';
import { ContentHost } from '#test/harness/content-host.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { filesUnder } from '#test/harness/files-under.ts';
import { aac, h264, jobEnd, jobOf } from '#test/harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '#test/harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';

const KEY = randomBytes(16);
const IV = randomBytes(16);
const KEY_HEX = KEY.toString('hex').toUpperCase();

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));

const PAGE = `<!doctype html><video muted autoplay width="160"></video><script src="/hls.js"></script><script>
  const video = document.querySelector('video');
  const faults = [];
  const player = new Hls();
  player.on(Hls.Events.ERROR, (_event, fault) => { if (fault.fatal) faults.push(fault.details); });
  player.loadSource(location.hash.slice(1));
  player.attachMedia(video);
  video.playbackRate = 4;
</script>`;

let platform: TestPlatform;
let s3: S3Client;
let mediaconvert: MediaConvertClient;
let host: ContentHost;
let role: string;
let keyArn: string;
let job: Job;

/** The groups of the one job that these tests look at, by the folder that they are written to. */
function encryptions(): Readonly<Record<string, HlsEncryptionSettings | undefined>> {
  const Url = `${host.address}/key`;
  const provider = { StaticKeyValue: KEY_HEX, Url };
  return {
    clear: undefined,
    constant: {
      Type: 'STATIC_KEY',
      EncryptionMethod: 'AES128',
      ConstantInitializationVector: IV.toString('hex'),
      InitializationVectorInManifest: 'INCLUDE',
      OfflineEncrypted: 'ENABLED',
      StaticKeyProvider: { ...provider, KeyFormat: 'identity', KeyFormatVersions: '1' },
    },
    numbered: {
      Type: 'STATIC_KEY',
      EncryptionMethod: 'AES128',
      InitializationVectorInManifest: 'EXCLUDE',
      StaticKeyProvider: provider,
    },
    listed: {
      Type: 'STATIC_KEY',
      EncryptionMethod: 'AES128',
      OfflineEncrypted: 'DISABLED',
      InitializationVectorInManifest: 'INCLUDE',
      StaticKeyProvider: provider,
    },
    samples: {
      Type: 'STATIC_KEY',
      EncryptionMethod: 'SAMPLE_AES',
      ConstantInitializationVector: IV.toString('hex'),
      StaticKeyProvider: { ...provider, KeyFormat: 'identity', KeyFormatVersions: '1/2' },
    },
    'numbered-samples': {
      Type: 'STATIC_KEY',
      EncryptionMethod: 'SAMPLE_AES',
      InitializationVectorInManifest: 'INCLUDE',
      StaticKeyProvider: provider,
    },
  };
}

/** A picture with sound, and a sound by itself. */
function groupOf(folder: string, Encryption: HlsEncryptionSettings | undefined): OutputGroup {
  const encryption = { EncryptionType: 'SERVER_SIDE_ENCRYPTION_KMS', KmsKeyArn: keyArn } as const;
  return {
    OutputGroupSettings: {
      Type: 'HLS_GROUP_SETTINGS',
      HlsGroupSettings: {
        Destination: `s3://outputs/${folder}/film`,
        DestinationSettings: { S3Settings: { Encryption: encryption } },
        SegmentLength: 2,
        MinSegmentLength: 0,
        ...(Encryption !== undefined && { Encryption }),
      },
    },
    Outputs: [
      {
        NameModifier: '_v',
        ContainerSettings: { Container: 'M3U8' },
        VideoDescription: { Width: 320, Height: 180, CodecSettings: h264(2_000_000) },
        AudioDescriptions: [{ ...aac, LanguageCode: 'ENG' }],
        OutputSettings: { HlsSettings: { AudioRenditionSets: 'sound' } },
      },
      {
        NameModifier: '_a',
        ContainerSettings: { Container: 'M3U8' },
        AudioDescriptions: [aac],
        OutputSettings: {
          HlsSettings: {
            AudioGroupId: 'sound',
            AudioTrackType: 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
            AudioOnlyContainer: 'M2TS',
          },
        },
      },
    ],
  };
}

async function read(key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Hashes of every decoded picture and piece of sound, as the ffmpeg command plays an address. */
async function play(path: string): Promise<{ readonly hashes: readonly string[]; readonly complaints: string }> {
  const args = ['-v', 'warning', '-i', `${host.address}/content/${path}`, '-map', '0', '-f', 'framemd5', '-'];
  const ffmpeg = spawn('ffmpeg', args);
  const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };
  const [hashes, complaints] = await Promise.all([text(ffmpeg.stdout), text(ffmpeg.stderr)]);
  return { hashes: hashes.split('\n').filter((line) => /^\d/.test(line)), complaints };
}

/** Ticks a second of the times of a rendition's first stream: pictures, or pieces of sound. */
const CLOCK = { 'film_v.m3u8': 30, 'film_a.m3u8': 48_000 } as const;

before(async () => {
  platform = await startTestPlatform();
  const config = platform.clientConfig();
  s3 = new S3Client(config);
  mediaconvert = new MediaConvertClient(config);
  const kms = new KMSClient(config);
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  kms.destroy();
  for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
  const Body = await makeTestVideo({ seconds: 5, width: 320, height: 180, bitrate: 2_000_000 });
  await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'film.mp4', Body }));
  const statement = { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: keyArn };
  role = await makeMediaRole(config, 'Media', [OBJECTS, statement]);
  const files = new Map([
    ['/key', KEY],
    ['/page.html', Buffer.from(PAGE)],
    ['/hls.js', readFileSync(new URL(import.meta.resolve('hls.js/dist/hls.min.js')))],
  ]);
  host = await ContentHost.start(s3, 'outputs', files);
  const groups = Object.entries(encryptions()).map(([folder, encryption]) => groupOf(folder, encryption));
  const { Job: created } = await mediaconvert.send(new CreateJobCommand(jobOf(role, 's3://source/film.mp4', groups)));
  job = await jobEnd(mediaconvert, created?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
});

after(async () => {
  host?.stop();
  for (const client of [s3, mediaconvert]) client?.destroy();
  await platform?.stop();
});

describe('AES-128 with a static key', () => {
  const segment = (folder: string, number: number) => read(`${folder}/film_v_0000${number}.ts`);

  test('encrypts whole segments: decrypted they are what the group in the clear has, byte for byte', async () => {
    for (const folder of ['constant', 'numbered', 'listed']) {
      for (const number of [1, 2, 3]) {
        const own = Buffer.alloc(16);
        own[15] = number;
        const decipher = createDecipheriv('aes-128-cbc', KEY, folder === 'constant' ? IV : own);
        const sealed = await segment(folder, number);
        const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
        assert.ok(opened.equals(await segment('clear', number)), `${folder} ${number}`);
      }
    }
  });

  test('says in the manifests what a player has to know', async () => {
    const uri = `URI="${host.address}/key"`;
    const hex = IV.toString('hex');
    const keys = async (path: string) => (await read(path)).toString().match(/#EXT-X-(SESSION-)?KEY:.*/g) ?? [];
    const full = `METHOD=AES-128,${uri},IV=0x${hex},KEYFORMAT="identity",KEYFORMATVERSIONS="1"`;
    assert.deepEqual(await keys('constant/film_v.m3u8'), [`#EXT-X-KEY:${full}`]);
    assert.deepEqual(await keys('constant/film_a.m3u8'), [`#EXT-X-KEY:${full}`]);
    assert.deepEqual(await keys('constant/film.m3u8'), [`#EXT-X-SESSION-KEY:${full}`]);
    assert.deepEqual(await keys('numbered/film_v.m3u8'), [`#EXT-X-KEY:METHOD=AES-128,${uri}`]);
    assert.deepEqual(await keys('numbered/film.m3u8'), []);
    assert.deepEqual(
      await keys('listed/film_v.m3u8'),
      [1, 2, 3].map((number) => `#EXT-X-KEY:METHOD=AES-128,${uri},IV=0x${String(number).padStart(32, '0')}`),
    );
    const samples = `METHOD=SAMPLE-AES,${uri},IV=0x${hex},KEYFORMAT="identity",KEYFORMATVERSIONS="1/2"`;
    assert.deepEqual(await keys('samples/film_v.m3u8'), [`#EXT-X-KEY:${samples}`]);
    for (const [path, version] of [
      ['constant/film.m3u8', 5],
      ['constant/film_v.m3u8', 5],
      ['numbered/film_v.m3u8', 3],
      ['numbered-samples/film_a.m3u8', 5],
    ] as const) {
      assert.match((await read(path)).toString(), new RegExp(`#EXT-X-VERSION:${version}\n`), path);
    }
    assert.deepEqual(await keys('clear/film_v.m3u8'), []);
    for (const folder of ['clear', 'constant', 'numbered', 'listed', 'samples', 'numbered-samples']) {
      assert.deepEqual((await validateHls(read, `${folder}/film.m3u8`)).faults, [], folder);
    }
  });
});

describe('SAMPLE-AES with a static key', () => {
  test('says in the program map which streams are encrypted, and how their sound is set up', async () => {
    for (const [name, types] of [
      ['samples/film_v_00001.ts', [0xdb, 0xcf]],
      ['samples/film_v_00003.ts', [0xdb, 0xcf]],
      ['numbered-samples/film_a_00002.ts', [0xcf]],
    ] as const) {
      const segment = await read(name);
      assert.equal(segment.length % 188, 0);
      const maps: Buffer[] = [];
      const sections = new SectionAssembler((section) => maps.push(Buffer.from(section)));
      const counters: number[] = [];
      for (let at = 0; at < segment.length; at += 188) {
        if ((segment.readUInt16BE(at + 1) & 0x1fff) !== 480) continue;
        sections.packet(segment, at);
        counters.push((segment[at + 3] ?? 0) & 15);
      }
      assert.deepEqual(counters, [Number(name.at(-4)) - 1], 'its counter goes on from segment to segment');
      assert.equal(maps.length, 1);
      const [map = Buffer.alloc(0)] = maps;
      assert.ok(isIntact(map));
      const streams = readProgramMap(map)?.streams ?? [];
      assert.deepEqual(
        streams.map(({ streamType }) => streamType),
        types,
      );
      const sound = streams.at(-1)?.descriptors ?? Buffer.alloc(0);
      assert.ok(sound.includes(Buffer.from('\x0f\x04aacd', 'latin1')));
      const setup = sound.subarray(sound.indexOf('apad') - 2);
      const config = Buffer.of(0x11, 0x90);
      assert.deepEqual([setup[0], setup[1]], [5, setup.length - 2]);
      assert.equal(setup.toString('latin1', 6, 10), 'zaac');
      assert.deepEqual([...setup.subarray(10, 14)], [0, 0, 1, setup.length - 14]);
      assert.ok(setup.subarray(14).indexOf(config) === 0, 'AAC LC, 48 kHz, two channels');
      if (types.length === 2) assert.equal(streams[0]?.descriptors.toString('latin1'), '\x0f\x04zavc');
    }
  });

  test('leaves headers in the clear, and little else', async () => {
    const [sealed, clear] = [await read('samples/film_v_00001.ts'), await read('clear/film_v_00001.ts')];
    assert.ok(Math.abs(sealed.length - clear.length) < clear.length / 20);
    assert.ok(!sealed.equals(clear));
  });
});

describe('a player', () => {
  test('shows every picture and sounds every sound as in the clear: the ffmpeg command', {
    skip: withoutFfmpeg,
  }, async () => {
    for (const rendition of ['film_v.m3u8', 'film_a.m3u8'] as const) {
      const clear = await play(`clear/${rendition}`);
      assert.ok(clear.hashes.length > 200, clear.complaints);
      for (const folder of ['constant', 'numbered', 'listed']) {
        const { hashes, complaints } = await play(`${folder}/${rendition}`);
        assert.deepEqual(hashes, clear.hashes, `${folder}/${rendition}: ${complaints}`);
      }
      // At the end of a list no segment is the current one, and ffmpeg does not decrypt the samples that it still holds.
      const samples = await play(`samples/${rendition}`);
      const isInside = (line: string): boolean =>
        Number(line.split(',')[2]) < 4.6 * (line.startsWith('0') ? CLOCK[rendition] : 48_000);
      assert.deepEqual(samples.hashes.filter(isInside), clear.hashes.filter(isInside), samples.complaints);
    }
  });

  test('plays on and on: hls.js in a browser', {
    skip: executablePath === undefined && 'Chromium is not installed',
  }, async () => {
    const browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    try {
      for (const folder of ['constant', 'numbered', 'samples', 'numbered-samples']) {
        const page = await browser.newPage();
        await page.goto(`${host.address}/page.html#${host.address}/content/${folder}/film.m3u8`);
        await page.waitForFunction('video.currentTime > 4.5 || faults.length > 0', undefined, { timeout: 60_000 });
        const frames = await page.evaluate('video.getVideoPlaybackQuality().totalVideoFrames');
        assert.deepEqual(await page.evaluate('faults'), [], folder);
        assert.ok(Number(frames) > 60, `${folder}: ${String(frames)} pictures`);
        assert.ok(Number(await page.evaluate('video.webkitAudioDecodedByteCount')) > 0, `${folder} has sound`);
        await page.close();
      }
    } finally {
      await browser.close();
    }
  });
});

describe('the key of a job', () => {
  test('is shown to whoever may see the job, as it was given', async () => {
    const { Job: seen } = await mediaconvert.send(new GetJobCommand({ Id: job.Id }));
    const { OutputGroupSettings } = seen?.Settings?.OutputGroups?.[1] ?? {};
    assert.deepEqual(OutputGroupSettings?.HlsGroupSettings?.Encryption, encryptions()['constant']);
  });

  test('lies nowhere in the clear, and is in no event of the audit log', async () => {
    for (const file of await filesUnder(platform.dataFolder)) {
      const bytes = await readFile(file);
      for (const form of [KEY, KEY_HEX, KEY.toString('hex'), KEY.toString('base64')]) {
        assert.ok(!bytes.includes(form), file);
      }
    }
    const trail = new CloudTrailClient(platform.clientConfig());
    const { Events: events = [] } = await trail.send(
      new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CreateJob' }] }),
    );
    trail.destroy();
    assert.ok(events.length > 0);
    assert.ok(!JSON.stringify(events).toUpperCase().includes(KEY_HEX));
  });

  test('encrypts what is encrypted at rest besides', async () => {
    for (const Key of ['samples/film_v_00001.ts', 'constant/film_v_00001.ts', 'constant/film.m3u8']) {
      const head = await s3.send(new HeadObjectCommand({ Bucket: 'outputs', Key }));
      assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId], ['aws:kms', keyArn], Key);
    }
  });
});

test('CreateJob refuses what it does not carry out, by the JSON pointer, and does not repeat the key', async () => {
  const right: HlsEncryptionSettings = encryptions()['constant'] ?? {};
  const provider = right.StaticKeyProvider;
  const at = '/outputGroups/0/outputGroupSettings/hlsGroupSettings/encryption';
  const odd = `${KEY_HEX.slice(1)}Z`;
  const cases: readonly (readonly [HlsEncryptionSettings, string])[] = [
    [{ ...right, Type: 'SPEKE', StaticKeyProvider: undefined }, `${at}: spekeKeyProvider is a required property`],
    [
      { ...right, SpekeKeyProvider: { ResourceId: 'film', Url: 'https://keys.example.com/' } },
      `${at}/spekeKeyProvider: Needs type SPEKE`,
    ],
    [{ ...right, Type: undefined }, `${at}: type is a required property`],
    [{ ...right, EncryptionMethod: undefined }, `${at}: encryptionMethod is a required property`],
    [{ ...right, StaticKeyProvider: undefined }, `${at}: staticKeyProvider is a required property`],
    [
      { ...right, StaticKeyProvider: { ...provider, StaticKeyValue: undefined } },
      `${at}/staticKeyProvider: staticKeyValue is a required property`,
    ],
    [
      { ...right, StaticKeyProvider: { ...provider, StaticKeyValue: odd } },
      `${at}/staticKeyProvider/staticKeyValue: Should be 32 hexadecimal digits`,
    ],
    [{ ...right, StaticKeyProvider: { ...provider, Url: undefined } }, `${at}/staticKeyProvider: url is a required`],
    [
      { ...right, StaticKeyProvider: { ...provider, Url: 'http://h/"\n#EXT-X-ENDLIST' } },
      `${at}/staticKeyProvider/url: Should be an address without quotes`,
    ],
    [{ ...right, ConstantInitializationVector: 'abc' }, `${at}/constantInitializationVector: Should`],
    [
      { ...right, StaticKeyProvider: { ...provider, KeyFormat: 'not"one' } },
      `${at}/staticKeyProvider/keyFormat: Should match`,
    ],
    [
      { ...right, StaticKeyProvider: { ...provider, KeyFormatVersions: 'one' } },
      `${at}/staticKeyProvider/keyFormatVersions: Should match`,
    ],
  ];
  for (const [settings, message] of cases) {
    const request = jobOf(role, 's3://source/film.mp4', [groupOf('refused', settings)]);
    await assert.rejects(mediaconvert.send(new CreateJobCommand(request)), (error: Error) => {
      assert.equal(error.name, 'BadRequestException');
      assert.ok(error.message.includes(message), error.message);
      assert.ok(!error.message.includes(KEY_HEX) && !error.message.includes(odd));
      return true;
    });
  }
});
