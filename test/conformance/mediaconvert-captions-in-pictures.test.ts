import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Output, OutputGroup } from '@aws-sdk/client-mediaconvert';
import { parseWebVtt } from '#media/captions/webvtt-parser.ts';
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
import { hlsLadder } from '#test/harness/media-job.ts';

let bench: CaptionPlatform;

describe('captions in pictures', { skip: withoutFfmpeg }, () => {
  before(async () => {
    bench = await CaptionPlatform.start();
  });
  after(() => bench?.stop());

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
    await bench.store('black.mp4', await blackFilm());
    await bench.complete([inputOf('black.mp4', file('a.srt', 'SRT'))], [film('burnt', burnt), film('high', high)]);
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
    await bench.complete([inputOf('film.mp4', file('a.srt', 'SRT'))], groups);
    const carried = await bench.read('carried-180p.mp4');
    assert.ok(await hasClosedCaptions(carried));
    assert.ok(await hasClosedCaptions(await bench.read('carried_265.mp4')));
    assert.ok(await hasClosedCaptions(await bench.read('carried_mpeg.ts')));
    await bench.store('carried.mp4', carried);
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
    await bench.complete([inputOf('carried.mp4', EMBEDDED)], [withText(film('plain'), text), copied, burnt]);
    const cues = texts(parseWebVtt((await bench.read('plain_text.vtt')).toString()));
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
      (await bench.read('again/film.m3u8')).toString(),
      /TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",LANGUAGE="eng",DEFAULT=YES,AUTOSELECT=YES,INSTREAM-ID="CC1"/,
    );
    assert.match((await bench.read('again/film.m3u8')).toString(), /CLOSED-CAPTIONS="cc"/);
    // Taken over byte by byte, and left out where nobody asked for them.
    assert.ok(await hasClosedCaptions(await bench.read('again/film_180_00001.ts')));
    assert.ok(!(await hasClosedCaptions(await bench.read('plain-180p.mp4'))));
  });
});

async function hasClosedCaptions(film: Buffer): Promise<boolean> {
  const path = join(bench.folder, 'carried');
  await writeFile(path, film);
  const what = ['-select_streams', 'v', '-show_frames', '-show_entries', 'side_data=side_data_type'];
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', ...what, path]);
  return stdout.toString().includes('Closed Captions');
}

async function blackFilm(): Promise<Buffer> {
  const path = join(bench.folder, 'black.mp4');
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
  const path = join(bench.folder, 'watched.mp4');
  await writeFile(path, await bench.read(name));
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
