import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateJobCommand, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { HeadObjectCommand, ListObjectsV2Command, PutBucketOwnershipControlsCommand } from '@aws-sdk/client-s3';
import { play, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { checkMpd } from '#test/harness/mpd-checker.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { cmafGroup, dashGroup, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';

let account: MediaAccount;

async function run(...groups: OutputGroup[]) {
  const { Job: created } = await account.media.send(new CreateJobCommand(jobOf(account.role, account.source, groups)));
  const job = await jobEnd(account.media, created?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  return job;
}

async function keysBelow(Prefix: string): Promise<string[]> {
  const { Contents: listed = [] } = await account.s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
  return listed.map(({ Key }) => Key ?? '').sort();
}

before(async () => {
  account = await MediaAccount.start(5);
});

after(() => account.stop());

test('a CMAF and a DASH group are written with the encryption and canned ACL of their groups, and play', {
  skip: withoutFfmpeg,
}, async () => {
  const Encryption = { EncryptionType: 'SERVER_SIDE_ENCRYPTION_S3' } as const;
  const cmaf = cmafGroup({ destination: 's3://outputs/cmaf/film' });
  Object.assign(cmaf.OutputGroupSettings?.CmafGroupSettings ?? {}, {
    DestinationSettings: { S3Settings: { Encryption, AccessControl: { CannedAcl: 'PUBLIC_READ' } } },
  });
  const OwnershipControls = { Rules: [{ ObjectOwnership: 'ObjectWriter' as const }] };
  await account.s3.send(new PutBucketOwnershipControlsCommand({ Bucket: 'outputs', OwnershipControls }));
  const job = await run(cmaf, dashGroup({ destination: 's3://outputs/dash/film' }));
  const details = job.OutputGroupDetails?.map(({ OutputDetails = [] }) => OutputDetails.map((one) => one.VideoDetails));
  const sizes = [{ WidthInPx: 320, HeightInPx: 180 }, { WidthInPx: 160, HeightInPx: 90 }, undefined];
  assert.deepEqual(details, [sizes, sizes]);
  const numbers = ['000000001', '000000002', '000000003'];
  const segments = (stem: string, extension: string) => [
    ...numbers.map((number) => `cmaf/film_${stem}_${number}.${extension}`),
    `cmaf/film_${stem}init.${extension}`,
  ];
  const keys = await keysBelow('cmaf/');
  assert.deepEqual(
    keys,
    [
      'cmaf/film.m3u8',
      'cmaf/film.mpd',
      ...['180', '90', 'sound'].map((stem) => `cmaf/film_${stem}.m3u8`),
      ...segments('180', 'cmfv'),
      ...segments('90', 'cmfv'),
      ...segments('sound', 'cmfa'),
    ].sort(),
  );
  for (const Key of keys) {
    const head = await account.s3.send(new HeadObjectCommand({ Bucket: 'outputs', Key }));
    assert.equal(head.ServerSideEncryption, 'AES256', Key);
    assert.equal((await fetch(`${account.platform.endpoint}/outputs/${Key}`)).status, 200, Key);
  }
  for (const folder of ['cmaf', 'dash']) {
    const { faults, representations } = await checkMpd((key) => account.download(key), `${folder}/film.mpd`);
    assert.deepEqual([faults, representations.length], [[], 3]);
  }
  assert.deepEqual((await validateHls((key) => account.download(key), 'cmaf/film.m3u8')).faults, []);
  const names = ['init', ...numbers.map((number) => `_${number}`)];
  const parts = await Promise.all(names.map((name) => account.download(`cmaf/film_180${name}.cmfv`)));
  const { checksums, complaints } = await play(Buffer.concat(parts), 'v');
  assert.deepEqual([checksums.length, complaints], [150, '']);
  assert.deepEqual(await keysBelow('dash/'), [
    'dash/film.mpd',
    'dash/film_180.mp4',
    'dash/film_90.mp4',
    'dash/film_sound.mp4',
  ]);
  assert.equal((await play(await account.download('dash/film_90.mp4'), 'v')).checksums.length, 150);
});

test('H.265 is made of what the API takes', { skip: withoutFfmpeg }, async () => {
  const group = mp4Group({ destination: 's3://outputs/h265' });
  const H265Settings = {
    RateControlMode: 'QVBR',
    MaxBitrate: 800_000,
    QvbrSettings: { QvbrQualityLevel: 7 },
    QualityTuningLevel: 'SINGLE_PASS',
    CodecProfile: 'MAIN10_MAIN',
    WriteMp4PackagingType: 'HVC1',
  } as const;
  const VideoDescription = { Width: 320, Height: 180, CodecSettings: { Codec: 'H_265', H265Settings } } as const;
  await run({ ...group, Outputs: [{ ...group.Outputs?.[0], VideoDescription }] });
  const { checksums, complaints } = await play(await account.download('h265-180p.mp4'), 'v');
  assert.deepEqual([checksums.length, complaints], [150, '']);
});

test('captures are numbered pictures', { skip: withoutFfmpeg }, async () => {
  const FrameCaptureSettings = { FramerateNumerator: 1, FramerateDenominator: 2, MaxCaptures: 2, Quality: 80 };
  const group = mp4Group({ destination: 's3://outputs/thumbs/' });
  const output = {
    NameModifier: '-$w$',
    ContainerSettings: { Container: 'RAW' },
    VideoDescription: { Width: 160, CodecSettings: { Codec: 'FRAME_CAPTURE', FrameCaptureSettings } },
  } as const;
  await run({ ...group, Outputs: [output] });
  assert.deepEqual(await keysBelow('thumbs/'), ['thumbs/holiday-160.0000000.jpg', 'thumbs/holiday-160.0000001.jpg']);
});

test('a sound alone is a file of its own', { skip: withoutFfmpeg }, async () => {
  const group = mp4Group({ destination: 's3://outputs/sound' });
  const FlacSettings = { BitDepth: 16, Channels: 2, SampleRate: 48_000 };
  const CodecSettings = { Codec: 'FLAC', FlacSettings } as const;
  await run({
    ...group,
    Outputs: [{ ContainerSettings: { Container: 'RAW' }, AudioDescriptions: [{ CodecSettings }] }],
  });
  assert.equal((await play(await account.download('sound.flac'), 'a')).complaints, '');
});
