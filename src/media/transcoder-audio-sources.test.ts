import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { decodeSound, ffmpegBytes, makeToneFilm, type Sound, soundingFrom, toneLevel } from '#test/harness/tones.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fileGroup, hlsGroup, testJob } from '#test/fixtures/media/transcode-jobs.ts';
import type { AudioSettings } from './audio-settings.ts';
import type { AudioSelector, TranscodeInput } from './transcode-input.ts';
import { startTranscode } from './transcoder.ts';

let server: ObjectServer;
/** Of the last job. */
let warnings: number[] = [];

before(async () => {
  server = await ObjectServer.start();
  const tracks = [[440], [880], [1320, 1760]];
  const languages = ['eng', 'deu', 'fra'];
  server.put('in/tones.mkv', makeToneFilm({ seconds: 3, tracks, languages }));
  server.put('in/other.mkv', makeToneFilm({ seconds: 2, tracks: [[3000]] }));
  const ten = Array.from({ length: 10 }, (_, index) => 500 + 250 * index);
  server.put('in/ten.mkv', makeToneFilm({ seconds: 2, tracks: [ten], isSilentFilm: true }));
  server.put('in/beside.wav', ffmpegBytes(['-f', 'lavfi', '-i', 'sine=2500:d=5', '-f', 'wav', 'pipe:1']));
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=2'];
  const late = ['-itsoffset', '0.7', '-f', 'lavfi', '-i', 'sine=frequency=440:duration=1'];
  server.put('in/late.mkv', ffmpegBytes([...picture, ...late, '-c:v', 'mpeg4', '-f', 'matroska', 'pipe:1']));
  server.put('in/silent.mkv', makeToneFilm({ seconds: 2, tracks: [] }));
});

after(() => server.stop());

const access = () => ({
  endpoint: server.endpoint,
  region: 'eu-west-1',
  credentials: async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  }),
});

/** Runs a job that writes one sound as a WAV file of so many channels, and decodes it. */
async function soundOf(
  inputs: readonly (Partial<TranscodeInput> & { readonly key: string; readonly main?: AudioSelector })[],
  channels: number,
  extra: Partial<AudioSettings> = {},
): Promise<Sound> {
  const audio: AudioSettings = {
    selector: 'Main',
    codec: { kind: 'wav', bitDepth: 16, sampleRate: 48_000, channels },
    ...extra,
  };
  const output = { nameModifier: '', extension: 'wav', container: 'wav' as const, audios: [audio] };
  const job = {
    ...testJob([{ ...fileGroup(), outputs: [output] }]),
    inputs: inputs.map(({ key, main, ...rest }) => ({
      source: { bucket: 'in', key },
      audioSelectors: main === undefined ? {} : { Main: main },
      ...rest,
    })),
  };
  warnings = [];
  await startTranscode(job, access(), (event) => {
    if (event.kind === 'warning') warnings.push(event.code);
  }).result;
  return decodeSound(server.bytes('out/film.wav'), channels);
}

/** Which of the tones is in each channel. */
function tonesOf(sound: Sound, tones: readonly number[]): (number | undefined)[] {
  return sound.samples.map((_, channel) => tones.find((tone) => toneLevel(sound, channel, tone) > 0.07));
}

const TONES = [440, 880, 1320, 1760];

describe('the sound of an input', { skip: withoutFfmpeg }, () => {
  const picks: readonly (readonly [string, AudioSelector['pick'], number, readonly (number | undefined)[]])[] = [
    ['a track', { kind: 'tracks', tracks: [2] }, 1, [880]],
    ['several tracks side by side', { kind: 'tracks', tracks: [3, 1, 2] }, 4, [1320, 1760, 440, 880]],
    ['two tracks as left and right', { kind: 'tracks', tracks: [2, 1] }, 2, [880, 440]],
    ['a stream', { kind: 'streams', streams: [2] }, 1, [880]],
    ['a language', { kind: 'language', code: 'fra' }, 2, [1320, 1760]],
    ['all that is not compressed', { kind: 'pcm' }, 4, [440, 880, 1320, 1760]],
    ['nothing', { kind: 'none' }, 2, [undefined, undefined]],
  ];
  for (const [what, pick, channels, tones] of picks) {
    test(`is ${what}`, async () => {
      const sound = await soundOf([{ key: 'tones.mkv', main: { pick } }], channels);
      if (pick.kind !== 'none') assert.deepEqual(tonesOf(sound, TONES), tones);
      else assert.ok(sound.samples.every((channel) => channel.every((sample) => sample === 0)));
    });
  }

  test('has as many channels as there are, up to what the file takes', async () => {
    const sound = await soundOf([{ key: 'ten.mkv', main: { pick: { kind: 'default' } } }], 10);
    const tones = Array.from({ length: 10 }, (_, index) => 500 + 250 * index);
    assert.deepEqual(tonesOf(sound, tones), tones);
    const few = await soundOf([{ key: 'ten.mkv', main: { pick: { kind: 'default' } } }], 2);
    assert.deepEqual(tonesOf(few, tones), [500, 750]);
  });

  test('is remixed by its selector and by its output', async () => {
    const main = {
      pick: { kind: 'tracks' as const, tracks: [1, 2] },
      remix: {
        gains: [
          [0, 1],
          [0.5, 0],
        ],
      },
    };
    const swapped = await soundOf([{ key: 'tones.mkv', main }], 2);
    assert.deepEqual(tonesOf(swapped, TONES), [880, undefined]);
    assert.ok(Math.abs(toneLevel(swapped, 1, 440) - 0.05) < 0.003, String(toneLevel(swapped, 1, 440)));
    const remix = { gains: [[1, 2]] };
    const mono = await soundOf([{ key: 'tones.mkv', main }], 1, { remix });
    assert.ok(Math.abs(toneLevel(mono, 0, 880) - 0.1) < 0.003, 'the first one is as it was');
    assert.ok(Math.abs(toneLevel(mono, 0, 440) - 0.1) < 0.003, 'the second one is doubled after it was halved');
  });

  test('begins when it does in its file, and silence before it is told', async () => {
    const sound = await soundOf([{ key: 'late.mkv', main: { pick: { kind: 'default' } } }], 1);
    assert.ok(Math.abs(soundingFrom(sound, 0).from - 0.7) < 0.03, String(soundingFrom(sound, 0).from));
    assert.deepEqual(warnings, [240_000]);
    await soundOf([{ key: 'tones.mkv', main: { pick: { kind: 'default' } } }], 1);
    assert.deepEqual(warnings, []);
  });

  test('is later or earlier by an offset, and not longer than the film', async () => {
    const at = async (offsetSeconds: number) =>
      soundOf([{ key: 'tones.mkv', main: { pick: { kind: 'tracks', tracks: [1] }, offsetSeconds } }], 1);
    const late = await at(0.75);
    assert.deepEqual(warnings, [240_001], 'three quarters of a second are left out');
    assert.ok(Math.abs(soundingFrom(late, 0).from - 0.75) < 0.005, String(soundingFrom(late, 0).from));
    assert.ok(Math.abs((late.samples[0]?.length ?? 0) / late.rate - 3) < 0.05);
    const early = await at(-1);
    assert.ok(soundingFrom(early, 0).from < 0.005);
    assert.ok(Math.abs(soundingFrom(early, 0).to - 2) < 0.01, String(soundingFrom(early, 0).to));
  });

  test('is of another file, in step with a clip', async () => {
    const main = { pick: { kind: 'default' as const }, external: { bucket: 'in', key: 'beside.wav' } };
    const clips = { firstTimecode: 'zero' as const, parts: [{ start: '00:00:01:00', end: '00:00:01:24' }] };
    const sound = await soundOf([{ key: 'tones.mkv', main, clips }], 1);
    assert.ok(toneLevel(sound, 0, 2500, 0.2, 0.8) > 0.05);
    assert.ok(Math.abs((sound.samples[0]?.length ?? 0) / sound.rate - 1) < 0.05);
    const whole = await soundOf([{ key: 'tones.mkv', main }], 1);
    assert.ok(Math.abs((whole.samples[0]?.length ?? 0) / whole.rate - 3) < 0.1, 'as long as the film');
  });

  test('of stitched inputs follows the pictures, with silence and the fallback where a selector is missing', async () => {
    const sound = await soundOf(
      [
        { key: 'tones.mkv', main: { pick: { kind: 'tracks', tracks: [1] } } },
        { key: 'other.mkv', fallbackAudio: { pick: { kind: 'default' } } },
        { key: 'other.mkv', fallbackAudio: { pick: { kind: 'none' } } },
        { key: 'tones.mkv', main: { pick: { kind: 'tracks', tracks: [2] } } },
      ],
      1,
    );
    const heard = [440, 3000, 880].map((tone) =>
      [0.5, 3.5, 5.5, 7.5].map((from) => toneLevel(sound, 0, tone, from, from + 1) > 0.05),
    );
    assert.deepEqual(heard, [
      [true, false, false, false],
      [false, true, false, false],
      [false, false, false, true],
    ]);
  });

  test('of an impossible form ends the job, and nothing else', async () => {
    const wave = (channels: number, rate: number): Buffer => {
      const head = Buffer.from(ffmpegBytes(['-f', 'lavfi', '-i', 'sine=440:d=1', '-f', 'wav', 'pipe:1']));
      const at = head.indexOf('fmt ');
      head.writeUInt16LE(channels, at + 10);
      head.writeUInt32LE(rate, at + 12);
      head.writeUInt16LE((channels * 2) & 0xffff, at + 20);
      return head;
    };
    for (const [channels, rate] of [
      [255, 48_000],
      [65_535, 48_000],
      [1, 0],
      [1, 0xffff_ffff],
      [1, 3],
    ] as const) {
      server.put('in/odd.wav', wave(channels, rate));
      const outcome = await soundOf([{ key: 'odd.wav', main: { pick: { kind: 'default' } } }], 2).then(
        () => 'done',
        (error: { readonly code?: unknown }) => error.code,
      );
      const name = `${channels} channels at ${rate} Hz: ${String(outcome)}`;
      assert.ok(['done', 1010, 1021, 1030, 1040].includes(outcome as number), name);
    }
  });

  test('is passed through as it is, packet for packet', async () => {
    const dolby = (codec: string): Buffer => {
      const sound = ['-f', 'lavfi', '-i', 'sine=700:d=3', '-ac', '2', '-ar', '48000', '-c:a', codec, '-b:a', '192k'];
      const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=3', '-c:v', 'libx264'];
      return ffmpegBytes([
        ...sound.slice(0, 4),
        ...picture.slice(0, 4),
        ...sound.slice(4),
        ...picture.slice(4),
        '-f',
        'mpegts',
        'pipe:1',
      ]);
    };
    const packets = (file: Buffer, codec: string): Buffer =>
      ffmpegBytes(['-i', 'pipe:0', '-map', '0:a', '-c', 'copy', '-f', codec, 'pipe:1'], file);
    const codec = { kind: 'passthrough', sampleRate: 0, channels: 0 } as const;
    const audios = [{ selector: 'Main', codec }];
    for (const name of ['ac3', 'eac3']) {
      const film = dolby(name);
      server.put('in/dolby.ts', film);
      await startTranscode(
        testJob([fileGroup({ audios }), { ...hlsGroup([{ audios }]), segmentSeconds: 10 }], ['dolby.ts']),
        access(),
        () => undefined,
      ).result;
      assert.ok(packets(film, name).length > 60_000);
      assert.ok(packets(server.bytes('out/film.mp4'), name).equals(packets(film, name)), `${name} in MP4`);
      assert.ok(packets(server.bytes('out/hls/film_1_00001.ts'), name).equals(packets(film, name)), `${name} in HLS`);
      assert.match(server.bytes('out/hls/film.m3u8').toString(), name === 'ac3' ? /ac-3/ : /ec-3/);
    }
    await assert.rejects(
      startTranscode(testJob([fileGroup({ audios })], ['tones.mkv']), access(), () => undefined).result,
      { code: 1040 },
    );
  });

  test('is refused where a track that is named is not there', async () => {
    const job = soundOf([{ key: 'tones.mkv', main: { pick: { kind: 'tracks', tracks: [1, 9] } } }], 2);
    await assert.rejects(job, { code: 1021 });
    const external = { bucket: 'in', key: 'silent.mkv' };
    await assert.rejects(soundOf([{ key: 'tones.mkv', main: { pick: { kind: 'default' }, external } }], 2), {
      code: 1021,
    });
  });
});
