import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Sounds of known frequencies, made and measured with the ffmpeg command. */

const MAX_BYTES = 256 * 1024 * 1024;

/** What ffmpeg writes to its output for these arguments. */
export function ffmpegBytes(args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', ...args], {
    maxBuffer: MAX_BYTES,
    ...(input !== undefined && { input }),
  });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

/** A file says how long it is; what goes through a pipe does not. */
function matroskaOf(args: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'tones-'));
  try {
    const path = join(folder, 'film.mkv');
    ffmpegBytes([...args, path]);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface ToneFilm {
  readonly seconds: number;
  /** The tracks; each channel is a tone of so many hertz, or two of them. */
  readonly tracks: readonly (readonly number[])[];
  readonly languages?: readonly string[];
  /** True leaves the picture out. */
  readonly isSilentFilm?: boolean;
  /** A tenth of full scale when absent. */
  readonly amplitude?: number;
}

/** A Matroska film with uncompressed tones, 48,000 samples a second. */
export function makeToneFilm(film: ToneFilm): Buffer {
  const { seconds, tracks, languages = [], amplitude = 0.1 } = film;
  const inputs = tracks.flatMap((tones) => {
    const channels = tones.map((tone) => `${amplitude}*sin(2*PI*${tone}*t)`).join('|');
    return ['-f', 'lavfi', '-i', `aevalsrc=exprs=${channels}:s=48000:d=${seconds}`];
  });
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=25:duration=${seconds}`];
  const maps = tracks.flatMap((_, index) => ['-map', `${index}:a`]);
  const named = languages.flatMap((language, index) => [`-metadata:s:a:${index}`, `language=${language}`]);
  const video = ['-map', `${tracks.length}:v`, '-c:v', 'libx264', '-preset', 'ultrafast'];
  return matroskaOf([
    ...inputs,
    ...(film.isSilentFilm === true ? [] : picture),
    ...maps,
    ...(film.isSilentFilm === true ? [] : video),
    '-c:a',
    'pcm_s16le',
    ...named,
  ]);
}

export interface Sound {
  readonly rate: number;
  /** By channel. */
  readonly samples: readonly Float32Array[];
}

/** Decodes a sound; a film's `track` counts from 0. */
export function decodeSound(file: Buffer, channels: number, track = 0): Sound {
  const args = ['-i', 'pipe:0', '-map', `0:a:${track}`, '-f', 'f32le', '-ar', '48000', 'pipe:1'];
  const bytes = ffmpegBytes(args, file);
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const count = Math.floor(all.length / channels);
  const samples = Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length: count }, (_unused, index) => all[index * channels + channel] ?? 0),
  );
  return { rate: 48_000, samples };
}

/** The amplitude of a tone in a channel between two times, by Goertzel's algorithm; 1 is full scale. */
export function toneLevel(sound: Sound, channel: number, hertz: number, from = 0.5, to = 1.5): number {
  const samples = sound.samples[channel]?.subarray(from * sound.rate, to * sound.rate) ?? new Float32Array(0);
  const turn = (2 * Math.PI * hertz) / sound.rate;
  let [before, last] = [0, 0];
  for (const sample of samples) [before, last] = [last, sample + 2 * Math.cos(turn) * last - before];
  const power = last ** 2 + before ** 2 - 2 * Math.cos(turn) * last * before;
  return samples.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}

/** The times at which a channel becomes louder than a hundredth of full scale, and quieter for good. */
export function soundingFrom(sound: Sound, channel: number): { readonly from: number; readonly to: number } {
  const samples = sound.samples[channel] ?? new Float32Array(0);
  const isLoud = (sample: number): boolean => Math.abs(sample) > 0.01;
  return { from: samples.findIndex(isLoud) / sound.rate, to: (samples.findLastIndex(isLoud) + 1) / sound.rate };
}
