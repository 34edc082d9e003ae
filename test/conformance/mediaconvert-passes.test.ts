import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateJobCommand, type Output } from '@aws-sdk/client-mediaconvert';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(8, { COFFER_HARDWARE_ENCODERS: 'auto' });
});

after(() => account.stop());

const size = { Width: 160, Height: 90 } as const;

function output(NameModifier: string, CodecSettings: NonNullable<Output['VideoDescription']>['CodecSettings']): Output {
  const ContainerSettings = { Container: 'MP4' } as const;
  return { NameModifier, ContainerSettings, VideoDescription: { ...size, CodecSettings }, AudioDescriptions: [aac] };
}

test('a film that is encoded in two passes comes to the average that was asked for, and AV1 keeps to its most', {
  skip: withoutFfmpeg,
}, async () => {
  const group = mp4Group({ destination: 's3://outputs/two/film' });
  const HQ = { QualityTuningLevel: 'MULTI_PASS_HQ' } as const;
  const vbr = { RateControlMode: 'VBR', Bitrate: 120_000, MaxBitrate: 400_000, ...HQ } as const;
  const qvbr = { RateControlMode: 'QVBR', MaxBitrate: 2_000_000, ...HQ } as const;
  const Outputs = [
    output('-264', { Codec: 'H_264', H264Settings: vbr }),
    output('-265', { Codec: 'H_265', H265Settings: vbr }),
    output('-capped', {
      Codec: 'H_264',
      H264Settings: { ...qvbr, QvbrSettings: { QvbrQualityLevel: 10, MaxAverageBitrate: 100_000 } },
    }),
    output('-free', {
      Codec: 'H_264',
      H264Settings: { ...qvbr, QvbrSettings: { QvbrQualityLevel: 3, MaxAverageBitrate: 1_900_000 } },
    }),
    output('-av1', {
      Codec: 'AV1',
      Av1Settings: { RateControlMode: 'QVBR', MaxBitrate: 60_000, QvbrSettings: { QvbrQualityLevel: 10 } },
    }),
  ];
  const request = jobOf(account.role, account.source, [{ ...group, Outputs }]);
  const { Job: created } = await account.media.send(new CreateJobCommand(request));
  const job = await jobEnd(account.media, created?.Id, 120_000);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  const rates = new Map<string, number>();
  for (const { NameModifier: name } of Outputs) {
    const film = await account.download(`two/film${name}.mp4`);
    const [picture] = await probe(film);
    rates.set(name ?? '', Number(picture?.['bit_rate']));
    const { checksums, complaints } = await play(film, 'v');
    assert.deepEqual([checksums.length, complaints], [240, '']);
  }
  const near = (name: string, wanted: number, share: number): void => {
    const rate = rates.get(name) ?? 0;
    assert.ok(Math.abs(rate / wanted - 1) < share, `${name}: ${rate} of ${wanted}`);
  };
  near('-264', 120_000, 0.1);
  near('-265', 120_000, 0.25);
  near('-capped', 100_000, 0.1);
  assert.ok((rates.get('-av1') ?? 0) <= 60_000, `${rates.get('-av1')}`);
  // A low quality takes what it takes, and no more because there is more.
  assert.ok((rates.get('-free') ?? 0) < 300_000, `${rates.get('-free')}`);
});

test('where hardware may encode and none is there, or it fails, a film is the one that was asked for', {
  skip: withoutFfmpeg,
}, async () => {
  const group = mp4Group({ destination: 's3://outputs/hardware/film' });
  const rate = { RateControlMode: 'VBR', Bitrate: 120_000, GopSize: 24, GopSizeUnits: 'FRAMES' } as const;
  const Outputs = [
    output('-264', { Codec: 'H_264', H264Settings: { ...rate, CodecProfile: 'HIGH' } }),
    output('-265', { Codec: 'H_265', H265Settings: rate }),
  ];
  const request = jobOf(account.role, account.source, [{ ...group, Outputs }]);
  const { Job: created } = await account.media.send(new CreateJobCommand(request));
  const job = await jobEnd(account.media, created?.Id, 120_000);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  for (const [name, codec] of [
    ['264', 'h264'],
    ['265', 'hevc'],
  ]) {
    const film = await account.download(`hardware/film-${name}.mp4`);
    const [picture] = await probe(film);
    assert.equal(picture?.['codec_name'], codec);
    const { checksums, complaints } = await play(film, 'v');
    assert.deepEqual([checksums.length, complaints], [240, '']);
  }
});

test('an average without the pass that finds it is refused', async () => {
  const group = mp4Group({ destination: 's3://outputs/two/refused' });
  const QvbrSettings = { QvbrQualityLevel: 7, MaxAverageBitrate: 1_000_000 };
  const H264Settings = { RateControlMode: 'QVBR', MaxBitrate: 2_000_000, QvbrSettings } as const;
  const Outputs = [output('-x', { Codec: 'H_264', H264Settings })];
  const request = jobOf(account.role, account.source, [{ ...group, Outputs }]);
  await assert.rejects(
    account.media.send(new CreateJobCommand(request)),
    /maxAverageBitrate: Needs qualityTuningLevel MULTI_PASS_HQ/,
  );
});

test('automated ABR makes the renditions that the input and the rules call for, and tells of each', {
  skip: withoutFfmpeg,
}, async () => {
  const group = hlsLadder({ destination: 's3://outputs/abr/film' });
  const H264Settings = { RateControlMode: 'QVBR', QualityTuningLevel: 'MULTI_PASS_HQ' } as const;
  const Outputs: Output[] = [
    {
      NameModifier: '_v',
      ContainerSettings: { Container: 'M3U8' },
      VideoDescription: { CodecSettings: { Codec: 'H_264', H264Settings } },
    },
    {
      NameModifier: '_a',
      ContainerSettings: { Container: 'M3U8' },
      AudioDescriptions: [aac],
      OutputSettings: { HlsSettings: { AudioOnlyContainer: 'M2TS', AudioGroupId: 'sound' } },
    },
  ];
  const AbrSettings = {
    MinAbrBitrate: 100_000,
    MaxAbrBitrate: 400_000,
    Rules: [{ Type: 'FORCE_INCLUDE_RENDITIONS' as const, ForceIncludeRenditions: [{ Width: 160, Height: 90 }] }],
  };
  const automated = { ...group, Outputs, AutomatedEncodingSettings: { AbrSettings } };
  const request = jobOf(account.role, account.source, [automated]);
  const { Job: created } = await account.media.send(new CreateJobCommand(request));
  const job = await jobEnd(account.media, created?.Id, 120_000);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  const details = job.OutputGroupDetails?.[0]?.OutputDetails?.map(({ VideoDetails: video }) => video?.WidthInPx);
  assert.deepEqual(details, [320, 160, undefined]);
  const main = (await account.download('abr/film.m3u8')).toString();
  const variants = main.split('\n').filter((line) => line.startsWith('film_v'));
  assert.equal(variants.length, 2);
  assert.match(variants.join(' '), /film_v_320x180_\d+k\.m3u8 film_v_160x90_\d+k\.m3u8/);
  assert.match(main, /RESOLUTION=160x90/);
});

test('a group whose renditions are not its own is refused', async () => {
  const group = hlsLadder({ destination: 's3://outputs/abr/refused' });
  const request = jobOf(account.role, account.source, [{ ...group, AutomatedEncodingSettings: { AbrSettings: {} } }]);
  await assert.rejects(account.media.send(new CreateJobCommand(request)), (error: Error) => {
    assert.match(error.message, /Should be H_264 or H_265 with QVBR and MULTI_PASS_HQ, with automated ABR/);
    assert.match(error.message, /\/codecSettings\/h264Settings\/maxBitrate: Is not allowed with automated ABR/);
    return true;
  });
});
