import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  blockGroup,
  cluster,
  ebmlHeader,
  element,
  header,
  info,
  producerTag,
  simpleBlock,
  text,
  tracks,
  unsigned,
} from '#test/harness/matroska-builder.ts';
import { ELEMENT } from './element-ids.ts';
import { MatroskaError } from './matroska-error.ts';
import { OPEN_SEGMENT } from './matroska-writer.ts';
import { readFrames } from './read-frames.ts';
import { readHeader } from './read-header.ts';
import type { Track } from './tracks.ts';

const VIDEO: Track = { number: 1, type: 'video', codecId: 'V_MPEG4/ISO/AVC', language: 'und' };
const AUDIO: Track = { number: 2, type: 'audio', codecId: 'A_AAC', language: 'und', defaultDurationNs: 20_000_000 };

function framesOf(blocks: readonly Buffer[], timecodeScale = 1_000_000): ReturnType<typeof readFrames> {
  return readFrames(cluster(1000, { blocks }), [VIDEO, AUDIO], timecodeScale);
}

function payloads(block: Buffer): string[] {
  return framesOf([block]).map(({ payload }) => payload.toString('latin1'));
}

describe('readFrames', () => {
  it('gives each frame its track, time, kind and payload, in the order of the stream', () => {
    const blocks = [
      simpleBlock({ time: 0, payload: Buffer.from('I') }),
      simpleBlock({ time: 120, isKeyframe: false, payload: Buffer.from('P') }),
      blockGroup({ time: -40, references: true, duration: 40, payload: Buffer.from('B') }),
      blockGroup({ track: 2, time: 3, payload: Buffer.from('A') }),
    ];
    assert.deepEqual(framesOf(blocks), [
      { track: 1, timecodeMs: 1000, isKeyframe: true, payload: Buffer.from('I') },
      { track: 1, timecodeMs: 1120, isKeyframe: false, payload: Buffer.from('P') },
      { track: 1, timecodeMs: 960, durationMs: 40, isKeyframe: false, payload: Buffer.from('B') },
      { track: 2, timecodeMs: 1003, durationMs: 20, isKeyframe: true, payload: Buffer.from('A') },
    ]);
  });

  it('counts in the timecode scale, without rounding', () => {
    const [frame] = framesOf([blockGroup({ time: 1, duration: 3 })], 20_833);
    assert.equal(frame?.timecodeMs, (1001 * 20_833) / 1_000_000);
    assert.equal(frame.durationMs, (3 * 20_833) / 1_000_000);
  });

  it('takes laces of all three kinds apart', () => {
    const long = 'x'.repeat(300);
    const xiph = Buffer.concat([Buffer.from([2, 255, 45, 3]), Buffer.from(`${long}two3`)]);
    assert.deepEqual(payloads(simpleBlock({ lacing: 1, payload: xiph })), [long, 'two', '3']);
    assert.deepEqual(payloads(simpleBlock({ lacing: 2, payload: Buffer.from('\x02aabbcc') })), ['aa', 'bb', 'cc']);
    // 300 (0x412c), then -297 as a signed difference of two bytes (8191 - 297 = 0x1ed6, marked 0x5ed6).
    const ebml = Buffer.concat([Buffer.from('02412c5ed6', 'hex'), Buffer.from(`${long}two3`)]);
    assert.deepEqual(payloads(simpleBlock({ lacing: 3, payload: ebml })), [long, 'two', '3']);
    assert.deepEqual(payloads(simpleBlock({ lacing: 3, payload: Buffer.from('\x00one') })), ['one']);
  });

  it('spreads the frames of a lace over time', () => {
    const lace = { lacing: 2, payload: Buffer.from('\x02abc') } as const;
    const byTrack = framesOf([simpleBlock({ track: 2, ...lace })]).map(({ timecodeMs }) => timecodeMs);
    assert.deepEqual(byTrack, [1000, 1020, 1040]);
    const byBlock = framesOf([blockGroup({ track: 1, duration: 30, ...lace })]);
    assert.deepEqual(
      byBlock.map(({ timecodeMs, durationMs }) => [timecodeMs, durationMs]),
      [
        [1000, 10],
        [1010, 10],
        [1020, 10],
      ],
    );
  });

  it('refuses laces that do not fit their block', () => {
    const broken = [
      simpleBlock({ lacing: 2, payload: Buffer.from('\x02aabbc') }),
      simpleBlock({ lacing: 1, payload: Buffer.from('\x01\x09abc') }),
      simpleBlock({ lacing: 1, payload: Buffer.from([1, 255]) }),
      simpleBlock({ lacing: 3, payload: Buffer.from('02412c', 'hex') }),
      simpleBlock({ lacing: 3, payload: Buffer.from('02815ed600', 'hex') }),
      simpleBlock({ lacing: 3, payload: Buffer.from('0100', 'hex') }),
    ];
    for (const block of broken) assert.throws(() => framesOf([block]), MatroskaError);
  });

  it('puts back what header stripping took', () => {
    const stripped: Track = { ...VIDEO, contentEncoding: { kind: 'header-stripping', header: Buffer.from('\0\0') } };
    const [frame] = readFrames(cluster(0), [stripped], 1_000_000);
    assert.equal(frame?.payload.toString(), '\0\0frame');
  });

  it('refuses what is no whole Cluster, and blocks of no listed track', () => {
    const whole = cluster(0);
    for (const bytes of [whole.subarray(0, -1), whole.subarray(1), header(), Buffer.alloc(0)]) {
      assert.throws(() => readFrames(bytes, [VIDEO], 1_000_000), MatroskaError);
    }
    assert.throws(() => readFrames(whole, [AUDIO], 1_000_000), { fault: 'TRACK_NUMBER_MISMATCH' });
  });
});

describe('readHeader', () => {
  it('reads what tracks are', () => {
    const sampling = Buffer.alloc(8);
    sampling.writeDoubleBE(44_100);
    const video = {
      number: 1,
      extra: [
        element(ELEMENT.codecPrivate, Buffer.from('avcC')),
        text(ELEMENT.trackName, 'door'),
        text(ELEMENT.language, 'ger'),
        text(ELEMENT.languageBcp47, 'de-CH'),
        element(ELEMENT.video, [unsigned(ELEMENT.pixelWidth, 1920, 2), unsigned(ELEMENT.pixelHeight, 1080, 2)]),
      ],
    };
    const audio = {
      number: 2,
      type: 'audio',
      codecId: 'A_AAC\0\0',
      extra: [
        unsigned(ELEMENT.defaultDuration, 23_219_954, 4),
        element(ELEMENT.audio, [
          element(ELEMENT.samplingFrequency, sampling),
          unsigned(ELEMENT.channels, 2, 1),
          unsigned(ELEMENT.bitDepth, 16, 1),
        ]),
      ],
    } as const;
    const parts = [ebmlHeader('webm'), OPEN_SEGMENT, info(50_000), producerTag('a', 'b'), tracks(video, audio)];
    const read = readHeader(Buffer.concat(parts));
    assert.equal(read.timecodeScale, 50_000);
    assert.deepEqual(read.simpleTags, [{ name: 'a', value: 'b' }]);
    assert.deepEqual(read.tracks, [
      {
        number: 1,
        type: 'video',
        codecId: 'V_MPEG4/ISO/AVC',
        codecPrivate: Buffer.from('avcC'),
        name: 'door',
        language: 'de-CH',
        video: { width: 1920, height: 1080 },
      },
      {
        number: 2,
        type: 'audio',
        codecId: 'A_AAC',
        language: 'eng',
        defaultDurationNs: 23_219_954,
        audio: { sampleRate: 44_100, channels: 2, bitDepth: 16 },
      },
    ]);
  });

  it('tells how a track’s content is encoded', () => {
    const encodingOf = (...encodings: readonly Buffer[]): unknown => {
      const extra = [element(ELEMENT.contentEncodings, encodings)];
      const parts = [ebmlHeader(), OPEN_SEGMENT, info(), tracks({ number: 1, extra })];
      return readHeader(Buffer.concat(parts)).tracks[0]?.contentEncoding;
    };
    const compression = (algorithm: number): Buffer =>
      element(ELEMENT.contentEncoding, [
        unsigned(ELEMENT.contentEncodingType, 0, 1),
        element(ELEMENT.contentCompression, [
          unsigned(ELEMENT.contentCompressionAlgorithm, algorithm, 1),
          element(ELEMENT.contentCompressionSettings, Buffer.from('head')),
        ]),
      ]);
    const encryption = element(ELEMENT.contentEncoding, unsigned(ELEMENT.contentEncodingType, 1, 1));
    assert.deepEqual(encodingOf(compression(3)), { kind: 'header-stripping', header: Buffer.from('head') });
    assert.deepEqual(encodingOf(compression(0)), { kind: 'other' });
    assert.deepEqual(encodingOf(encryption), { kind: 'other' });
    assert.deepEqual(encodingOf(compression(3), compression(3)), { kind: 'other' });
  });
});
