import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type CaptionDescription,
  type CaptionSelector,
  CreateJobCommand,
  type Input,
  MediaConvertClient,
  type Output,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { parseTtml } from '#media/captions/ttml-parser.ts';
import { parseWebVtt } from '#media/captions/webvtt-parser.ts';
import { plainLines } from '#media/captions/cue.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { cmafGroup, dashGroup, hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '#test/harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';

let platform: TestPlatform;
let s3: S3Client;
let mediaconvert: MediaConvertClient;
let role: string;
let folder: string;

const SRT =
  '1\n00:00:00,500 --> 00:00:01,500\n<i>First</i> line\nsecond line\n\n2\n00:00:02,500 --> 00:00:03,500\nLater & <b>on</b>\n';

async function store(Key: string, Body: string | Buffer): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body }));
}

async function read(Key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function listed(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
  return Contents.flatMap(({ Key }) => Key ?? []);
}

function file(
  name: string,
  SourceType: 'SRT' | 'SCC' | 'TTML' | 'WEBVTT' | 'SMI',
  extra: object = {},
): CaptionSelector {
  return { SourceSettings: { SourceType, FileSourceSettings: { SourceFile: `s3://source/${name}`, ...extra } } };
}

const EMBEDDED: CaptionSelector = {
  SourceSettings: { SourceType: 'EMBEDDED', EmbeddedSourceSettings: { Source608ChannelNumber: 1 } },
};

function inputOf(name: string, selector: CaptionSelector, extra: Partial<Input> = {}): Input {
  const AudioSelectors = { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' as const } };
  return {
    FileInput: `s3://source/${name}`,
    AudioSelectors,
    CaptionSelectors: { 'Captions Selector 1': selector },
    TimecodeSource: 'ZEROBASED',
    ...extra,
  };
}

function caption(
  settings: CaptionDescription['DestinationSettings'],
  extra: Partial<CaptionDescription> = {},
): CaptionDescription {
  return {
    CaptionSelectorName: 'Captions Selector 1',
    LanguageCode: 'ENG',
    LanguageDescription: 'English',
    DestinationSettings: settings,
    ...extra,
  };
}

function textOutput(
  Container: 'RAW' | 'M3U8' | 'MPD' | 'CMFC',
  NameModifier: string,
  description: CaptionDescription,
): Output {
  return { NameModifier, ContainerSettings: { Container }, CaptionDescriptions: [description] };
}

async function run(inputs: Input[], groups: OutputGroup[]) {
  const { Settings, ...request } = jobOf(role, '', groups);
  const { Job: job } = await mediaconvert.send(
    new CreateJobCommand({ ...request, Settings: { ...Settings, Inputs: inputs } }),
  );
  return jobEnd(mediaconvert, job?.Id);
}

async function complete(inputs: Input[], groups: OutputGroup[]): Promise<void> {
  const job = await run(inputs, groups);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

/** A film beside which captions are written, of which nobody looks. */
function film(name: string, ...captions: CaptionDescription[]): OutputGroup {
  const group = mp4Group({ destination: `s3://outputs/${name}` });
  return { ...group, Outputs: group.Outputs?.map((output) => ({ ...output, CaptionDescriptions: captions })) ?? [] };
}

function withText(group: OutputGroup, ...texts: Output[]): OutputGroup {
  return { ...group, Outputs: [...(group.Outputs ?? []), ...texts] };
}

const texts = (cues: ReturnType<typeof parseWebVtt>) =>
  cues.map((cue) => ({ from: cue.startMs, to: cue.endMs, text: plainLines(cue).join('|') }));

const EXPECTED = [
  { from: 500, to: 1500, text: 'First line|second line' },
  { from: 2500, to: 3500, text: 'Later & on' },
];

describe('captions', { skip: withoutFfmpeg }, () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-captions-'));
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    s3 = new S3Client(config);
    mediaconvert = new MediaConvertClient(config);
    for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
    role = await makeMediaRole(config, 'Media', [OBJECTS]);
    await store('film.mp4', await makeTestVideo({ seconds: 4, width: 320, height: 180, framesPerSecond: 25 }));
    await store('a.srt', SRT);
  });
  after(async () => {
    for (const client of [s3, mediaconvert]) client?.destroy();
    await platform?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  test('of an SRT file become files of every other kind', async () => {
    const kinds = [
      ['SRT', 'srt'],
      ['WEBVTT', 'vtt'],
      ['TTML', 'ttml'],
      ['IMSC', 'xml'],
      ['SCC', 'scc'],
      ['SMI', 'smi'],
    ] as const;
    const outputs = kinds.map(([DestinationType]) =>
      textOutput('RAW', `_${DestinationType}`, caption({ DestinationType })),
    );
    await complete([inputOf('film.mp4', file('a.srt', 'SRT'))], [withText(film('files'), ...outputs)]);
    const text = async (kind: string, extension: string): Promise<string> =>
      (await read(`files_${kind}.${extension}`)).toString();
    assert.deepEqual(texts(parseWebVtt(await text('WEBVTT', 'vtt'))), EXPECTED);
    assert.deepEqual(texts(parseTtml(await text('TTML', 'ttml'))), EXPECTED);
    assert.deepEqual(texts(parseTtml(await text('IMSC', 'xml'))), EXPECTED);
    assert.match(await text('SRT', 'srt'), /^1\n00:00:00,500 --> 00:00:01,500\nFirst line\nsecond line\n/);
    assert.match(await text('SCC', 'scc'), /^Scenarist_SCC V1\.0\n\n00:00:00:\d\d\t/);
    assert.match(await text('SMI', 'smi'), /<SYNC Start=2500><P Class=CAPTIONS>Later &amp; <b>on<\/b>/);
    // Another's eyes.
    for (const name of ['files_SRT.srt', 'files_WEBVTT.vtt', 'files_SCC.scc', 'files_SMI.smi']) {
      const path = join(folder, name);
      await writeFile(path, await read(name));
      const { stdout } = spawnSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'srt', '-']);
      assert.match(stdout.toString(), /First(?:<\/i>)? line/, name);
      assert.match(stdout.toString(), /Later &(?:amp;)? /, name);
    }
  });

  test('are segments in HLS, by the pictures or large, that name their language', async () => {
    const hls = hlsLadder({ destination: 's3://outputs/hls/film' });
    const settings = hls.OutputGroupSettings ?? {};
    const matched: OutputGroup = {
      ...hls,
      OutputGroupSettings: {
        ...settings,
        HlsGroupSettings: {
          ...settings.HlsGroupSettings,
          MinSegmentLength: 0,
          CaptionSegmentLengthControl: 'MATCH_VIDEO',
        },
      },
    };
    const accessible = caption({
      DestinationType: 'WEBVTT',
      WebvttDestinationSettings: { StylePassthrough: 'ENABLED', Accessibility: 'ENABLED' },
    });
    const other = caption({ DestinationType: 'WEBVTT' }, { LanguageCode: 'FRA', LanguageDescription: 'Français' });
    await complete(
      [inputOf('film.mp4', file('a.srt', 'SRT'))],
      [withText(matched, textOutput('M3U8', '_en', accessible), textOutput('M3U8', '_fr', other))],
    );
    const main = (await read('hls/film.m3u8')).toString();
    assert.match(
      main,
      /#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,LANGUAGE="eng",CHARACTERISTICS="public\.accessibility\.transcribes-spoken-dialog,public\.accessibility\.describes-music-and-sound",URI="film_en\.m3u8"/,
    );
    assert.match(main, /NAME="Français",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,LANGUAGE="fra",URI="film_fr\.m3u8"/);
    assert.equal(main.match(/#EXT-X-STREAM-INF:.*SUBTITLES="subs"/g)?.length, 2);
    const child = (await read('hls/film_en.m3u8')).toString();
    assert.deepEqual(child.match(/^film_en_\d{5}\.vtt$/gm), ['film_en_00001.vtt', 'film_en_00002.vtt']);
    const second = (await read('hls/film_en_00002.vtt')).toString();
    assert.match(second, /^WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00\.000,MPEGTS:180000\n/);
    assert.deepEqual(texts(parseWebVtt(second)), EXPECTED.slice(1));
    assert.match((await read('hls/film_en_00001.vtt')).toString(), /<i>First<\/i> line/);
    assert.match((await read('hls/film_fr_00001.vtt')).toString(), /\nFirst line/);
    // The pictures begin at the time that the captions are counted from.
    const path = join(folder, 'first.ts');
    await writeFile(path, await read('hls/film_180_00001.ts'));
    const probe = spawnSync('ffprobe', [
      '-v',
      'error',
      '-select_streams',
      'v',
      '-show_entries',
      'stream=start_time',
      '-of',
      'csv=p=0',
      path,
    ]);
    assert.equal(Number(probe.stdout.toString().split('\n')[0]), 2);
  });

  test('are tracks of fragmented MP4 in CMAF and DASH', async () => {
    const vtt = caption({ DestinationType: 'WEBVTT', WebvttDestinationSettings: { Accessibility: 'ENABLED' } });
    const cmaf = withText(
      cmafGroup({ destination: 's3://outputs/cmaf/film' }),
      textOutput('CMFC', '_vtt', vtt),
      textOutput('CMFC', '_imsc', caption({ DestinationType: 'IMSC' })),
    );
    const raw = textOutput('MPD', '_raw', caption({ DestinationType: 'TTML' }));
    const hinted = dashGroup({ destination: 's3://outputs/dash/film' });
    const [picture, ...rest] = hinted.Outputs ?? [];
    const shown: Output = {
      ...picture,
      ContainerSettings: { Container: 'MPD', MpdSettings: { AccessibilityCaptionHints: 'INCLUDE' } },
      CaptionDescriptions: [caption({ DestinationType: 'EMBEDDED' })],
    };
    const dash = withText({ ...hinted, Outputs: [shown, ...rest] }, textOutput('MPD', '_vtt', vtt), {
      ...raw,
      ContainerSettings: { Container: 'MPD', MpdSettings: { CaptionContainerType: 'RAW' } },
    });
    await complete([inputOf('film.mp4', file('a.srt', 'SRT'))], [cmaf, dash]);
    const mpd = (await read('cmaf/film.mpd')).toString();
    assert.match(mpd, /<AdaptationSet id="\d" contentType="text" mimeType="application\/mp4" lang="eng"/);
    assert.match(mpd, /<Accessibility schemeIdUri="urn:mpeg:dash:role:2011" value="caption"\/>/);
    assert.match(mpd, /codecs="wvtt"/);
    assert.match(mpd, /codecs="stpp\.ttml\.im1t"/);
    assert.match((await read('cmaf/film.m3u8')).toString(), /TYPE=SUBTITLES,GROUP-ID="subs",.*URI="film_vtt\.m3u8"/);
    const names = await listed('cmaf/film_vtt');
    assert.deepEqual(names, [
      'cmaf/film_vtt.m3u8',
      'cmaf/film_vtt_000000001.cmft',
      'cmaf/film_vtt_000000002.cmft',
      'cmaf/film_vttinit.cmft',
    ]);
    const path = join(folder, 'captions.mp4');
    await writeFile(path, Buffer.concat(await Promise.all(['cmaf/film_vttinit.cmft', ...names.slice(1, 3)].map(read))));
    const probe = spawnSync('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name,codec_tag_string:packet=pts_time,duration_time',
      '-of',
      'compact',
      path,
    ]);
    assert.match(probe.stdout.toString(), /codec_tag_string=wvtt/);
    assert.match(probe.stdout.toString(), /pts_time=2\.500000\|[^]*pts_time=3\.500000\|/);
    const imsc = (await read('cmaf/film_imsc_000000002.cmft')).toString();
    assert.match(imsc, /begin="00:00:02\.500" end="00:00:03\.500".*Later &amp; /);
    const dashMpd = (await read('dash/film.mpd')).toString();
    assert.match(dashMpd, /<Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC1=eng"\/>/);
    assert.match(dashMpd, /mimeType="application\/ttml\+xml"[^]*<BaseURL>film_raw\.ttml<\/BaseURL>/);
    assert.match(dashMpd, /codecs="wvtt">\n\s*<BaseURL>film_vtt\.mp4<\/BaseURL>\n\s*<SegmentBase/);
    assert.deepEqual(texts(parseTtml((await read('dash/film_raw.ttml')).toString())), EXPECTED);
    await writeFile(path, await read('dash/film_vtt.mp4'));
    const whole = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path]);
    assert.deepEqual(whole.stdout.toString().trim().split(/\s+/).map(Number), [0, 0.5, 1.5, 2, 2.5, 3.5]);
  });

  test('are drawn on the picture as long as they last, where and how the settings say', async () => {
    const burnt = caption({
      DestinationType: 'BURN_IN',
      BurninDestinationSettings: {
        FontColor: 'YELLOW',
        BackgroundColor: 'BLACK',
        BackgroundOpacity: 255,
        FontSize: 24,
      },
    });
    const high = caption({
      DestinationType: 'BURN_IN',
      BurninDestinationSettings: {
        FontColor: 'HEX',
        HexFontColor: 'ff0000',
        OutlineSize: 0,
        XPosition: 10,
        YPosition: 10,
        FontSize: 30,
      },
    });
    await store('black.mp4', await blackFilm());
    await complete([inputOf('black.mp4', file('a.srt', 'SRT'))], [film('burnt', burnt), film('high', high)]);
    const low = await watch('burnt-180p.mp4');
    const shown = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
    assert.deepEqual(
      low.frames.flatMap(({ isLit }, index) => (isLit ? [index] : [])),
      [...shown(13, 38), ...shown(63, 88)],
    );
    const lit = low.frames[20];
    assert.ok(lit !== undefined && lit.top > 90 && lit.left > 40 && lit.right < 280, JSON.stringify(lit));
    assert.deepEqual(lit.color, 'yellow');
    const top = (await watch('high-180p.mp4')).frames[20];
    assert.ok(top !== undefined && top.top >= 8 && top.top < 30 && top.left >= 8 && top.left < 20, JSON.stringify(top));
    assert.equal(top.color, 'red');
  });

  test('go with the parts of their inputs that are kept', async () => {
    const clips = [{ StartTimecode: '00:00:01:00', EndTimecode: '00:00:02:24' }];
    await store('b.srt', '1\n00:00:00,200 --> 00:00:09,000\nOther\n');
    await complete(
      [
        inputOf('film.mp4', file('a.srt', 'SRT'), { InputClippings: clips }),
        inputOf('film.mp4', file('b.srt', 'SRT', { TimeDelta: 300, TimeDeltaUnits: 'MILLISECONDS' })),
      ],
      [withText(film('joined'), textOutput('RAW', '_text', caption({ DestinationType: 'WEBVTT' })))],
    );
    const cues = texts(parseWebVtt((await read('joined_text.vtt')).toString()));
    assert.deepEqual(cues.slice(0, 2), [
      { from: 0, to: 500, text: 'First line|second line' },
      { from: 1500, to: 2000, text: 'Later & on' },
    ]);
    assert.equal(cues[2]?.from, 2500);
    assert.ok(Math.abs((cues[2]?.to ?? 0) - 6000) < 100, 'the last one ends with its input');
  });

  test('are put into the picture as CEA-608, and read out of it again', async () => {
    const CaptionDescriptions = [caption({ DestinationType: 'EMBEDDED' })];
    const h265 = { RateControlMode: 'QVBR', MaxBitrate: 800_000, QualityTuningLevel: 'SINGLE_PASS' } as const;
    const others: Output[] = [
      {
        NameModifier: '_265',
        ContainerSettings: { Container: 'MP4' },
        VideoDescription: { CodecSettings: { Codec: 'H_265', H265Settings: h265 } },
        CaptionDescriptions,
      },
      {
        NameModifier: '_mpeg',
        Extension: 'ts',
        ContainerSettings: { Container: 'M2TS' },
        VideoDescription: {
          CodecSettings: { Codec: 'MPEG2', Mpeg2Settings: { RateControlMode: 'CBR', Bitrate: 1_000_000 } },
        },
        CaptionDescriptions,
      },
    ];
    const groups = [withText(film('carried', ...CaptionDescriptions), ...others)];
    await complete([inputOf('film.mp4', file('a.srt', 'SRT'))], groups);
    const carried = await read('carried-180p.mp4');
    assert.ok(await hasClosedCaptions(carried));
    assert.ok(await hasClosedCaptions(await read('carried_265.mp4')));
    assert.ok(await hasClosedCaptions(await read('carried_mpeg.ts')));
    await store('carried.mp4', carried);
    const text = textOutput('RAW', '_text', caption({ DestinationType: 'WEBVTT' }));
    const hls = hlsLadder({ destination: 's3://outputs/again/film' });
    const settings = hls.OutputGroupSettings ?? {};
    const HlsGroupSettings = {
      ...settings.HlsGroupSettings,
      CaptionLanguageSetting: 'INSERT' as const,
      CaptionLanguageMappings: [{ CaptionChannel: 1, LanguageCode: 'ENG' as const, LanguageDescription: 'English' }],
    };
    const copied: OutputGroup = {
      OutputGroupSettings: { ...settings, HlsGroupSettings },
      Outputs:
        hls.Outputs?.map((output) => ({
          ...output,
          CaptionDescriptions: [caption({ DestinationType: 'EMBEDDED' })],
        })) ?? [],
    };
    const burnt = film('burnt608', caption({ DestinationType: 'BURN_IN' }));
    await complete([inputOf('carried.mp4', EMBEDDED)], [withText(film('plain'), text), copied, burnt]);
    const cues = texts(parseWebVtt((await read('plain_text.vtt')).toString()));
    assert.deepEqual(
      cues.map((cue) => cue.text),
      ['First line|second line', 'Later & on'],
    );
    cues.forEach((cue, index) => {
      // The first one comes late, as it had to be loaded first.
      const expected = EXPECTED[index]?.from ?? 0;
      assert.ok(cue.from >= expected - 40 && cue.from < expected + 1200, `${cue.from} for ${expected}`);
    });
    assert.match(
      (await read('again/film.m3u8')).toString(),
      /TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",LANGUAGE="eng",DEFAULT=YES,AUTOSELECT=YES,INSTREAM-ID="CC1"/,
    );
    assert.match((await read('again/film.m3u8')).toString(), /CLOSED-CAPTIONS="cc"/);
    // Taken over byte by byte, and left out where nobody asked for them.
    assert.ok(await hasClosedCaptions(await read('again/film_180_00001.ts')));
    assert.ok(!(await hasClosedCaptions(await read('plain-180p.mp4'))));
  });

  test('of SCC, TTML and SAMI files are read', async () => {
    await store(
      'd.ttml',
      '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="0.5s" end="1.5s">From<br/>TTML</p></div></body></tt>',
    );
    await store('e.smi', '<SAMI><BODY><SYNC Start=500><P>From SAMI<SYNC Start=1500><P>&nbsp;</BODY></SAMI>');
    const counted =
      'Scenarist_SCC V1.0\n\n01:00:01:00\t9420 9420 94ae 94ae 9470 9470 c845 4c4c 4f80 942f 942f\n\n01:00:02:00\t942c 942c\n';
    await store('counted.scc', counted);
    const Framerate = { FramerateNumerator: 25, FramerateDenominator: 1 };
    const CaptionSelectors = {
      scc: file('counted.scc', 'SCC', { Framerate }),
      ttml: file('d.ttml', 'TTML'),
      smi: file('e.smi', 'SMI'),
    };
    // SCC counts as the film does, other files from the film's beginning.
    const begun = { TimecodeSource: 'SPECIFIEDSTART', TimecodeStart: '01:00:00:00' } as const;
    const outputs = Object.keys(CaptionSelectors).map((name) =>
      textOutput('RAW', `_${name}`, caption({ DestinationType: 'WEBVTT' }, { CaptionSelectorName: name })),
    );
    await complete(
      [{ ...inputOf('film.mp4', EMBEDDED), ...begun, CaptionSelectors }],
      [withText(film('read'), ...outputs)],
    );
    const cues = async (name: string) => texts(parseWebVtt((await read(`read_${name}.vtt`)).toString()));
    assert.deepEqual(await cues('ttml'), [{ from: 500, to: 1500, text: 'From|TTML' }]);
    assert.deepEqual(await cues('smi'), [{ from: 500, to: 1500, text: 'From SAMI' }]);
    assert.deepEqual(await cues('scc'), [{ from: 1360, to: 2000, text: 'HELLO' }]);
  });

  test('that are not there, may not be read, or are something else end the job', async () => {
    await store('bad.srt', 'this is not it');
    await store('bad.vtt', 'nor this');
    await store('bad.scc', Buffer.alloc(200_000, 7));
    await store('film.srt', await makeTestVideo({ seconds: 1, width: 64, height: 64 }));
    const text = withText(film('bad'), textOutput('RAW', '_text', caption({ DestinationType: 'SRT' })));
    const missing = await run([inputOf('film.mp4', file('nowhere.srt', 'SRT'))], [text]);
    assert.deepEqual([missing.Status, missing.ErrorCode], ['ERROR', 1404]);
    const wrong = [
      ['bad.srt', 'SRT'],
      ['bad.vtt', 'WEBVTT'],
      ['bad.srt', 'TTML'],
      ['bad.scc', 'SCC'],
      ['film.srt', 'SRT'],
    ] as const;
    const jobs = await Promise.all(wrong.map(([name, type]) => run([inputOf('film.mp4', file(name, type))], [text])));
    jobs.forEach((job, index) => {
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010], String(wrong[index]));
      assert.match(job.ErrorMessage ?? '', new RegExp(`s3://source/${wrong[index]?.[0]}`));
    });
    const poor = await makeMediaRole(platform.clientConfig(), 'Poor', [
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:aws:s3:::source/a.srt' },
    ]);
    const { Settings } = jobOf(role, '', [text]);
    const inputs = [inputOf('film.mp4', file('a.srt', 'SRT'))];
    const { Job: job } = await mediaconvert.send(
      new CreateJobCommand({ Role: poor, Settings: { ...Settings, Inputs: inputs } }),
    );
    const denied = await jobEnd(mediaconvert, job?.Id);
    assert.deepEqual([denied.Status, denied.ErrorCode], ['ERROR', 1401]);
    assert.match(denied.ErrorMessage ?? '', /a\.srt/);
  });
});

async function hasClosedCaptions(film: Buffer): Promise<boolean> {
  const path = join(folder, 'carried');
  await writeFile(path, film);
  const what = ['-select_streams', 'v', '-show_frames', '-show_entries', 'side_data=side_data_type'];
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', ...what, path]);
  return stdout.toString().includes('Closed Captions');
}

async function blackFilm(): Promise<Buffer> {
  const path = join(folder, 'black.mp4');
  const sources = [
    '-f',
    'lavfi',
    '-i',
    'color=black:s=320x180:r=25:d=4',
    '-f',
    'lavfi',
    '-i',
    'anullsrc=r=48000:cl=stereo',
  ];
  const { status, stderr } = spawnSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...sources,
    '-t',
    '4',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-c:a',
    'aac',
    path,
  ]);
  assert.equal(status, 0, stderr.toString());
  return readFile(path);
}

/** Where each picture of an output is not black, and its colour there. */
async function watch(name: string) {
  const path = join(folder, 'watched.mp4');
  await writeFile(path, await read(name));
  const { stdout, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { maxBuffer: 2 ** 28 },
  );
  assert.equal(stderr.toString(), '');
  const [width, height] = [320, 180];
  const size = width * height * 3;
  const frames = Array.from({ length: stdout.length / size }, (_, index) => {
    const picture = stdout.subarray(index * size, (index + 1) * size);
    let [top, left, right, red, green] = [height, width, 0, 0, 0];
    for (let at = 0; at < size; at += 3) {
      const [r = 0, g = 0] = [picture[at], picture[at + 1]];
      if (r < 120) continue;
      const pixel = at / 3;
      top = Math.min(top, Math.floor(pixel / width));
      left = Math.min(left, pixel % width);
      right = Math.max(right, pixel % width);
      red = Math.max(red, r);
      green = Math.max(green, g);
    }
    return { isLit: red > 0, top, left, right, color: green > 150 ? 'yellow' : 'red' };
  });
  return { frames };
}
