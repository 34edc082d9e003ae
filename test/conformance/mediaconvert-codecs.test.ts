import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerSettings,
  CreateJobCommand,
  type Output,
  type OutputGroup,
  type VideoCodecSettings,
  type VideoDescription,
} from '@aws-sdk/client-mediaconvert';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';

let account: MediaAccount;
/** Where files lie for tools that seek in them. */
let folder: string;

before(async () => {
  account = await MediaAccount.start(1);
  folder = await mkdtemp(join(tmpdir(), 'coffer-codecs-'));
});

after(async () => {
  await rm(folder, { recursive: true, force: true });
  await account.stop();
});

async function run(...groups: OutputGroup[]) {
  const { Job: created } = await account.media.send(new CreateJobCommand(jobOf(account.role, account.source, groups)));
  const job = await jobEnd(account.media, created?.Id, 120_000);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  return job;
}

interface Made {
  readonly name: string;
  readonly container: ContainerSettings;
  readonly codec: VideoCodecSettings;
  readonly size?: readonly [number, number];
  readonly video?: Partial<VideoDescription>;
  readonly withSound?: boolean;
}

function outputOf({ name, container, codec, size = [160, 90], video, withSound = false }: Made): Output {
  return {
    NameModifier: `-${name}`,
    ContainerSettings: container,
    VideoDescription: { Width: size[0], Height: size[1], CodecSettings: codec, ...video },
    ...(withSound && { AudioDescriptions: [aac] }),
  };
}

/** The streams without a container. */
const RAW: Readonly<Record<string, string>> = { H_264: 'h264', H_265: 'h265', MPEG2: 'm2v' };

/** Makes all of them in one job; returns where the files are and what ffprobe says of the pictures, by name. */
async function make(place: string, made: readonly Made[]) {
  const group = mp4Group({ destination: `s3://outputs/${place}/film` });
  const job = await run({ ...group, Outputs: made.map(outputOf) });
  const files = new Map<string, { path: string; picture: Readonly<Record<string, unknown>> }>();
  for (const { name, container, codec } of made) {
    const kind = container.Container ?? 'RAW';
    const extension = kind === 'RAW' ? RAW[codec.Codec ?? ''] : kind.toLowerCase();
    const path = join(folder, `${place}-${name}.${extension}`);
    await writeFile(path, await account.download(`${place}/film-${name}.${extension}`));
    const picture = (await probe(path)).find((stream) => stream['codec_type'] === 'video');
    assert.ok(picture, name);
    files.set(name, { path, picture });
  }
  return { files, job };
}

const H264 = { RateControlMode: 'CBR', Bitrate: 400_000, QualityTuningLevel: 'SINGLE_PASS' } as const;
const MPEG2 = { RateControlMode: 'VBR', Bitrate: 1_500_000, MaxBitrate: 3_000_000 } as const;

const prores = (CodecProfile: 'APPLE_PRORES_422_PROXY' | 'APPLE_PRORES_422_HQ' | 'APPLE_PRORES_4444', extra = {}) =>
  ({ Codec: 'PRORES', ProresSettings: { CodecProfile, ...extra } }) as const;

describe('a file of each codec', { skip: withoutFfmpeg }, () => {
  const made: readonly (Made & { readonly is: readonly unknown[] })[] = [
    {
      name: 'vp8',
      container: { Container: 'WEBM' },
      codec: { Codec: 'VP8', Vp8Settings: { RateControlMode: 'VBR', Bitrate: 200_000 } },
      is: ['vp8', 'yuv420p'],
    },
    {
      name: 'vp9',
      container: { Container: 'WEBM' },
      codec: { Codec: 'VP9', Vp9Settings: { RateControlMode: 'VBR', Bitrate: 200_000, GopSize: 15 } },
      is: ['vp9', 'yuv420p'],
    },
    {
      name: 'proxy',
      container: { Container: 'MOV' },
      codec: prores('APPLE_PRORES_422_PROXY'),
      is: ['prores', 'yuv422p10le'],
    },
    {
      name: 'hq',
      container: { Container: 'MOV' },
      codec: prores('APPLE_PRORES_422_HQ', { InterlaceMode: 'TOP_FIELD' }),
      is: ['prores', 'yuv422p10le'],
    },
    {
      name: '4444',
      container: { Container: 'MOV' },
      codec: prores('APPLE_PRORES_4444', { ChromaSampling: 'PRESERVE_444_SAMPLING' }),
      is: ['prores', 'yuv444p12le'],
    },
    {
      name: 'mpeg2',
      container: { Container: 'M2TS' },
      codec: { Codec: 'MPEG2', Mpeg2Settings: MPEG2 },
      withSound: true,
      is: ['mpeg2video', 'yuv420p'],
    },
    {
      name: 'mpeg422',
      container: { Container: 'MXF' },
      codec: {
        Codec: 'MPEG2',
        Mpeg2Settings: {
          ...MPEG2,
          CodecProfile: 'PROFILE_422',
          InterlaceMode: 'TOP_FIELD',
          IntraDcPrecision: 'INTRA_DC_PRECISION_10',
        },
      },
      is: ['mpeg2video', 'yuv422p'],
    },
    {
      name: 'stream2',
      container: { Container: 'RAW' },
      codec: { Codec: 'MPEG2', Mpeg2Settings: MPEG2 },
      is: ['mpeg2video', 'yuv420p'],
    },
    {
      name: 'stream4',
      container: { Container: 'RAW' },
      codec: { Codec: 'H_264', H264Settings: H264 },
      is: ['h264', 'yuv420p'],
    },
    {
      name: 'stream5',
      container: { Container: 'RAW' },
      codec: { Codec: 'H_265', H265Settings: H264 },
      is: ['hevc', 'yuv420p'],
    },
    {
      name: 'f4v',
      container: { Container: 'F4V' },
      codec: { Codec: 'H_264', H264Settings: H264 },
      withSound: true,
      is: ['h264', 'yuv420p'],
    },
    {
      name: 'gif',
      container: { Container: 'GIF' },
      codec: {
        Codec: 'GIF',
        GifSettings: { FramerateControl: 'SPECIFIED', FramerateNumerator: 10, FramerateDenominator: 1 },
      },
      is: ['gif', 'bgra'],
    },
    {
      name: 'y4m',
      container: { Container: 'Y4M' },
      codec: { Codec: 'UNCOMPRESSED', UncompressedSettings: { Fourcc: 'I422' } },
      is: ['rawvideo', 'yuv422p'],
    },
    {
      name: 'vc3',
      container: { Container: 'MXF' },
      size: [1280, 720],
      codec: { Codec: 'VC3', Vc3Settings: { Vc3Class: 'CLASS_145_8BIT' } },
      is: ['dnxhd', 'yuv422p'],
    },
    {
      name: 'intra',
      container: { Container: 'MXF' },
      size: [1280, 720],
      codec: {
        Codec: 'AVC_INTRA',
        AvcIntraSettings: {
          AvcIntraClass: 'CLASS_100',
          FramerateControl: 'SPECIFIED',
          FramerateNumerator: 25,
          FramerateDenominator: 1,
        },
      },
      is: ['h264', 'yuv422p10le'],
    },
  ];
  test('has the codec and the form that was asked for, and plays', async () => {
    const { files } = await make('each', made);
    for (const { name, is } of made) {
      const { path, picture } = files.get(name) ?? {};
      assert.deepEqual([picture?.['codec_name'], picture?.['pix_fmt']], is, name);
      const { checksums, complaints } = await play(path ?? '', 'v');
      const count = name === 'gif' ? 10 : name === 'intra' ? 25 : 30;
      assert.deepEqual([checksums.length, complaints], [count, ''], name);
    }
    assert.equal(files.get('hq')?.picture['field_order'], 'tt');
    assert.equal(files.get('hq')?.picture['codec_tag_string'], 'apch');
    assert.equal(files.get('proxy')?.picture['codec_tag_string'], 'apco');
    assert.equal(files.get('4444')?.picture['codec_tag_string'], 'ap4h');
    assert.equal(files.get('mpeg422')?.picture['profile'], '4:2:2');
  });
});
