import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BoxSpan, listBoxes } from '../mp4-boxes.ts';
import type { CodedTrack } from '../codecs/track-codec.ts';
import { PackagingError } from '../packaging-error.ts';
import type { TimedFrame } from '../track-samples.ts';
import { ClipIndex, clipMedia } from './clip.ts';
import { initSegment } from './init-segment.ts';
import { mediaSegment } from './media-segment.ts';

const PARAMETER_SET = Buffer.from('6764000dac', 'hex');
const video: CodedTrack = {
  number: 7,
  codec: {
    kind: 'avc',
    name: 'avc1.64000d',
    record: Buffer.from('0164000dff', 'hex'),
    parameterSets: [PARAMETER_SET],
    lengthSize: 4,
    width: 320,
    height: 180,
    reorderedFrames: 2,
  },
  frameMs: 40,
};
const audio: CodedTrack = {
  number: 2,
  codec: { kind: 'g711', name: 'alaw', sampleRate: 8000, channels: 1 },
  frameMs: undefined,
};

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf', 'dinf', 'edts']);

/** Every box by its path; each box must end where its parent says. */
function boxesIn(bytes: Buffer, start = 0, end = bytes.length, path = ''): Map<string, BoxSpan[]> {
  const found = new Map<string, BoxSpan[]>();
  const add = (name: string, spans: readonly BoxSpan[]) => found.set(name, [...(found.get(name) ?? []), ...spans]);
  let at = start;
  for (const span of listBoxes(bytes, start, end)) {
    assert.equal(span.start, at, `${path}/${span.type} follows its neighbour`);
    assert.ok(span.end <= end, `${path}/${span.type} stays inside its parent`);
    at = span.end;
    add(`${path}/${span.type}`, [span]);
    if (!CONTAINERS.has(span.type)) continue;
    for (const [name, spans] of boxesIn(bytes, span.body, span.end, `${path}/${span.type}`)) add(name, spans);
  }
  assert.equal(at, end, `${path} is filled by its boxes`);
  return found;
}

const only = (boxes: Map<string, BoxSpan[]>, path: string): BoxSpan => {
  const [span, ...others] = boxes.get(path) ?? [];
  assert.ok(span !== undefined && others.length === 0, `one ${path}`);
  return span;
};

/** A frame of one NAL unit, of so many bytes. */
function frame(timeMs: number, size: number, isKeyframe = false): TimedFrame {
  const payload = Buffer.alloc(size + 4, timeMs & 0xff);
  payload.writeUInt32BE(size);
  payload[4] = isKeyframe ? 0x65 : 0x41;
  return { timeMs, isKeyframe, payload };
}

const framesOfVideo = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 30 })
  .map((given) => given.map(([time, size], index) => frame(time, size, index === 0)));

describe('an initialisation segment', () => {
  for (const track of [video, audio]) {
    it(`is an index of one track without samples (${track.codec.kind})`, () => {
      const bytes = initSegment(track);
      const boxes = boxesIn(bytes);
      assert.deepEqual([...boxes.keys()].slice(0, 3), ['/ftyp', '/moov', '/moov/mvhd']);
      assert.equal(bytes.readUInt32BE(only(boxes, '/moov/trak/tkhd').body + 20), track.number);
      assert.equal(bytes.readUInt32BE(only(boxes, '/moov/mvex/trex').body + 4), track.number);
      assert.equal(bytes.readUInt32BE(only(boxes, '/moov/trak/mdia/minf/stbl/stsz').body + 8), 0);
      const entry = only(boxes, '/moov/trak/mdia/minf/stbl/stsd').body + 12;
      assert.equal(bytes.toString('latin1', entry, entry + 4), track === video ? 'avc1' : 'alaw');
    });
  }
});

describe('a media segment', () => {
  it('has boxes that fit, times of 64 bits, and the media where its table says', () => {
    fc.assert(
      fc.property(framesOfVideo, fc.constantFrom(0, 20_000, 1_790_000_000_000), (frames, startMs) => {
        const place = { startMs: startMs + 3000, lengthMs: 2000 };
        const bytes = Buffer.concat(mediaSegment(video, frames, place, 9));
        const boxes = boxesIn(bytes);
        assert.deepEqual([...boxes.keys()].slice(0, 2), ['/styp', '/moof']);
        assert.equal(bytes.readUInt32BE(only(boxes, '/moof/mfhd').body + 4), 9);
        const firstShown = Math.min(...frames.map(({ timeMs }) => timeMs)) + place.startMs;
        const decoded = Number(bytes.readBigUInt64BE(only(boxes, '/moof/traf/tfdt').body + 4));
        assert.ok(decoded >= 0 && decoded <= firstShown * 90);
        const run = only(boxes, '/moof/traf/trun').body;
        assert.equal(bytes.readUInt32BE(run + 4), frames.length);
        let at = only(boxes, '/moof').start + bytes.readUInt32BE(run + 8);
        assert.equal(at, only(boxes, '/mdat').body);
        for (const [index, { payload, isKeyframe }] of frames.entries()) {
          const entry = run + 12 + index * 16;
          assert.deepEqual(bytes.subarray(at, at + bytes.readUInt32BE(entry + 4)), payload);
          assert.equal(bytes.readUInt32BE(entry + 8), isKeyframe ? 0x0200_0000 : 0x0101_0000);
          at += payload.length;
        }
        assert.equal(at, bytes.length);
      }),
    );
  });

  it('knows a keyframe by the picture too, where the producer does not mark it', () => {
    const frames = [frame(0, 10, true), frame(40, 10)].map((one) => ({ ...one, isKeyframe: false }));
    const bytes = Buffer.concat(mediaSegment(video, frames, { startMs: 20_000, lengthMs: 80 }, 1));
    const run = only(boxesIn(bytes), '/moof/traf/trun').body;
    assert.deepEqual([bytes.readUInt32BE(run + 20), bytes.readUInt32BE(run + 36)], [0x0200_0000, 0x0101_0000]);
  });

  it('is refused where the fragment has no frames of the track, or frames that are none', () => {
    assert.throws(() => mediaSegment(video, [], { startMs: 0 }, 1), PackagingError);
    const broken = { timeMs: 0, isKeyframe: true, payload: Buffer.from('no NAL unit') };
    assert.throws(() => mediaSegment(video, [broken], { startMs: 0 }, 1), PackagingError);
  });
});

describe('a clip', () => {
  const chunk = fc.record({
    pictures: framesOfVideo,
    sounds: fc.array(fc.integer({ min: 1, max: 160 }), { minLength: 1, maxLength: 10 }),
  });

  it('has its index in front, and each frame where the index says', () => {
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 5 }), (chunks) => {
        const tracks = [video, audio];
        const index = new ClipIndex(tracks);
        const fragments = chunks.map(({ pictures, sounds }) => {
          const packets = sounds.map((size, at) => ({
            timeMs: at * 20,
            isKeyframe: true,
            payload: Buffer.alloc(size),
          }));
          return new Map([
            [video.number, pictures],
            [audio.number, packets],
          ]);
        });
        fragments.forEach((frames, at) => index.add(frames, { startMs: at * 2000, lengthMs: 2000 }));
        const head = index.head();
        const media = Buffer.concat(fragments.flatMap((frames) => clipMedia(tracks, frames)));
        assert.equal(media.length, index.mediaBytes);
        const bytes = Buffer.concat([head, media]);
        const boxes = boxesIn(bytes);
        assert.deepEqual([...boxes.keys()].slice(0, 2), ['/ftyp', '/moov']);
        assert.equal(only(boxes, '/mdat').body, head.length);
        const table = '/moov/trak/mdia/minf/stbl';
        tracks.forEach((track, which) => {
          const box = (name: string): number => boxes.get(`${table}/${name}`)?.[which]?.body ?? 0;
          const given = fragments.flatMap((frames) => frames.get(track.number) ?? []);
          assert.equal(bytes.readUInt32BE(box('stsz') + 8), given.length);
          const offsets = fragments.map((_, at) => bytes.readUInt32BE(box('stco') + 8 + at * 4));
          let sample = 0;
          fragments.forEach((frames, at) => {
            let offset = offsets[at] ?? 0;
            for (const { payload } of frames.get(track.number) ?? []) {
              const size = bytes.readUInt32BE(box('stsz') + 12 + sample * 4);
              assert.deepEqual(bytes.subarray(offset, offset + size), payload);
              offset += size;
              sample += 1;
            }
          });
        });
        // Where every picture is a keyframe, none need be named.
        if (chunks.every(({ pictures }) => pictures.length === 1)) return;
        const keyframes = only(boxes, `${table}/stss`).body;
        assert.equal(bytes.readUInt32BE(keyframes + 4), fragments.length);
      }),
      { numRuns: 50 },
    );
  });

  it('of nothing is refused', () => {
    assert.throws(() => new ClipIndex([video]).head(), PackagingError);
  });
});
