import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerSettings,
  CreateJobCommand,
  type H264Settings,
  type H265Settings,
  type M2tsSettings,
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
      codec: { Codec: 'MPEG2', Mpeg2Settings: { ...MPEG2, GopSize: 12, GopSizeUnits: 'FRAMES' } },
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
    const pictures = framesOf(files.get('stream2')?.path ?? '', 'pict_type');
    const keys = pictures.flatMap(({ pict_type: type }, index) => (type === 'I' ? [index] : []));
    assert.deepEqual(keys, [0, 12, 24], 'closed GOPs are as long as was said');
  });
});

/** What ffprobe says of each picture, of these members. */
function framesOf(path: string, ...members: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', `frame=${members.join(',')}`, '-of', 'json'];
  const { stdout, status, stderr } = spawnSync('ffprobe', [...args, path], { maxBuffer: 16 * 1024 * 1024 });
  assert.equal(status, 0, stderr.toString());
  return (JSON.parse(stdout.toString()) as { frames: Readonly<Record<string, unknown>>[] }).frames;
}

describe('settings of H.264 and H.265', { skip: withoutFfmpeg }, () => {
  const h264 = (extra: H264Settings): VideoCodecSettings => ({ Codec: 'H_264', H264Settings: { ...H264, ...extra } });
  const h265 = (extra: H265Settings): VideoCodecSettings => ({ Codec: 'H_265', H265Settings: { ...H264, ...extra } });
  const mp4 = { Container: 'MP4' } as const;
  const rate = (num: number, den: number) =>
    ({ FramerateControl: 'SPECIFIED', FramerateNumerator: num, FramerateDenominator: den }) as const;
  const made: readonly Made[] = [
    { name: 'deep', container: mp4, codec: h264({ CodecProfile: 'HIGH_10BIT' }) },
    { name: '422', container: mp4, codec: h264({ CodecProfile: 'HIGH_422' }) },
    { name: 'deep422', container: mp4, codec: h264({ CodecProfile: 'HIGH_422_10BIT' }) },
    {
      name: 'wide5',
      container: mp4,
      codec: h265({ CodecProfile: 'MAIN_422_10BIT_HIGH' }),
    },
    {
      name: 'layers',
      container: mp4,
      codec: h265({ TemporalIds: 'ENABLED', AlternateTransferFunctionSei: 'ENABLED' }),
    },
    { name: 'avc3', container: mp4, codec: h264({ WriteMp4PackagingType: 'AVC3' }) },
    {
      name: 'fields',
      container: mp4,
      size: [160, 96],
      codec: h264({ InterlaceMode: 'BOTTOM_FIELD', CodecProfile: 'HIGH' }),
    },
    {
      name: 'optimised',
      container: mp4,
      size: [160, 96],
      codec: h264({ InterlaceMode: 'TOP_FIELD', ScanTypeConversionMode: 'INTERLACED_OPTIMIZE', ...rate(15, 1) }),
    },
    {
      name: 'film',
      container: mp4,
      size: [160, 96],
      codec: h264({ InterlaceMode: 'TOP_FIELD', Telecine: 'HARD', ...rate(30_000, 1001) }),
    },
    {
      name: 'gops',
      container: mp4,
      codec: h264({
        GopSize: 5,
        GopSizeUnits: 'FRAMES',
        GopClosedCadence: 2,
        NumberBFramesBetweenReferenceFrames: 2,
        DynamicSubGop: 'STATIC',
        SceneChangeDetect: 'DISABLED',
      }),
    },
    {
      name: 'smooth',
      container: mp4,
      codec: h264({
        BandwidthReductionFilter: { Strength: 'HIGH', Sharpening: 'LOW' },
        FlickerAdaptiveQuantization: 'ENABLED',
        SceneChangeDetect: 'TRANSITION_DETECTION',
      }),
    },
  ];
  let files: Awaited<ReturnType<typeof make>>['files'];

  before(async () => {
    ({ files } = await make('settings', made));
  });

  const facts = (name: string, ...members: readonly string[]) => {
    const { picture } = files.get(name) ?? {};
    return members.map((member) => picture?.[member]);
  };

  test('all play', async () => {
    for (const [name, { path }] of files) {
      const { checksums, complaints } = await play(path, 'v');
      assert.deepEqual([checksums.length, complaints], [name === 'optimised' ? 15 : 30, ''], name);
    }
  });

  test('profiles have their depth and their chroma', () => {
    assert.deepEqual(facts('deep', 'profile', 'pix_fmt'), ['High 10', 'yuv420p10le']);
    assert.deepEqual(facts('422', 'profile', 'pix_fmt'), ['High 4:2:2', 'yuv422p']);
    assert.deepEqual(facts('deep422', 'profile', 'pix_fmt'), ['High 4:2:2', 'yuv422p10le']);
    assert.deepEqual(facts('wide5', 'profile', 'pix_fmt'), ['Rext', 'yuv422p10le']);
  });

  test('temporal layers tell which pictures may be left out', () => {
    const path = files.get('layers')?.path ?? '';
    const layers = new Set(unitsOf(path, 'hevc').map((unit) => (unit[1] ?? 0) & 7));
    assert.ok(layers.size > 1, [...layers].join());
  });

  test('AVC3 has the parameter sets in the stream, and its name', () => {
    assert.deepEqual(facts('avc3', 'codec_tag_string'), ['avc3']);
  });

  test('interlaced output has fields in the order that was asked for, and telecine makes them of film', () => {
    assert.deepEqual(facts('fields', 'field_order'), ['bb']);
    for (const [name, first] of [
      ['fields', 0],
      ['optimised', 1],
      ['film', 1],
    ] as const) {
      const frames = framesOf(files.get(name)?.path ?? '', 'interlaced_frame', 'top_field_first');
      const marks = new Set(
        frames.map((frame) => `${String(frame['interlaced_frame'])}${String(frame['top_field_first'])}`),
      );
      assert.deepEqual([...marks], [`1${first}`], name);
    }
  });

  test('one GOP of so many is closed', () => {
    const path = files.get('gops')?.path ?? '';
    const keys = framesOf(path, 'pict_type', 'key_frame').flatMap((frame, index) =>
      frame['pict_type'] === 'I' ? [index] : [],
    );
    assert.deepEqual(keys, [0, 5, 10, 15, 20, 25]);
    const count = unitsOf(path, 'h264').filter((unit) => ((unit[0] ?? 0) & 0x1f) === 5).length;
    assert.equal(count, 3);
  });
});

describe('containers', { skip: withoutFfmpeg }, () => {
  const codec = { Codec: 'H_264', H264Settings: H264 } as const;
  const wav = {
    CodecSettings: { Codec: 'WAV', WavSettings: { BitDepth: 16, Channels: 2, SampleRate: 48_000 } },
  } as const;

  test('a transport stream has the numbers that were asked for, and one rate where it is filled', async () => {
    const numbers = {
      PmtPid: 100,
      VideoPid: 101,
      AudioPids: [102],
      ProgramNumber: 7,
      TransportStreamId: 9,
      RateMode: 'CBR',
      Bitrate: 1_500_000,
      PatInterval: 100,
      PmtInterval: 100,
      PcrControl: 'PCR_EVERY_PES_PACKET',
    } satisfies M2tsSettings;
    const { files } = await make('ts', [
      { name: 'cbr', container: { Container: 'M2TS', M2tsSettings: numbers }, codec, withSound: true },
      { name: 'vbr', container: { Container: 'M2TS' }, codec, withSound: true },
    ]);
    const path = files.get('cbr')?.path ?? '';
    const streams = await probe(path);
    assert.deepEqual(
      streams.map((stream) => stream['id']),
      ['0x65', '0x66'],
    );
    const { stdout } = spawnSync('ffprobe', ['-v', 'error', '-show_programs', '-of', 'json', path]);
    const { programs } = JSON.parse(stdout.toString()) as { programs: { program_id: number; pmt_pid: number }[] };
    assert.deepEqual(
      programs.map(({ program_id: id, pmt_pid: pid }) => [id, pid]),
      [[7, 100]],
    );
    const bytes = await readFile(path);
    const nulls = packetsOf(bytes).filter((pid) => pid === 0x1fff).length;
    assert.ok(nulls > 100, `${nulls} null packets of ${bytes.length / 188}`);
    const rate = bytes.length * 8;
    assert.ok(rate > 1_350_000 && rate < 1_650_000, `${rate} bits of a second`);
    const plain = packetsOf(await readFile(files.get('vbr')?.path ?? ''));
    assert.deepEqual(
      [plain.includes(0x1fff), plain.includes(480), plain.includes(481), plain.includes(482)],
      [false, true, true, true],
    );
  });

  test('an MXF file has its sound beside the picture', async () => {
    const group = mp4Group({ destination: 's3://outputs/mxf/film' });
    const made: readonly Made[] = [
      { name: 'op1a', container: { Container: 'MXF', MxfSettings: { Profile: 'OP1A' } }, codec },
    ];
    await run({ ...group, Outputs: made.map((one) => ({ ...outputOf(one), AudioDescriptions: [wav] })) });
    for (const { name } of made) {
      const path = join(folder, `${name}.mxf`);
      await writeFile(path, await account.download(`mxf/film-${name}.mxf`));
      const [picture, sound] = await probe(path);
      assert.equal(picture?.['codec_name'], 'h264');
      assert.equal(sound?.['codec_name'], 'pcm_s16le');
      const { checksums, complaints } = await play(path, 'v');
      assert.ok(checksums.length >= 29, `${name}: ${checksums.length}, ${complaints}`);
    }
  });

  test('a codec that a container does not take is refused', async () => {
    const group = mp4Group({ destination: 's3://outputs/refused' });
    const prores = outputOf({
      name: 'x',
      container: { Container: 'WEBM' },
      codec: { Codec: 'PRORES', ProresSettings: {} },
    });
    const job = jobOf(account.role, account.source, [{ ...group, Outputs: [prores] }]);
    await assert.rejects(
      account.media.send(new CreateJobCommand(job)),
      /codecSettings\/codec: PRORES is not supported in container WEBM; VP8, VP9 are/,
    );
  });
});

/** The first bytes of each NAL unit. */
function unitsOf(path: string, codec: 'h264' | 'hevc'): Buffer[] {
  const args = ['-v', 'error', '-i', path, '-c', 'copy', '-bsf:v', `${codec}_mp4toannexb`, '-f', codec, 'pipe:1'];
  const { stdout } = spawnSync('ffmpeg', args);
  const units: Buffer[] = [];
  for (let at = 0; at + 5 < stdout.length; at++) {
    if (stdout.readUIntBE(at, 3) === 1) units.push(stdout.subarray(at + 3, at + 5));
  }
  return units;
}

/** The PIDs of a transport stream's packets. */
function packetsOf(bytes: Buffer): number[] {
  const pids: number[] = [];
  for (let at = 0; at + 188 <= bytes.length; at += 188) pids.push(bytes.readUInt16BE(at + 1) & 0x1fff);
  return pids;
}
