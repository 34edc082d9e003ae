import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** What is to be seen in films: tests look at the middle of an area, averaged. */

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The average colour of an area, red, green and blue from 0 to 255, of the picture with a number (from 0). */
export function colorOf(film: Buffer, picture: number, area: Area): [number, number, number] {
  const crop = `crop=${area.width}:${area.height}:${area.x}:${area.y}:exact=1`;
  const [red = 0, green = 0, blue = 0] = rawPixels(film, picture, `format=rgb24,${crop},scale=1:1:flags=area`, 'rgb24');
  return [red, green, blue];
}

/** The average luma of an area as it is coded, in 8 bits: white of most films has 235. */
export function lumaOf(film: Buffer, picture: number, area: Area): number {
  const crop = `crop=${area.width}:${area.height}:${area.x}:${area.y}:exact=1`;
  return (
    rawPixels(film, picture, `format=yuv444p,${crop},scale=1:1:flags=area,format=yuv444p,extractplanes=y`, 'gray')[0] ??
    0
  );
}

/** The samples of a picture after some filters. */
export function rawPixels(film: Buffer, picture: number, filters: string, format: string): Buffer {
  const graph = `select='eq(n,${picture})',${filters}`;
  const args = ['-v', 'error', '-i', 'pipe:0', '-vf', graph, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', format];
  return ffmpeg([...args, 'pipe:1'], film);
}

/** What the ffmpeg command writes to its output. */
export function ffmpeg(args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync('ffmpeg', args, { input, maxBuffer: 256 * 1024 * 1024 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

/** A film made from a source of ffmpeg's, such as `color=red:size=160x90:rate=25:duration=2`. */
export function makeFilm(source: string, ...options: readonly string[]): Buffer {
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '10', '-pix_fmt', 'yuv420p'];
  const out = ['-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4', 'pipe:1'];
  return ffmpeg(['-v', 'error', '-f', 'lavfi', '-i', source, ...encoder, ...options, ...out]);
}

/** A still picture of one colour, such as `red@1.0`. */
export function makeImage(color: string, size: string, format: 'png' | 'bmp' | 'targa'): Buffer {
  const pixels = format === 'bmp' ? 'bgra' : 'rgba';
  const source = `color=${color}:size=${size}:rate=1:duration=1,format=${pixels}`;
  const args = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', '1', '-c:v', format, '-f', 'image2pipe'];
  return ffmpeg([...args, 'pipe:1']);
}

/** Fails unless two colours are about the same. */
export function assertColor(actual: readonly number[], wanted: readonly number[], what: string, tolerance = 12): void {
  const isNear = actual.every((value, index) => Math.abs(value - (wanted[index] ?? 0)) <= tolerance);
  assert.ok(isNear, `${what}: ${actual.join(',')} instead of ${wanted.join(',')}`);
}
