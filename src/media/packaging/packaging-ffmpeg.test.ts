import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type FfmpegMedia,
  makeMedia,
  type MediaFacts,
  play,
  probe,
  withoutFfmpeg,
} from '#test/harness/ffmpeg-media.ts';
import { annexBPieces, unitsOfFrame } from './codecs/nal-units.ts';
import { type CodedTrack, codedTrack, isVideo } from './codecs/track-codec.ts';
import { fragmentFrames } from './fragment-frames.ts';
import { ClipIndex, clipMedia } from './mp4/clip.ts';
import { initSegment } from './mp4/init-segment.ts';
import { mediaSegment } from './mp4/media-segment.ts';
import type { TimedFrame } from './track-samples.ts';
import { tsSegment } from './ts/ts-segment.ts';

const BASE = 1_790_000_000_000;
const tracksOf = (media: FfmpegMedia): CodedTrack[] => media.header.tracks.map(codedTrack);

interface Fragment {
  readonly frames: ReadonlyMap<number, readonly TimedFrame[]>;
  readonly startMs: number;
  readonly lengthMs: number;
}

function fragmentsOf(media: FfmpegMedia): Fragment[] {
  return media.fragments.map((fragment) => ({
    frames: fragmentFrames(media.header, fragment.cluster(BASE)),
    startMs: BASE + fragment.offsetMs,
    lengthMs: fragment.lengthMs,
  }));
}

function fragmentedMp4(track: CodedTrack, fragments: readonly Fragment[]): Buffer {
  const segments = fragments.flatMap(({ frames, startMs, lengthMs }, index) =>
    mediaSegment(track, frames.get(track.number) ?? [], { startMs, lengthMs }, index + 1),
  );
  return Buffer.concat([initSegment(track), ...segments]);
}

function transportStream(tracks: readonly CodedTrack[], fragments: readonly Fragment[]): Buffer {
  return Buffer.concat(
    fragments.flatMap(({ frames, startMs, lengthMs }) => [
      ...tsSegment(
        tracks.map((track) => ({ track, frames: frames.get(track.number) ?? [] })),
        { startMs, lengthMs },
      ),
    ]),
  );
}

function clip(tracks: readonly CodedTrack[], fragments: readonly Fragment[]): Buffer {
  const index = new ClipIndex(tracks);
  for (const { frames, startMs, lengthMs } of fragments) index.add(frames, { startMs: startMs - BASE, lengthMs });
  return Buffer.concat([index.head(), ...fragments.flatMap(({ frames }) => clipMedia(tracks, frames))]);
}

/** As a producer with NAL adaptation switched off sends it. */
function inAnnexB(media: FfmpegMedia): { tracks: CodedTrack[]; fragments: Fragment[] } {
  const tracks = media.header.tracks.map((track) => {
    const { codec } = codedTrack(track);
    if (codec.kind !== 'avc' && codec.kind !== 'hevc') return codedTrack(track);
    return codedTrack({ ...track, codecPrivate: Buffer.concat(annexBPieces(codec.parameterSets)) });
  });
  const fragments = fragmentsOf(media).map((fragment) => {
    const frames = tracks.map((track): [number, readonly TimedFrame[]] => [
      track.number,
      (fragment.frames.get(track.number) ?? []).map((frame) =>
        isVideo(track) ? { ...frame, payload: Buffer.concat(annexBPieces(unitsOfFrame(frame.payload, 4))) } : frame,
      ),
    ]);
    return { ...fragment, frames: new Map(frames) };
  });
  return { tracks, fragments };
}

describe('packaged media', { skip: withoutFfmpeg }, () => {
  const films: readonly (readonly [string, MediaFacts])[] = [
    ['H.264 with B frames and AAC', { audio: 'aac' }],
    ['H.264 without B frames', { reorderedFrames: 0 }],
    ['H.265 with B frames and AAC', { video: 'hevc', audio: 'aac', size: '322x182' }],
  ];
  for (const [name, facts] of films) {
    it(`are the same pictures to ffmpeg as before: ${name}`, async () => {
      const media = makeMedia(facts);
      const [tracks, fragments] = [tracksOf(media), fragmentsOf(media)];
      const [video] = tracks;
      assert.ok(video);
      const { checksums } = await play(media.source, 'v');
      assert.equal(checksums.length, 100);
      const files = [fragmentedMp4(video, fragments), transportStream(tracks, fragments), clip(tracks, fragments)];
      for (const file of files) {
        assert.deepEqual(await play(file, 'v'), { checksums, complaints: '' });
      }
      const annexB = inAnnexB(media);
      const again = fragmentedMp4(annexB.tracks[0] ?? video, annexB.fragments);
      assert.deepEqual(await play(again, 'v'), { checksums, complaints: '' });
      assert.deepEqual(await play(transportStream(annexB.tracks, annexB.fragments), 'v'), {
        checksums,
        complaints: '',
      });
    });
  }

  it('are the same sound, beside the picture or alone', async () => {
    const media = makeMedia({ audio: 'aac' });
    const [tracks, fragments] = [tracksOf(media), fragmentsOf(media)];
    const audio = tracks[1];
    assert.ok(audio);
    const raw = await play(media.source, 'a');
    for (const file of [fragmentedMp4(audio, fragments), transportStream(tracks, fragments), clip(tracks, fragments)]) {
      assert.deepEqual(await play(file, 'a'), { ...raw, complaints: '' });
    }
  });

  it('keep picture and sound together, and say what they are', async () => {
    const media = makeMedia({ audio: 'aac' });
    const [tracks, fragments] = [tracksOf(media), fragmentsOf(media)];
    for (const file of [clip(tracks, fragments), transportStream(tracks, fragments)]) {
      const [video, audio] = await probe(file);
      assert.deepEqual([video?.['codec_name'], video?.['width'], video?.['height']], ['h264', 160, 120]);
      assert.deepEqual([audio?.['codec_name'], audio?.['sample_rate']], ['aac', '48000']);
      assert.ok(Math.abs(Number(video?.['start_time']) - Number(audio?.['start_time'])) < 0.03);
    }
    assert.equal((await probe(clip(tracks, fragments)))[0]?.['duration'], '4.000000');
    const [video] = await probe(fragmentedMp4(tracks[0] as CodedTrack, fragments));
    const first = BASE + (fragments[0]?.frames.get(1)?.[0]?.timeMs ?? 0);
    assert.equal(video?.['start_time'], (first / 1000).toFixed(6), 'the first picture is shown when the producer says');
  });

  for (const law of ['alaw', 'ulaw'] as const) {
    it(`of G.711 (${law}) sound as before in MP4`, async () => {
      const media = makeMedia({ audio: law });
      const [tracks, fragments] = [tracksOf(media), fragmentsOf(media)];
      const audio = tracks[1];
      assert.ok(audio);
      const before = (await probe(media.source))[1];
      for (const file of [fragmentedMp4(audio, fragments), clip(tracks, fragments)]) {
        const after = (await probe(file)).find((stream) => stream['codec_type'] === 'audio');
        assert.equal(after?.['codec_name'], before?.['codec_name']);
        assert.deepEqual((await play(file, 'a')).checksums, (await play(media.source, 'a')).checksums);
      }
      assert.throws(() => transportStream(tracks, fragments), /cannot be put into MPEG-TS/);
    });
  }
});
