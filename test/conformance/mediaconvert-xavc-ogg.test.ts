import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type Output } from '@aws-sdk/client-mediaconvert';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { jobEnd, jobOf } from '#test/harness/media-job.ts';

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(1);
});

after(() => account.stop());

async function run(Outputs: Output[]): Promise<void> {
  const FileGroupSettings = { Destination: 's3://outputs/files/film' };
  const group = { OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings }, Outputs } as const;
  const request = jobOf(account.role, account.source, [{ ...group, Outputs }]);
  const { Job: created } = await account.media.send(new CreateJobCommand(request));
  const job = await jobEnd(account.media, created?.Id, 120_000);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

describe('files of cameras and of the open web', { skip: withoutFfmpeg }, () => {
  test('XAVC is H.264 of 4:2:2 with ten bits, of whole pictures alone or of groups, in MXF', async () => {
    const rate = { FramerateControl: 'SPECIFIED', FramerateNumerator: 25, FramerateDenominator: 1 } as const;
    const intra = { Profile: 'XAVC_HD_INTRA_CBG', XavcHdIntraCbgProfileSettings: { XavcClass: 'CLASS_100' } } as const;
    const long = {
      Profile: 'XAVC_HD',
      XavcHdProfileSettings: { BitrateClass: 'BITRATE_CLASS_25', QualityTuningLevel: 'SINGLE_PASS' },
    } as const;
    const size = { Width: 1920, Height: 1080 };
    await run([
      {
        NameModifier: '-intra',
        ContainerSettings: { Container: 'MXF' },
        VideoDescription: { ...size, CodecSettings: { Codec: 'XAVC', XavcSettings: { ...rate, ...intra } } },
      },
      {
        NameModifier: '-long',
        ContainerSettings: { Container: 'MXF' },
        VideoDescription: { ...size, CodecSettings: { Codec: 'XAVC', XavcSettings: { ...rate, ...long } } },
      },
    ]);
    for (const name of ['intra.mxf', 'long.mxf']) {
      const film = await account.download(`files/film-${name}`);
      const [picture] = await probe(film);
      const { codec_name: codec, pix_fmt: form, width, height, r_frame_rate: made } = picture ?? {};
      assert.deepEqual([codec, form, width, height, made], ['h264', 'yuv422p10le', 1920, 1080, '25/1'], name);
      const { checksums, complaints } = await play(film, 'v');
      // Of so large pictures the tool sees too few before it begins.
      assert.doesNotMatch(complaints, /error|invalid|missing|corrupt/i, name);
      assert.ok(checksums.length >= 24 && checksums.length <= 25, `${name}: ${checksums.length}`);
    }
  });

  test('OGG has Vorbis, Opus and FLAC', async () => {
    const ContainerSettings = { Container: 'OGG' } as const;
    await run([
      {
        NameModifier: '-vorbis',
        ContainerSettings,
        AudioDescriptions: [{ CodecSettings: { Codec: 'VORBIS', VorbisSettings: { VbrQuality: 3 } } }],
      },
      {
        NameModifier: '-opus',
        ContainerSettings,
        AudioDescriptions: [{ CodecSettings: { Codec: 'OPUS', OpusSettings: { Bitrate: 96_000 } } }],
      },
      {
        NameModifier: '-flac',
        ContainerSettings,
        AudioDescriptions: [{ CodecSettings: { Codec: 'FLAC', FlacSettings: {} } }],
      },
    ]);
    for (const codec of ['vorbis', 'opus', 'flac']) {
      const file = await account.download(`files/film-${codec}.ogg`);
      assert.equal(file.subarray(0, 4).toString(), 'OggS');
      const [sound] = await probe(file);
      assert.equal(sound?.['codec_name'], codec);
      const { complaints, checksums } = await play(file, 'a');
      assert.equal(complaints, '', codec);
      assert.ok(checksums.length > 0, codec);
    }
  });
});
