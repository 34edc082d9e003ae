import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fileGroup, fragmentedGroup, hlsGroup, testJob } from '#test/fixtures/media/transcode-jobs.ts';
import type { AudioCodecSettings } from './audio-codec-settings.ts';
import type { OutputGroup } from './output-group.ts';
import { makeTestVideo } from './test-video.ts';
import { startTranscode } from './transcoder.ts';

let server: ObjectServer;

before(async () => {
  server = await ObjectServer.start();
  server.put('in/in.mp4', await makeTestVideo({ seconds: 3, width: 160, height: 90 }));
});

after(() => server.stop());

const stereo = { sampleRate: 48_000, channels: 2 } as const;
const dolby = { ...stereo, bitrate: 192_000, service: 'ma', dialnorm: 27, isLfeFiltered: false } as const;
const CODECS = {
  aac: { kind: 'aac', bitrate: 128_000, ...stereo },
  ac3: { kind: 'ac3', ...dolby },
  eac3: { kind: 'eac3', ...dolby, isDcFiltered: false, isSurroundAttenuated: false, metadata: {} },
  mp2: { kind: 'mp2', bitrate: 192_000, ...stereo },
  mp3: { kind: 'mp3', rate: { mode: 'cbr', bitrate: 128_000 }, ...stereo },
  flac: { kind: 'flac', bitDepth: 16, ...stereo },
  opus: { kind: 'opus', bitrate: 96_000, ...stereo },
  wav: { kind: 'wav', bitDepth: 24, ...stereo },
  aiff: { kind: 'aiff', bitDepth: 16, ...stereo },
} satisfies Record<string, AudioCodecSettings>;
type Name = keyof typeof CODECS;
/** What ffprobe calls them, where it is not the same. */
const PROBED: Readonly<Partial<Record<Name, string>>> = { wav: 'pcm_s24le', aiff: 'pcm_s16be' };

async function run(groups: OutputGroup[]): Promise<void> {
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  await startTranscode(testJob(groups), access, () => undefined).result;
}

/** A file has exactly these sounds, all as long as the film, and they play. */
async function assertSounds(path: string, names: readonly Name[]): Promise<void> {
  const streams = (await probe(`${server.endpoint}/${path}`)).filter((stream) => stream['codec_type'] === 'audio');
  assert.deepEqual(
    streams.map((stream) => stream['codec_name']),
    names.map((name) => PROBED[name] ?? name),
  );
  for (const [index, name] of names.entries()) {
    const { checksums, complaints } = await play(`${server.endpoint}/${path}`, `a:${index}`);
    assert.ok(checksums.length > 25, `${name}: ${checksums.length}`);
    assert.equal(complaints, '', name);
  }
}

const audio = (name: Name) => ({ selector: 'Main', codec: CODECS[name] });

describe('the sounds of a container', { skip: withoutFfmpeg }, () => {
  for (const [container, names] of [
    ['mp4', ['aac', 'ac3', 'eac3', 'mp3', 'flac', 'opus']],
    ['mov', ['aac', 'ac3', 'eac3', 'mp2', 'mp3', 'wav', 'aiff']],
  ] as const) {
    test(`${container.toUpperCase()} has all of its codecs in one film`, async () => {
      await run([fileGroup({ container, extension: container, audios: names.map(audio) })]);
      await assertSounds(`out/film.${container}`, names);
    });
  }

  test('HLS names each codec that MPEG-TS holds', async () => {
    const names = ['aac', 'ac3', 'eac3', 'mp2', 'mp3'] as const;
    const group = hlsGroup(names.map((name) => ({ audios: [audio(name)] })));
    await run([group]);
    for (const [index, name] of names.entries()) await assertSounds(`out/hls/film_${index + 1}_00001.ts`, [name]);
    const codecs = [
      ...server
        .bytes('out/hls/film.m3u8')
        .toString()
        .matchAll(/CODECS="([^"]*)"/g),
    ].map(([, text]) => text);
    assert.deepEqual(codecs, ['mp4a.40.2', 'ac-3', 'ec-3', 'mp4a.40.33', 'mp4a.40.34']);
  });

  for (const kind of ['dash', 'cmaf'] as const) {
    test(`${kind.toUpperCase()} names each codec that fragments hold`, async () => {
      const names = ['aac', 'ac3', 'eac3', 'flac', 'opus'] as const;
      const extension = kind === 'cmaf' ? 'cmfa' : 'mp4';
      const outputs = names.map((name) => ({
        nameModifier: `_${name}`,
        extension,
        audios: [audio(name)],
        audioGroupIds: [],
      }));
      await run([fragmentedGroup(kind, { outputs, isSingleFile: true })]);
      for (const name of names) await assertSounds(`out/${kind}/film_${name}.${extension}`, [name]);
      const codecs = [
        ...server
          .bytes(`out/${kind}/film.mpd`)
          .toString()
          .matchAll(/codecs="([^"]*)"/g),
      ];
      assert.deepEqual(
        codecs.map(([, text]) => text),
        ['mp4a.40.2', 'ac-3', 'ec-3', 'fLaC', 'opus'],
      );
    });
  }
});
