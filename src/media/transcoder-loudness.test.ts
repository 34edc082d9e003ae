import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { ffmpegBytes } from '#test/harness/tones.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fileGroup, testJob } from '#test/fixtures/media/transcode-jobs.ts';
import type { AudioSettings, LoudnessSettings } from './audio-settings.ts';
import { startTranscode } from './transcoder.ts';

let server: ObjectServer;

/** Noise that is quiet first, then loud, and has peaks far above its loudness. */
const NOISE =
  "aevalsrc=exprs='(0.02+0.1*gt(t,3))*(random(0)*2-1)+0.5*lt(mod(t,1),0.004)*sin(2*PI*300*t)':s=48000:d=6,lowpass=f=3000";

before(async () => {
  server = await ObjectServer.start();
  server.put('in/noise.wav', ffmpegBytes(['-f', 'lavfi', '-i', NOISE, '-ac', '2', '-f', 'wav', 'pipe:1']));
  server.put('in/surround.wav', ffmpegBytes(['-f', 'lavfi', '-i', NOISE, '-ac', '6', '-f', 'wav', 'pipe:1']));
});

after(() => server.stop());

const USUAL: LoudnessSettings = {
  isGated: true,
  isCorrected: true,
  target: -23,
  correctionGate: -70,
  truePeakLimit: 0,
  isTruePeakMeasured: true,
  isLogged: true,
};

/** Runs a job that writes one sound; returns what ffmpeg measures of it. */
async function levelsOf(
  codec: AudioSettings['codec'],
  extra: Partial<LoudnessSettings>,
  inputs: readonly string[] = ['noise.wav'],
): Promise<{ readonly integrated: number; readonly truePeak: number }> {
  const container = codec.kind === 'aac' ? ('mp4' as const) : ('wav' as const);
  const audio = { selector: 'Main', codec, loudness: { ...USUAL, ...extra } };
  const output = { nameModifier: '', extension: container, container, audios: [audio] };
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  server.objects.delete('out/film_loudness.csv');
  await startTranscode(testJob([{ ...fileGroup(), outputs: [output] }], inputs), access, () => undefined).result;
  return measure(server.bytes(`out/film.${container}`));
}

function measure(file: Buffer): { readonly integrated: number; readonly truePeak: number } {
  const args = ['-nostats', '-i', 'pipe:0', '-af', 'ebur128=peak=true', '-f', 'null', '-'];
  const { stderr } = spawnSync('ffmpeg', args, { input: file });
  const summary = stderr.toString().split('Summary:').at(-1) ?? '';
  const numberOf = (pattern: RegExp): number => Number(pattern.exec(summary)?.[1]);
  return { integrated: numberOf(/I:\s+(-?[\d.]+) LUFS/), truePeak: numberOf(/Peak:\s+(-?[\d.]+) dBFS/) };
}

const wav = { kind: 'wav', bitDepth: 24, sampleRate: 48_000, channels: 2 } as const;

function near(actual: number, expected: number, tolerance = 0.5): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

describe('the loudness of an output', { skip: withoutFfmpeg }, () => {
  test('is the one that was asked for', async () => {
    near((await levelsOf(wav, {})).integrated, -23);
    near((await levelsOf(wav, { target: -31 })).integrated, -31);
    const aac = { kind: 'aac', bitrate: 192_000, sampleRate: 48_000, channels: 2 } as const;
    near((await levelsOf(aac, { target: -20 })).integrated, -20);
  });

  test('is that of all inputs together, and of all channels', async () => {
    near((await levelsOf(wav, { target: -27 }, ['noise.wav', 'surround.wav'])).integrated, -27);
    near((await levelsOf({ ...wav, channels: 6 }, { target: -27 }, ['surround.wav'])).integrated, -27);
  });

  test('leaves no peak above the limit, and the rest as loud as it is to be', async () => {
    const { integrated, truePeak } = await levelsOf(wav, { target: -19, truePeakLimit: -6 });
    assert.ok(truePeak <= -5.9, String(truePeak));
    near(integrated, -19, 0.8);
  });

  test('is left alone where it is only measured, or below the gate', async () => {
    const before = measure(server.bytes('in/noise.wav'));
    near((await levelsOf(wav, { isCorrected: false })).integrated, before.integrated, 0.1);
    near((await levelsOf(wav, { correctionGate: -10 })).integrated, before.integrated, 0.1);
  });

  test('is in a table beside the output', async () => {
    const before = measure(server.bytes('in/noise.wav'));
    await levelsOf(wav, { isCorrected: false });
    const [head = '', row = ''] = server.bytes('out/film_loudness.csv').toString().split('\r\n');
    const cells = Object.fromEntries(head.split(',').map((name, index) => [name, row.split(',')[index]]));
    near(Number(cells['Input Integrated Loudness (LKFS)']), before.integrated, 0.15);
    near(Number(cells['Input True Peak (dBTP)']), before.truePeak, 0.3);
    assert.equal(cells['Gain (dB)'], '0.00');
    await levelsOf(wav, { isLogged: false });
    assert.equal(server.objects.has('out/film_loudness.csv'), false);
  });
});
