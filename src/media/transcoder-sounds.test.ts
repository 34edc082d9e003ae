import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fileGroup, testJob } from '#test/fixtures/media/transcode-jobs.ts';
import { makeTestVideo } from './test-video.ts';
import type { FileOutput } from './output-group.ts';
import type { AudioCodecSettings } from './audio-codec-settings.ts';
import type { TranscodeResult } from './transcode-report.ts';
import { startTranscode } from './transcoder.ts';

let server: ObjectServer;

before(async () => {
  server = await ObjectServer.start();
  server.put('in/in.mp4', await makeTestVideo({ seconds: 5, width: 160, height: 90 }));
});

after(() => server.stop());

/** Makes a file of this sound alone; returns it. */
async function soundOf(
  codec: AudioCodecSettings,
  inputs?: readonly string[],
): Promise<[Buffer, TranscodeResult, string]> {
  const container = codec.kind === 'aac' ? (codec.isLoas === true ? 'latm' : 'adts') : codec.kind;
  assert.ok(container !== 'passthrough');
  const kind: FileOutput['container'] = container === 'vorbis' ? 'ogg' : container;
  const [output] = fileGroup().outputs;
  const sound = { ...output, container: kind, extension: kind, audios: [{ selector: 'Audio Selector 1', codec }] };
  const { video: _, ...alone } = sound;
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  const job = testJob([{ ...fileGroup(), outputs: [{ nameModifier: '', ...alone }] }], inputs);
  const result = await startTranscode(job, access, () => undefined).result;
  return [server.bytes(`out/film.${kind}`), result, `out/film.${kind}`];
}

const dolby = { sampleRate: 48_000, channels: 6, service: 'ma', dialnorm: 27, isLfeFiltered: true } as const;
const plus = { isDcFiltered: true, isSurroundAttenuated: true, metadata: { loro_cmixlev: 0.707, dmix_mode: 'loro' } };
const stereo = { sampleRate: 48_000, channels: 2 } as const;

describe('a file of sound', { skip: withoutFfmpeg }, () => {
  const cases: readonly (readonly [string, AudioCodecSettings, string, number])[] = [
    ['MP3 of a constant bitrate', { kind: 'mp3', rate: { mode: 'cbr', bitrate: 128_000 }, ...stereo }, 'mp3', 0],
    ['MP3 of a quality', { kind: 'mp3', rate: { mode: 'vbr', quality: 4 }, ...stereo }, 'mp3', 0],
    ['WAV of 16 bits', { kind: 'wav', bitDepth: 16, ...stereo }, 'pcm_s16le', 16],
    ['WAV of 24 bits', { kind: 'wav', bitDepth: 24, ...stereo, channels: 6 }, 'pcm_s24le', 24],
    ['FLAC of 16 bits', { kind: 'flac', bitDepth: 16, ...stereo, sampleRate: 44_100 }, 'flac', 16],
    ['FLAC of 24 bits', { kind: 'flac', bitDepth: 24, ...stereo }, 'flac', 24],
    ['WAV of ten channels', { kind: 'wav', bitDepth: 16, sampleRate: 8000, channels: 10 }, 'pcm_s16le', 16],
    ['WAV of 192 kHz', { kind: 'wav', bitDepth: 24, sampleRate: 192_000, channels: 1 }, 'pcm_s24le', 24],
    ['AIFF of 16 bits', { kind: 'aiff', bitDepth: 16, ...stereo }, 'pcm_s16be', 16],
    ['AIFF of 24 bits', { kind: 'aiff', bitDepth: 24, ...stereo, channels: 6 }, 'pcm_s24be', 24],
    ['MP2', { kind: 'mp2', bitrate: 192_000, ...stereo, sampleRate: 44_100 }, 'mp2', 0],
    ['Opus', { kind: 'opus', bitrate: 96_000, ...stereo }, 'opus', 0],
    ['Vorbis', { kind: 'vorbis', quality: 4, ...stereo, sampleRate: 44_100 }, 'vorbis', 0],
    ['AC-3', { kind: 'ac3', bitrate: 384_000, ...dolby }, 'ac3', 0],
    ['E-AC-3', { kind: 'eac3', bitrate: 384_000, ...dolby, ...plus }, 'eac3', 0],
    ['E-AC-3 of five channels', { kind: 'eac3', bitrate: 384_000, ...dolby, ...plus, channels: 5 }, 'eac3', 0],
    ['AAC in ADTS', { kind: 'aac', bitrate: 128_000, ...stereo, isMpeg2: true }, 'aac', 0],
    ['AAC of a quality', { kind: 'aac', bitrate: 0, quality: 'medium-high', ...stereo }, 'aac', 0],
    ['AAC in LOAS', { kind: 'aac', bitrate: 128_000, ...stereo, isLoas: true }, 'aac_latm', 0],
  ];
  for (const [what, codec, name, bits] of cases) {
    test(`is ${what}, and plays`, async () => {
      // What has no head tells no length.
      const isBare = ['aac', 'ac3', 'eac3', 'mp2'].includes(codec.kind);
      const [, result, path] = await soundOf(codec);
      const streams = await probe(`${server.endpoint}/${path}`);
      const [stream] = streams;
      assert.equal(streams.length, 1);
      assert.deepEqual(
        [stream?.['codec_name'], Number(stream?.['sample_rate']), stream?.['channels']],
        [name, codec.sampleRate, codec.channels],
      );
      const depth = Number(stream?.['bits_per_raw_sample'] ?? 0) || Number(stream?.['bits_per_sample'] ?? 0);
      assert.equal(depth, bits);
      const [output] = result.groups[0]?.outputs ?? [];
      assert.deepEqual(output?.paths, [`s3://${path}`]);
      assert.ok(Math.abs((output?.durationMs ?? 0) - 5000) < 60, `${output?.durationMs}`);
      if (!isBare) assert.ok(Math.abs(Number(stream?.['duration']) - 5) < 0.1, String(stream?.['duration']));
      const { checksums, complaints } = await play(`${server.endpoint}/${path}`, 'a');
      assert.ok(checksums.length > 40);
      // A plain WAV does not say which of two channels is left.
      assert.equal(complaints.replace(/^(Guessed Channel Layout|\[\w+ @ \w+\] Estimating duration).*\n/gm, ''), '');
    });
  }

  test('has the bitrate that was asked for', async () => {
    const [slow] = await soundOf({ kind: 'mp3', rate: { mode: 'cbr', bitrate: 64_000 }, ...stereo });
    assert.ok(Math.abs(slow.length - (64_000 * 5) / 8) < 3000, `${slow.length} bytes`);
    const [fine] = await soundOf({ kind: 'mp3', rate: { mode: 'vbr', quality: 0 }, ...stereo });
    const [coarse] = await soundOf({ kind: 'mp3', rate: { mode: 'vbr', quality: 9 }, ...stereo });
    assert.ok(coarse.length < fine.length, `${coarse.length}, ${fine.length} bytes`);
  });

  test('of several parts is complete, in the form for large files too', async () => {
    server.put('in/long.mp4', await makeTestVideo({ seconds: 60, width: 64, height: 36 }));
    for (const isRf64 of [false, true]) {
      const form = isRf64 ? { form: 'rf64' as const } : {};
      const [file] = await soundOf({ kind: 'wav', bitDepth: 24, ...form, ...stereo }, ['long.mp4']);
      assert.ok(file.length > 17_000_000);
      assert.equal(file.toString('latin1', 0, 4), isRf64 ? 'RF64' : 'RIFF');
      assert.ok(Math.abs(Number((await probe(`${server.endpoint}/out/film.wav`))[0]?.['duration']) - 60) < 0.1);
      assert.equal((await play(file, 'a')).complaints, '');
    }
    assert.equal(server.openUploads, 0);
  });
});
