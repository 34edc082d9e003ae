import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { ElementCursor } from '#media/matroska/element-cursor.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { MatroskaParser } from '#media/matroska/matroska-parser.ts';
import { type Frame, readFrames } from '#media/matroska/read-frames.ts';
import type { MatroskaHeader } from '#media/matroska/read-header.ts';
import { blockContent, cluster, element } from './matroska-builder.ts';

const hasTool = (tool: string): boolean => spawnSync(tool, ['-version']).error === undefined;

/** For `skip`: why tests that need the ffmpeg command cannot run here, or false. */
export const withoutFfmpeg: string | false =
  hasTool('ffmpeg') && hasTool('ffprobe') ? false : 'ffmpeg and ffprobe are not installed';

export interface MediaFacts {
  readonly video?: 'h264' | 'hevc' | 'none';
  readonly audio?: 'aac' | 'alaw' | 'ulaw' | 'none';
  /** 4 when absent. */
  readonly seconds?: number;
  /** 1 when absent. */
  readonly fragmentSeconds?: number;
  /** B frames between two others; 2 when absent. */
  readonly reorderedFrames?: number;
  readonly size?: `${number}x${number}`;
}

/** A film as a producer sends it: a header, and a Cluster for each group of pictures, with the sound of its time. */
export interface FfmpegMedia {
  /** As ffmpeg wrote it. */
  readonly source: Buffer;
  /** EBML header, Segment, Info, Tracks, and what they say. */
  readonly header: MatroskaHeader;
  readonly fragments: readonly MediaFragment[];
  /** As ffmpeg cuts them into a pipe: after 32 kB, or a second. Their times begin at zero. */
  readonly clusters: readonly Buffer[];
}

interface MediaFragment {
  /** Milliseconds since the film's beginning. */
  readonly offsetMs: number;
  readonly lengthMs: number;
  readonly frames: readonly Frame[];
  /** The Cluster, where the film begins at `baseMs`. */
  cluster(baseMs: number): Buffer;
}

const RATE = 25;
const ENCODER = 'ffmpeg';
const ENCODERS = { aac: 'aac', alaw: 'pcm_alaw', ulaw: 'pcm_mulaw' } as const;

/** Encodes a test film with the ffmpeg command. */
export function makeMedia(facts: MediaFacts = {}): FfmpegMedia {
  const { video = 'h264', audio = 'none', seconds = 4, fragmentSeconds = 1, reorderedFrames = 2 } = facts;
  const gop = RATE * fragmentSeconds;
  const args = ['-v', 'error'];
  if (video !== 'none') {
    args.push('-f', 'lavfi', '-i', `testsrc2=size=${facts.size ?? '160x120'}:rate=${RATE}:duration=${seconds}`);
  }
  if (audio !== 'none') {
    args.push(
      '-f',
      'lavfi',
      '-i',
      `sine=frequency=440:sample_rate=${audio === 'aac' ? 48_000 : 8000}:duration=${seconds}`,
    );
    args.push('-c:a', ENCODERS[audio]);
  }
  if (video === 'h264') args.push('-c:v', 'libx264', '-preset', 'veryfast', '-g', `${gop}`, '-keyint_min', `${gop}`);
  if (video === 'h264') args.push('-sc_threshold', '0', '-bf', `${reorderedFrames}`);
  if (video === 'hevc') {
    const settings = `log-level=none:keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:bframes=${reorderedFrames}`;
    args.push('-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', settings);
  }
  args.push('-f', 'matroska', 'pipe:1');
  const { status, stdout, stderr } = spawnSync(ENCODER, args, { maxBuffer: 256 * 1024 * 1024 });
  assert.equal(status, 0, stderr.toString());
  return fragmented(stdout, fragmentSeconds * 1000);
}

function fragmented(source: Buffer, fragmentMs: number): FfmpegMedia {
  const { header, frames, clusters } = readWhole(source);
  const { tracks } = header;
  const video = tracks.find(({ type }) => type === 'video')?.number;
  const [lead] = tracks;
  const pictures = frames.filter(({ track }) => track === video);
  const begins =
    video === undefined
      ? [...new Set(frames.map(({ timecodeMs }) => Math.floor(timecodeMs / fragmentMs)))].map((at) => at * fragmentMs)
      : pictures.filter(({ isKeyframe }) => isKeyframe).map(({ timecodeMs }) => timecodeMs);
  const last = Math.max(
    ...frames.filter(({ track }) => track === (video ?? lead?.number)).map((one) => one.timecodeMs),
  );
  const fragments = begins.map((begin, index): MediaFragment => {
    const offsetMs = index === 0 ? 0 : begin;
    const next = begins[index + 1];
    const isOwn = ({ timecodeMs }: Frame): boolean => timecodeMs >= offsetMs && timecodeMs < (next ?? Infinity);
    const own = frames.filter(isOwn);
    const lengthMs = (next ?? last + 1000 / RATE) - offsetMs;
    return { offsetMs, lengthMs, frames: own, cluster: (baseMs) => clusterOf(own, offsetMs, baseMs) };
  });
  return { source, header, fragments, clusters };
}

/** What is in ffmpeg's Clusters, which a producer would cut in another way. */
function readWhole(source: Buffer) {
  const header = new MatroskaParser().push(source).find((event) => event.type === 'header');
  assert.ok(header);
  const outer = new ElementCursor(source);
  assert.ok(outer.next() && outer.next(true));
  const elements = outer.children();
  const frames: Frame[] = [];
  const clusters: Buffer[] = [];
  while (elements.next()) {
    if (elements.id !== ELEMENT.cluster) continue;
    const bytes = source.subarray(elements.start, elements.dataEnd);
    clusters.push(bytes);
    frames.push(...readFrames(bytes, header.tracks, header.timecodeScale));
  }
  return { header, frames, clusters };
}

function clusterOf(frames: readonly Frame[], offsetMs: number, baseMs: number): Buffer {
  const blocks = frames.map(({ track, timecodeMs, isKeyframe, payload }) =>
    element(ELEMENT.simpleBlock, blockContent({ track, time: Math.round(timecodeMs - offsetMs), isKeyframe, payload })),
  );
  return cluster(baseMs + offsetMs, { blocks, size: 8 });
}

export interface Played {
  /** A checksum of each decoded picture or of a second of sound, in the order in which they are shown. */
  readonly checksums: readonly string[];
  /** What ffmpeg complained about. */
  readonly complaints: string;
}

/**
 * Decodes a film with the ffmpeg command, which ends at the first fault.
 *
 * @param input the film's bytes, or an address
 * @param stream which of its streams: `v`, `a`, or the first of them
 */
export async function play(
  input: Buffer | string,
  stream: `${'v' | 'a'}${'' | `:${number}`}`,
  ...options: readonly string[]
): Promise<Played> {
  const source = typeof input === 'string' ? input : 'pipe:0';
  const args = [
    '-v',
    'warning',
    '-xerror',
    ...options,
    '-i',
    source,
    '-map',
    `0:${stream}`,
    '-f',
    'framemd5',
    'pipe:1',
  ];
  const { status, stdout, stderr } = await run('ffmpeg', args, typeof input === 'string' ? undefined : input);
  assert.equal(status, 0, stderr);
  const lines = stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return { checksums: lines.map((line) => line.split(',').at(-1)?.trim() ?? ''), complaints: stderr };
}

/** What ffprobe says of a film's streams. */
export async function probe(input: Buffer | string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const args = ['-v', 'error', '-show_streams', '-of', 'json', typeof input === 'string' ? input : 'pipe:0'];
  const { status, stdout, stderr } = await run('ffprobe', args, typeof input === 'string' ? undefined : input);
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout.toString()) as { readonly streams: readonly Readonly<Record<string, unknown>>[] }).streams;
}

export function codecsOf(streams: readonly Readonly<Record<string, unknown>>[]): ReadonlySet<unknown> {
  return new Set(streams.map((stream) => stream['codec_name']));
}

interface Ran {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Beside the event loop: the server that ffmpeg reads from may be in this process. */
function run(tool: string, args: readonly string[], input: Buffer | undefined): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
    // A tool that has seen enough closes its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
