import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { cluster, header, producerTag } from '#test/harness/matroska-builder.ts';
import type { FragmentEvent, HeaderEvent } from './matroska-events.ts';
import { MatroskaParser } from './matroska-parser.ts';
import { writeTags } from './matroska-writer.ts';
import { readFrames } from './read-frames.ts';

const has = (tool: string): boolean => spawnSync(tool, ['--help']).error === undefined;
const folder = mkdtempSync(join(tmpdir(), 'coffer-matroska-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function run(tool: string, args: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(tool, args, { maxBuffer: 64 * 1024 * 1024 });
  assert.equal(status, 0, `${tool}: ${stderr.toString()}${stdout.subarray(0, 2000).toString('latin1')}`);
  return stdout;
}

/** Two seconds of picture and sound, a keyframe each second. */
function makeWithFfmpeg(...output: readonly string[]): Buffer {
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'aac'];
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25:duration=2'];
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=2'];
  return run('ffmpeg', ['-v', 'error', ...picture, ...sound, ...codecs, ...output]);
}

interface Parsed {
  readonly header: HeaderEvent;
  readonly fragments: readonly FragmentEvent[];
}

function parse(stream: Buffer): Parsed {
  const parser = new MatroskaParser();
  const events = [];
  for (let at = 0; at < stream.length; at += 1000) events.push(...parser.push(stream.subarray(at, at + 1000)));
  events.push(...parser.end());
  const last = events.at(-1);
  assert.ok(last !== undefined && last.type !== 'error', last?.type === 'error' ? last.error.message : 'nothing');
  const [first] = events;
  assert.equal(first?.type, 'header');
  return { header: first, fragments: events.filter((event) => event.type === 'fragment') };
}

/** Frames of each track over all fragments. */
function frameCounts({ header: { tracks, timecodeScale }, fragments }: Parsed): number[] {
  const frames = fragments.flatMap((one) => readFrames(Buffer.concat(one.cluster), tracks, timecodeScale));
  assert.equal(
    frames.length,
    fragments.reduce((sum, one) => sum + one.frames, 0),
  );
  return tracks.map(({ number }) => frames.filter(({ track }) => track === number).length);
}

describe('what ffmpeg writes', { skip: has('ffmpeg') ? false : 'ffmpeg is not installed' }, () => {
  it('is read whole: as a stream, in Clusters of known size', () => {
    const parsed = parse(makeWithFfmpeg('-f', 'matroska', '-'));
    const [video, audio] = parsed.header.tracks;
    assert.equal(video?.codecId, 'V_MPEG4/ISO/AVC');
    assert.deepEqual(video.video, { width: 160, height: 120 });
    assert.equal(video.codecPrivate?.[0], 1, 'an AVC configuration');
    assert.equal(audio?.codecId, 'A_AAC');
    const [pictures = 0, sounds = 0] = frameCounts(parsed);
    assert.equal(pictures, 50);
    assert.ok(sounds >= 87, `${sounds} frames of 1024 samples in 2 s at 44100 Hz`);
  });

  it('is read whole: live, a Cluster for each keyframe', () => {
    const parsed = parse(makeWithFfmpeg('-an', '-f', 'matroska', '-live', '1', '-dash', '1', '-'));
    assert.deepEqual(
      parsed.fragments.map(({ startsWithKeyframe, frames, durationMs }) => [startsWithKeyframe, frames, durationMs]),
      [
        [true, 25, 1000],
        [true, 25, 1000],
      ],
    );
  });

  it('is read whole: as a file, with SeekHead, Void, Cues and sizes that were filled in later', () => {
    const file = join(folder, 'file.mkv');
    makeWithFfmpeg('-f', 'matroska', '-reserve_index_space', '5000', file);
    const withIndex = parse(run('cat', [file]));
    assert.equal(frameCounts(withIndex)[0], 50);
  });
});

const hasMkvmerge = has('mkvmerge') && has('ffmpeg');
describe('what mkvmerge writes', { skip: hasMkvmerge ? false : 'mkvmerge is not installed' }, () => {
  it('is read whole, with the statistics of its tracks behind the last Cluster', () => {
    const source = join(folder, 'source.mkv');
    const merged = join(folder, 'merged.mkv');
    makeWithFfmpeg(source);
    run('mkvmerge', ['-q', '-o', merged, source]);
    const [plain, parsed] = [parse(run('cat', [source])), parse(run('cat', [merged]))];
    assert.match(Buffer.concat(parsed.fragments.at(-1)?.tags ?? []).toString('latin1'), /NUMBER_OF_FRAMES/);
    const names = parsed.fragments.at(-1)?.simpleTags.map(({ name }) => name);
    assert.deepEqual(names, ['ENCODER'], 'the others are about tracks, not about the fragment');
    const payloads = ({ header: { tracks, timecodeScale }, fragments }: Parsed): string[] =>
      fragments
        .flatMap((one) => readFrames(Buffer.concat(one.cluster), tracks, timecodeScale))
        .map(({ track, payload }) => `${track} ${payload.toString('hex')}`)
        .sort();
    assert.deepEqual(payloads(parsed), payloads(plain));
  });
});

describe('what is written', { skip: has('mkvinfo') ? false : 'mkvinfo is not installed' }, () => {
  it('is Matroska to mkvinfo: header, the service’s tags, a Cluster, the producer’s tags, tags again', () => {
    const file = join(folder, 'written.mkv');
    const parts = [
      header(),
      writeTags([
        { name: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER', value: '1'.repeat(47) },
        { name: 'AWS_KINESISVIDEO_SERVER_TIMESTAMP', value: '1511852109.126' },
      ]),
      cluster(0),
      producerTag('motion', 'true'),
      writeTags([{ name: 'AWS_KINESISVIDEO_MILLIS_BEHIND_NOW', value: '0' }]),
    ];
    writeFileSync(file, Buffer.concat(parts));
    const text = run('mkvinfo', ['--all', '--ui-language', 'en_US', file]).toString();
    assert.match(text, /Segment: size unknown/);
    assert.match(text, /\| {3}\+ Name: AWS_KINESISVIDEO_FRAGMENT_NUMBER\n\| {3}\+ String: 1{47}\n/);
    assert.match(text, /\| {3}\+ Name: motion\n\| {3}\+ String: true\n/);
    assert.match(text, /Name: AWS_KINESISVIDEO_MILLIS_BEHIND_NOW/);
    assert.doesNotMatch(text, /unknown element|damaged|error/i);
  });
});
