import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  CreateJobCommand,
  type HlsGroupSettings,
  type HlsSettings,
  type M3u8Settings,
  type Output,
  type OutputGroup,
  type TimecodeConfig,
} from '@aws-sdk/client-mediaconvert';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { type HlsReport, type MediaPlaylist, validateHls } from '#test/harness/hls-validator.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, cmafGroup, h264, jobEnd, jobOf } from '#test/harness/media-job.ts';

/** How HLS groups are cut, laid out and described, with real jobs; every presentation is checked against RFC 8216. */

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(5);
});

after(() => account.stop());

const read = (key: string): Promise<Buffer> => account.download(key);

async function run(groups: OutputGroup[], TimecodeConfig?: TimecodeConfig): Promise<void> {
  const request = jobOf(account.role, account.source, groups);
  const Settings = { ...request.Settings, ...(TimecodeConfig !== undefined && { TimecodeConfig }) };
  const { Job } = await account.media.send(new CreateJobCommand({ ...request, Settings }));
  const job = await jobEnd(account.media, Job?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

async function keysBelow(Prefix: string): Promise<string[]> {
  const listed = await account.s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
  return (listed.Contents ?? []).map(({ Key }) => Key ?? '').sort();
}

async function valid(key: string): Promise<HlsReport> {
  const report = await validateHls(read, key);
  assert.deepEqual(report.faults, []);
  return report;
}

function playlist({ playlists }: HlsReport, name: string): MediaPlaylist {
  const found = playlists.find(({ key }) => key.endsWith(name));
  assert.ok(found, `${name} of ${playlists.map(({ key }) => key).join()}`);
  return found;
}

function hls(name: string, settings: Partial<HlsGroupSettings>, outputs: readonly Output[]): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'HLS_GROUP_SETTINGS',
      HlsGroupSettings: {
        Destination: `s3://outputs/${name}/film`,
        SegmentLength: 2,
        MinSegmentLength: 0,
        ...settings,
      },
    },
    Outputs: [...outputs],
  };
}

function picture(
  NameModifier: string,
  settings: { readonly hls?: HlsSettings; readonly m3u8?: M3u8Settings; readonly isSilent?: boolean } = {},
): Output {
  return {
    NameModifier,
    ContainerSettings: { Container: 'M3U8', ...(settings.m3u8 && { M3u8Settings: settings.m3u8 }) },
    VideoDescription: { Width: 160, Height: 90, CodecSettings: h264(300_000) },
    ...(settings.isSilent !== true && { AudioDescriptions: [aac] }),
    ...(settings.hls && { OutputSettings: { HlsSettings: settings.hls } }),
  };
}

function sound(NameModifier: string, HlsSettings: HlsSettings): Output {
  const ContainerSettings = { Container: 'M3U8' } as const;
  return { NameModifier, ContainerSettings, AudioDescriptions: [aac], OutputSettings: { HlsSettings } };
}

const textOf = async (key: string): Promise<string> => (await account.download(key)).toString();

describe('an HLS group', { skip: withoutFfmpeg }, () => {
  test('keeps its segments in one file, and names the pictures of trick play as ranges of it', async () => {
    const outputs = [picture('_1', { hls: { IFrameOnlyManifest: 'INCLUDE' } })];
    await run([hls('single', { SegmentControl: 'SINGLE_FILE' }, outputs)]);
    assert.deepEqual(await keysBelow('single/'), [
      'single/film.m3u8',
      'single/film_1.m3u8',
      'single/film_1.ts',
      'single/film_1_iframe.m3u8',
    ]);
    const report = await valid('single/film.m3u8');
    const { segments } = playlist(report, 'film_1.m3u8');
    assert.deepEqual(
      segments.map(({ seconds }) => seconds),
      [2, 2, 1],
    );
    const file = await account.download('single/film_1.ts');
    const end = segments.reduce((at, { range }) => {
      assert.equal(range?.offset, at, 'one segment behind the other');
      return at + (range?.length ?? 0);
    }, 0);
    assert.equal(end, file.length);
    assert.equal((await play(file, 'v')).checksums.length, 150);
    const whole = await play(file, 'v');
    const frames = playlist(report, 'film_1_iframe.m3u8').segments;
    assert.ok(frames.length >= 3, `${frames.length}`);
    for (const { range } of frames) {
      assert.ok(range);
      const { checksums } = await play(file.subarray(range.offset, range.offset + range.length), 'v');
      assert.equal(checksums.length, 1);
      assert.ok(whole.checksums.includes(checksums[0] ?? ''), 'the picture is one of the film');
    }
    assert.match(
      await textOf('single/film.m3u8'),
      /#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=\d+,.*URI="film_1_iframe.m3u8"/,
    );
  });

  test('puts pictures of trick play into files of their own, and segments into numbered folders', async () => {
    const outputs = [picture('_1', { hls: { IFrameOnlyManifest: 'INCLUDE_AS_TS' } })];
    const layout = { DirectoryStructure: 'SUBDIRECTORY_PER_STREAM', SegmentsPerSubdirectory: 2 } as const;
    await run([hls('folders', layout, outputs)]);
    const report = await valid('folders/film.m3u8');
    assert.deepEqual(
      playlist(report, 'film_1.m3u8').segments.map(({ key }) => key),
      [
        'folders/film_1/00001/film_1_00001.ts',
        'folders/film_1/00001/film_1_00002.ts',
        'folders/film_1/00002/film_1_00003.ts',
      ],
    );
    for (const { key } of playlist(report, 'film_1_iframe.m3u8').segments) {
      assert.equal((await play(await account.download(key), 'v')).checksums.length, 1, key);
    }
  });

  test('tells dates from the time code that the job starts with', async () => {
    const dates = { ProgramDateTime: 'INCLUDE', ProgramDateTimePeriod: 3 } as const;
    await run([hls('dates', dates, [picture('_1')])], {
      Source: 'SPECIFIEDSTART',
      Start: '10:00:00:15',
      TimestampOffset: '2020-02-29',
    });
    const { segments } = playlist(await valid('dates/film.m3u8'), 'film_1.m3u8');
    assert.deepEqual(
      segments.map(({ date }) => date),
      [Date.UTC(2020, 1, 29, 10, 0, 0, 500), undefined, Date.UTC(2020, 1, 29, 10, 0, 4, 500)],
    );
  });

  test('has main manifests with some of its outputs, beside the one with all', async () => {
    const AdditionalManifests = [{ ManifestNameModifier: '-small', SelectedOutputs: ['_2', '_a'] }];
    const rendition = { AudioGroupId: 'sound', AudioTrackType: 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT' } as const;
    const described = { AudioGroupId: 'sound', AudioTrackType: 'ALTERNATE_AUDIO_NOT_AUTO_SELECT' } as const;
    await run([
      hls('more', { AdditionalManifests }, [
        picture('_1', { hls: { AudioRenditionSets: 'sound' }, isSilent: true }),
        picture('_2', { hls: { AudioRenditionSets: 'sound' }, isSilent: true }),
        sound('_a', rendition),
        sound('_d', { ...described, DescriptiveVideoServiceFlag: 'FLAG' }),
      ]),
      {
        ...cmafGroup({ destination: 's3://outputs/more-cmaf/film' }),
        OutputGroupSettings: {
          Type: 'CMAF_GROUP_SETTINGS',
          CmafGroupSettings: {
            ...cmafGroup({ destination: 's3://outputs/more-cmaf/film' }).OutputGroupSettings?.CmafGroupSettings,
            AdditionalManifests: [{ ManifestNameModifier: '-small', SelectedOutputs: ['_90', '_sound'] }],
          },
        },
      },
    ]);
    const all = await valid('more/film.m3u8');
    const some = await valid('more/film-small.m3u8');
    const names = ({ playlists }: HlsReport) => playlists.map(({ key }) => key.slice(key.indexOf('film'))).sort();
    assert.deepEqual(names(all), ['film_1.m3u8', 'film_2.m3u8', 'film_a.m3u8', 'film_d.m3u8']);
    assert.deepEqual(names(some), ['film_2.m3u8', 'film_a.m3u8']);
    const main = await textOf('more/film.m3u8');
    assert.equal(main.match(/CHARACTERISTICS="public\.accessibility\.describes-video"/g)?.length, 1);
    assert.match(main, /DEFAULT=NO,AUTOSELECT=NO,CHARACTERISTICS/);
    assert.deepEqual(names(await valid('more-cmaf/film-small.m3u8')), ['film_90.m3u8', 'film_sound.m3u8']);
    const mpd = await textOf('more-cmaf/film-small.mpd');
    assert.equal(mpd.match(/<Representation /g)?.length, 2);
  });

  test('packs sound alone without a container, each segment with its time in front', async () => {
    const rendition = { AudioGroupId: 'sound', AudioTrackType: 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT' } as const;
    await run([
      hls('packed', {}, [
        picture('_1', { hls: { AudioRenditionSets: 'sound' }, isSilent: true }),
        sound('_a', rendition),
      ]),
      hls('untimed', { AudioOnlyHeader: 'EXCLUDE' }, [picture('_1'), sound('_a', rendition)]),
    ]);
    const { segments } = playlist(await valid('packed/film.m3u8'), 'film_a.m3u8');
    assert.deepEqual(
      segments.map(({ key }) => key),
      ['packed/film_a_00001.aac', 'packed/film_a_00002.aac', 'packed/film_a_00003.aac'],
    );
    const parts = await Promise.all(segments.map(({ key }) => account.download(key)));
    const times = parts.map((part) => {
      assert.equal(part.toString('latin1', 0, 3), 'ID3');
      const owner = 'com.apple.streaming.transportStreamTimestamp\0';
      const at = part.indexOf(owner) + owner.length;
      return Number(part.readBigUInt64BE(at)) / 90_000;
    });
    times.forEach((time, index) => assert.ok(Math.abs(time - 2 - 2 * index) < 0.03, `${time}`));
    const played = await play(Buffer.concat(parts), 'a');
    assert.ok(played.checksums.length >= 234 && played.complaints === '', played.complaints);
    const plain = await account.download('untimed/film_a_00001.aac');
    assert.equal(plain.readUInt16BE(0), 0xfff1);
  });

  test('moves clocks as it is told, and repeats its tables', async () => {
    const group = hls('clocks', { TimestampDeltaMilliseconds: -250 }, [
      picture('_1', {
        m3u8: {
          PtsOffset: 3500,
          PtsOffsetMode: 'MILLISECONDS',
          AudioPtsOffsetDelta: 1000,
          PatInterval: 100,
          PmtInterval: 100,
        },
      }),
    ]);
    const seldom = { PcrControl: 'CONFIGURED_PCR_PERIOD', MaxPcrInterval: 200 } as const;
    await run([group, hls('seldom', {}, [picture('_1', { m3u8: seldom })])]);
    await valid('clocks/film.m3u8');
    await valid('seldom/film.m3u8');
    const every = clocksOf(await account.download('clocks/film_1_00001.ts'));
    const some = clocksOf(await account.download('seldom/film_1_00001.ts'));
    assert.ok(every.length >= 60 && some.length <= 16, `${every.length} and ${some.length} clock references`);
    some.slice(1).forEach((clock, index) => assert.ok(clock - (some[index] ?? 0) <= 0.2, `${index}`));
    const segment = await account.download('clocks/film_1_00001.ts');
    const [video, audio] = await probe(segment);
    assert.ok(Math.abs(Number(video?.start_time) - 3.25) < 0.2, String(video?.start_time));
    assert.ok(Math.abs(Number(audio?.start_time) - Number(video?.start_time) - 1) < 0.15, String(audio?.start_time));
    let tables = 0;
    for (let at = 0; at < segment.length; at += 188) if ((segment.readUInt16BE(at + 1) & 0x1fff) === 0) tables += 1;
    assert.ok(tables >= 15, `${tables} tables in two seconds`);
  });
});

/** The clock references of a transport stream, in seconds. */
function clocksOf(stream: Buffer): number[] {
  const clocks: number[] = [];
  for (let at = 0; at < stream.length; at += 188) {
    const [flags = 0, length = 0, marks = 0] = stream.subarray(at + 3, at + 6);
    if ((flags & 0x20) === 0 || length < 7 || (marks & 0x10) === 0) continue;
    clocks.push((stream.readUInt32BE(at + 6) * 2 + ((stream[at + 10] ?? 0) >> 7)) / 90_000);
  }
  return clocks;
}

test('a CMAF group names the pictures of trick play as ranges', { skip: withoutFfmpeg }, async () => {
  const group = cmafGroup({ destination: 's3://outputs/frames/film' });
  const Outputs = group.Outputs?.map((output, index) =>
    index > 0
      ? output
      : {
          ...output,
          ContainerSettings: { Container: 'CMFC', CmfcSettings: { IFrameOnlyManifest: 'INCLUDE' } } as const,
        },
  );
  const single = cmafGroup({ destination: 's3://outputs/frames-single/film' });
  const CmafGroupSettings = {
    ...single.OutputGroupSettings?.CmafGroupSettings,
    SegmentControl: 'SINGLE_FILE',
    FragmentLength: 1,
  } as const;
  const settings = { Type: 'CMAF_GROUP_SETTINGS', CmafGroupSettings } as const;
  await run([
    { ...group, Outputs: Outputs ?? [] },
    { OutputGroupSettings: settings, Outputs: Outputs ?? [] },
  ]);
  for (const [folder, init] of [
    ['frames', 'film_180init.cmfv'],
    ['frames-single', 'film_180.cmfv'],
  ]) {
    const report = await valid(`${folder}/film.m3u8`);
    const { segments } = playlist(report, 'film_180_iframe.m3u8');
    assert.ok(segments.length >= 3);
    const file = await account.download(`${folder}/${init}`);
    const head = file.subarray(0, file.readUInt32BE(0) + file.readUInt32BE(file.readUInt32BE(0)));
    for (const { key, range } of segments) {
      assert.ok(range);
      const bytes = (await account.download(key)).subarray(range.offset, range.offset + range.length);
      const args = ['-fflags', '+nobuffer', '-frames:v', '1'];
      assert.equal((await firstPicture(Buffer.concat([head, bytes]), args)).length, 1, `${folder} ${range.offset}`);
    }
  }
});

/** The first picture of a fragment that is cut off behind it. */
async function firstPicture(film: Buffer, args: readonly string[]): Promise<readonly string[]> {
  const { spawnSync } = await import('node:child_process');
  const { stdout } = spawnSync('ffmpeg', ['-v', 'quiet', '-i', 'pipe:0', ...args, '-f', 'framemd5', 'pipe:1'], {
    input: film,
  });
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}
