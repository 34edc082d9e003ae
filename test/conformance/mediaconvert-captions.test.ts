import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Output, OutputGroup } from '@aws-sdk/client-mediaconvert';
import { parseTtml } from '#media/captions/ttml-parser.ts';
import { parseWebVtt } from '#media/captions/webvtt-parser.ts';
import { makeTestVideo } from '#media/test-video.ts';
import {
  caption,
  CaptionPlatform,
  EMBEDDED,
  EXPECTED,
  file,
  film,
  inputOf,
  textOutput,
  texts,
  withText,
} from '#test/harness/caption-jobs.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { cmafGroup, dashGroup, hlsLadder } from '#test/harness/media-job.ts';
import { makeMediaRole } from '#test/harness/media-role.ts';

let bench: CaptionPlatform;

describe('captions', { skip: withoutFfmpeg }, () => {
  before(async () => {
    bench = await CaptionPlatform.start();
  });
  after(() => bench?.stop());

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
    await bench.complete([inputOf('film.mp4', file('a.srt', 'SRT'))], [withText(film('files'), ...outputs)]);
    const text = async (kind: string, extension: string): Promise<string> =>
      (await bench.read(`files_${kind}.${extension}`)).toString();
    assert.deepEqual(texts(parseWebVtt(await text('WEBVTT', 'vtt'))), EXPECTED);
    assert.deepEqual(texts(parseTtml(await text('TTML', 'ttml'))), EXPECTED);
    assert.deepEqual(texts(parseTtml(await text('IMSC', 'xml'))), EXPECTED);
    assert.match(await text('SRT', 'srt'), /^1\n00:00:00,500 --> 00:00:01,500\nFirst line\nsecond line\n/);
    assert.match(await text('SCC', 'scc'), /^Scenarist_SCC V1\.0\n\n00:00:00:\d\d\t/);
    assert.match(await text('SMI', 'smi'), /<SYNC Start=2500><P Class=CAPTIONS>Later &amp; <b>on<\/b>/);
    // Another's eyes.
    for (const name of ['files_SRT.srt', 'files_WEBVTT.vtt', 'files_SCC.scc', 'files_SMI.smi']) {
      const path = join(bench.folder, name);
      await writeFile(path, await bench.read(name));
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
    await bench.complete(
      [inputOf('film.mp4', file('a.srt', 'SRT'))],
      [withText(matched, textOutput('M3U8', '_en', accessible), textOutput('M3U8', '_fr', other))],
    );
    const main = (await bench.read('hls/film.m3u8')).toString();
    assert.match(
      main,
      /#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,LANGUAGE="eng",CHARACTERISTICS="public\.accessibility\.transcribes-spoken-dialog,public\.accessibility\.describes-music-and-sound",URI="film_en\.m3u8"/,
    );
    assert.match(main, /NAME="Français",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,LANGUAGE="fra",URI="film_fr\.m3u8"/);
    assert.equal(main.match(/#EXT-X-STREAM-INF:.*SUBTITLES="subs"/g)?.length, 2);
    const child = (await bench.read('hls/film_en.m3u8')).toString();
    assert.deepEqual(child.match(/^film_en_\d{5}\.vtt$/gm), ['film_en_00001.vtt', 'film_en_00002.vtt']);
    const second = (await bench.read('hls/film_en_00002.vtt')).toString();
    assert.match(second, /^WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00\.000,MPEGTS:180000\n/);
    assert.deepEqual(texts(parseWebVtt(second)), EXPECTED.slice(1));
    assert.match((await bench.read('hls/film_en_00001.vtt')).toString(), /<i>First<\/i> line/);
    assert.match((await bench.read('hls/film_fr_00001.vtt')).toString(), /\nFirst line/);
    // The pictures begin at the time that the captions are counted from.
    const path = join(bench.folder, 'first.ts');
    await writeFile(path, await bench.read('hls/film_180_00001.ts'));
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
    await bench.complete([inputOf('film.mp4', file('a.srt', 'SRT'))], [cmaf, dash]);
    const mpd = (await bench.read('cmaf/film.mpd')).toString();
    assert.match(mpd, /<AdaptationSet id="\d" contentType="text" mimeType="application\/mp4" lang="eng"/);
    assert.match(mpd, /<Accessibility schemeIdUri="urn:mpeg:dash:role:2011" value="caption"\/>/);
    assert.match(mpd, /codecs="wvtt"/);
    assert.match(mpd, /codecs="stpp\.ttml\.im1t"/);
    assert.match(
      (await bench.read('cmaf/film.m3u8')).toString(),
      /TYPE=SUBTITLES,GROUP-ID="subs",.*URI="film_vtt\.m3u8"/,
    );
    const names = await bench.listed('cmaf/film_vtt');
    assert.deepEqual(names, [
      'cmaf/film_vtt.m3u8',
      'cmaf/film_vtt_000000001.cmft',
      'cmaf/film_vtt_000000002.cmft',
      'cmaf/film_vttinit.cmft',
    ]);
    const path = join(bench.folder, 'captions.mp4');
    await writeFile(
      path,
      Buffer.concat(
        await Promise.all(['cmaf/film_vttinit.cmft', ...names.slice(1, 3)].map((name) => bench.read(name))),
      ),
    );
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
    const imsc = (await bench.read('cmaf/film_imsc_000000002.cmft')).toString();
    assert.match(imsc, /begin="00:00:02\.500" end="00:00:03\.500".*Later &amp; /);
    const dashMpd = (await bench.read('dash/film.mpd')).toString();
    assert.match(dashMpd, /<Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC1=eng"\/>/);
    assert.match(dashMpd, /mimeType="application\/ttml\+xml"[^]*<BaseURL>film_raw\.ttml<\/BaseURL>/);
    assert.match(dashMpd, /codecs="wvtt">\n\s*<BaseURL>film_vtt\.mp4<\/BaseURL>\n\s*<SegmentBase/);
    assert.deepEqual(texts(parseTtml((await bench.read('dash/film_raw.ttml')).toString())), EXPECTED);
    await writeFile(path, await bench.read('dash/film_vtt.mp4'));
    const whole = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path]);
    assert.deepEqual(whole.stdout.toString().trim().split(/\s+/).map(Number), [0, 0.5, 1.5, 2, 2.5, 3.5]);
  });

  test('go with the parts of their inputs that are kept', async () => {
    const clips = [{ StartTimecode: '00:00:01:00', EndTimecode: '00:00:02:24' }];
    await bench.store('b.srt', '1\n00:00:00,200 --> 00:00:09,000\nOther\n');
    await bench.complete(
      [
        inputOf('film.mp4', file('a.srt', 'SRT'), { InputClippings: clips }),
        inputOf('film.mp4', file('b.srt', 'SRT', { TimeDelta: 300, TimeDeltaUnits: 'MILLISECONDS' })),
      ],
      [withText(film('joined'), textOutput('RAW', '_text', caption({ DestinationType: 'WEBVTT' })))],
    );
    const cues = texts(parseWebVtt((await bench.read('joined_text.vtt')).toString()));
    assert.deepEqual(cues.slice(0, 2), [
      { from: 0, to: 500, text: 'First line|second line' },
      { from: 1500, to: 2000, text: 'Later & on' },
    ]);
    assert.equal(cues[2]?.from, 2500);
    assert.ok(Math.abs((cues[2]?.to ?? 0) - 6000) < 100, 'the last one ends with its input');
  });

  test('of SCC, TTML and SAMI files are read', async () => {
    await bench.store(
      'd.ttml',
      '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="0.5s" end="1.5s">From<br/>TTML</p></div></body></tt>',
    );
    await bench.store('e.smi', '<SAMI><BODY><SYNC Start=500><P>From SAMI<SYNC Start=1500><P>&nbsp;</BODY></SAMI>');
    const counted =
      'Scenarist_SCC V1.0\n\n01:00:01:00\t9420 9420 94ae 94ae 9470 9470 c845 4c4c 4f80 942f 942f\n\n01:00:02:00\t942c 942c\n';
    await bench.store('counted.scc', counted);
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
    await bench.complete(
      [{ ...inputOf('film.mp4', EMBEDDED), ...begun, CaptionSelectors }],
      [withText(film('read'), ...outputs)],
    );
    const cues = async (name: string) => texts(parseWebVtt((await bench.read(`read_${name}.vtt`)).toString()));
    assert.deepEqual(await cues('ttml'), [{ from: 500, to: 1500, text: 'From|TTML' }]);
    assert.deepEqual(await cues('smi'), [{ from: 500, to: 1500, text: 'From SAMI' }]);
    assert.deepEqual(await cues('scc'), [{ from: 1360, to: 2000, text: 'HELLO' }]);
  });

  test('that are not there, may not be read, or are something else end the job', async () => {
    await bench.store('bad.srt', 'this is not it');
    await bench.store('bad.vtt', 'nor this');
    await bench.store('bad.scc', Buffer.alloc(200_000, 7));
    await bench.store('film.srt', await makeTestVideo({ seconds: 1, width: 64, height: 64 }));
    const text = withText(film('bad'), textOutput('RAW', '_text', caption({ DestinationType: 'SRT' })));
    const missing = await bench.run([inputOf('film.mp4', file('nowhere.srt', 'SRT'))], [text]);
    assert.deepEqual([missing.Status, missing.ErrorCode], ['ERROR', 1404]);
    const wrong = [
      ['bad.srt', 'SRT'],
      ['bad.vtt', 'WEBVTT'],
      ['bad.srt', 'TTML'],
      ['bad.scc', 'SCC'],
      ['film.srt', 'SRT'],
    ] as const;
    const jobs = await Promise.all(
      wrong.map(([name, type]) => bench.run([inputOf('film.mp4', file(name, type))], [text])),
    );
    jobs.forEach((job, index) => {
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010], String(wrong[index]));
      assert.match(job.ErrorMessage ?? '', new RegExp(`s3://source/${wrong[index]?.[0]}`));
    });
    const poor = await makeMediaRole(bench.platform.clientConfig(), 'Poor', [
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:aws:s3:::source/a.srt' },
    ]);
    const denied = await bench.run([inputOf('film.mp4', file('a.srt', 'SRT'))], [text], poor);
    assert.deepEqual([denied.Status, denied.ErrorCode], ['ERROR', 1401]);
    assert.match(denied.ErrorMessage ?? '', /a\.srt/);
  });
});
