import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type Av1Settings,
  CreateJobCommand,
  type DashIsoGroupSettings,
  type Output,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { play, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, cmafGroup, h264, jobEnd, jobOf } from '#test/harness/media-job.ts';
import { checkMpd, type MpdReport } from '#test/harness/mpd-checker.ts';

/** DASH groups, and what CMAF groups have of them; every MPD is followed to its last segment. */

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(5);
});

after(() => account.stop());

async function run(groups: OutputGroup[]): Promise<void> {
  const { Job } = await account.media.send(new CreateJobCommand(jobOf(account.role, account.source, groups)));
  const job = await jobEnd(account.media, Job?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

const ContainerSettings = { Container: 'MPD' } as const;

function picture(NameModifier: string, rate?: number): Output {
  const { H264Settings } = h264(300_000);
  const specified = {
    ...H264Settings,
    FramerateControl: 'SPECIFIED',
    FramerateNumerator: rate ?? 30,
    FramerateDenominator: 1,
  } as const;
  const CodecSettings = { Codec: 'H_264', H264Settings: rate === undefined ? H264Settings : specified } as const;
  return { NameModifier, ContainerSettings, VideoDescription: { Width: 160, Height: 90, CodecSettings } };
}

const sound: Output = { NameModifier: '_a', ContainerSettings, AudioDescriptions: [aac] };

function dash(name: string, settings: Partial<DashIsoGroupSettings>, Outputs: Output[]): OutputGroup {
  const plain = { SegmentLength: 2, FragmentLength: 2, SegmentControl: 'SEGMENTED_FILES' } as const;
  const DashIsoGroupSettings = { Destination: `s3://outputs/${name}/film`, ...plain, ...settings };
  return { OutputGroupSettings: { Type: 'DASH_ISO_GROUP_SETTINGS', DashIsoGroupSettings }, Outputs };
}

async function valid(key: string): Promise<MpdReport> {
  const report = await checkMpd((one) => account.download(one), key);
  assert.deepEqual(report.faults, []);
  return report;
}

const textOf = async (key: string): Promise<string> => (await account.download(key)).toString();

describe('an MPD', { skip: withoutFfmpeg }, () => {
  test('has timelines with each representation, or one for a set', async () => {
    const outputs = [picture('_1'), picture('_2'), picture('_3', 15), sound];
    await run([
      dash('basic', { WriteSegmentTimelineInRepresentation: 'ENABLED' }, outputs),
      dash('plain', {}, outputs),
      dash('compact', { DashManifestStyle: 'COMPACT' }, outputs),
      dash('distinct', { DashManifestStyle: 'DISTINCT' }, outputs),
      dash('full', { DashManifestStyle: 'FULL' }, outputs),
    ]);
    const counts = async (name: string) => {
      const { representations } = await valid(`${name}/film.mpd`);
      assert.equal(representations.length, 4);
      const text = await textOf(`${name}/film.mpd`);
      const inSets = text.match(/^ {6}<SegmentTemplate [^>]*[^/]>$/gm)?.length ?? 0;
      return [text.match(/<AdaptationSet /g)?.length, text.match(/<SegmentTimeline>/g)?.length ?? 0, inSets];
    };
    assert.deepEqual(await counts('plain'), [2, 0, 0]);
    assert.deepEqual(await counts('basic'), [2, 4, 0]);
    // The one of another clock keeps its own, and so does the sound.
    assert.deepEqual(await counts('compact'), [2, 3, 1]);
    assert.deepEqual(await counts('distinct'), [3, 3, 2]);
    assert.deepEqual(await counts('full'), [2, 3, 2]);
  });

  test('tells what HbbTV wants, and the channels in the way of Dolby', async () => {
    const Ac3Settings = { Bitrate: 192_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 } as const;
    const CodecSettings = { Codec: 'AC3', Ac3Settings } as const;
    const settings = {
      HbbtvCompliance: 'HBBTV_1_5',
      AudioChannelConfigSchemeIdUri: 'DOLBY_CHANNEL_CONFIGURATION',
    } as const;
    await run([dash('hbbtv', settings, [picture('_1'), { ...sound, AudioDescriptions: [{ CodecSettings }] }])]);
    const { representations } = await valid('hbbtv/film.mpd');
    assert.equal(representations[1]?.codecs, 'ac-3');
    const text = await textOf('hbbtv/film.mpd');
    assert.match(text, /profiles="urn:hbbtv:dash:profile:isoff-live:2012,urn:mpeg:dash:profile:isoff-live:2011"/);
    assert.match(text, /schemeIdUri="tag:dolby\.com,2014:dash:audio_channel_configuration:2011" value="A000"/);
  });
});

test('AV1 is cut into fragments, for both kinds of manifests', { skip: withoutFfmpeg }, async () => {
  const Av1Settings: Av1Settings = {
    RateControlMode: 'QVBR',
    MaxBitrate: 300_000,
    GopSize: 60,
    QvbrSettings: { QvbrQualityLevel: 6 },
    Slices: 2,
    AdaptiveQuantization: 'HIGH',
  };
  const group = cmafGroup({ destination: 's3://outputs/av1/film' });
  const [, , audio] = group.Outputs ?? [];
  const VideoDescription = { Width: 160, Height: 90, CodecSettings: { Codec: 'AV1', Av1Settings } } as const;
  const output = { NameModifier: '_1', ContainerSettings: { Container: 'CMFC' }, VideoDescription } as const;
  await run([{ ...group, Outputs: [output, { ...audio }] }]);
  const { representations } = await valid('av1/film.mpd');
  assert.match(representations[0]?.codecs ?? '', /^av01\.0\.\d\d[MH]\.08$/);
  const { faults } = await validateHls((key) => account.download(key), 'av1/film.m3u8');
  assert.deepEqual(faults, []);
  const files = representations[0]?.files ?? [];
  assert.equal(files.length, 4);
  const film = Buffer.concat(await Promise.all(files.map((file) => account.download(file))));
  assert.equal((await play(film, 'v')).checksums.length, 150);
});
