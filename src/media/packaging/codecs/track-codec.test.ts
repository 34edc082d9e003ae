import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Track } from '../../matroska/tracks.ts';
import { PackagingError, type PackagingFault } from '../packaging-error.ts';
import { codedTrack, type TrackCodec } from './track-codec.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** x264: 320 × 180, High, 2 B frames. */
const AVC_SEQUENCE = '6764000dacd941419f9f0110000003001000000303c0f1429960';
const AVC_PICTURE = '68ebe3cb22c0';
const AVC_RECORD = hex(`0164000dffe1001a${AVC_SEQUENCE}010006${AVC_PICTURE}fdf8f800`);
/** x265: 322 × 182, Main. */
const HEVC_SETS = [
  '40010c01ffff01600000030090000003000003003c959809',
  '42010101600000030090000003000003003ca00a480b9c9596566924caf0168080000003008000000c84',
  '4401c172b46240',
];
const HEVC_RECORD = hex(
  `0101600000009000000000003cf000fcfdf8f800000f03 2000010018 ${HEVC_SETS[0]} 210001002a ${HEVC_SETS[1]} 2200010007 ${HEVC_SETS[2]}`,
);
const G711 = hex('0600 0100 401f0000 401f0000 0100 0800 0000');

function track(codecId: string, codecPrivate?: Buffer): Track {
  const type = codecId.startsWith('V') ? 'video' : 'audio';
  return { number: 3, type, codecId, language: 'eng', ...(codecPrivate && { codecPrivate }) };
}

function codec(codecId: string, codecPrivate: Buffer): TrackCodec {
  return codedTrack(track(codecId, codecPrivate)).codec;
}

const fault = (expected: PackagingFault, text?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PackagingError, String(error));
  assert.equal(error.fault, expected, error.message);
  if (text !== undefined) assert.match(error.message, text);
  return true;
};

describe('H.264', () => {
  for (const name of ['V_MPEG4/ISO/AVC', 'V_MPEG/ISO/AVC']) {
    it(`is known as ${name}, with its name, picture and reordering from its configuration record`, () => {
      const read = codec(name, AVC_RECORD);
      assert.ok(read.kind === 'avc');
      assert.deepEqual(
        [read.name, read.width, read.height, read.reorderedFrames, read.lengthSize],
        ['avc1.64000d', 320, 180, 2, 4],
      );
      assert.deepEqual(
        read.parameterSets.map((set) => set.toString('hex')),
        [AVC_SEQUENCE, AVC_PICTURE],
      );
      assert.deepEqual(read.record, AVC_RECORD);
    });
  }

  it('may be configured in Annex B form, of which a record is made', () => {
    const read = codec('V_MPEG4/ISO/AVC', hex(`00000001${AVC_SEQUENCE}000001${AVC_PICTURE}`));
    assert.ok(read.kind === 'avc');
    assert.deepEqual([read.name, read.width, read.height, read.lengthSize], ['avc1.64000d', 320, 180, undefined]);
    assert.equal(read.record.toString('hex'), `0164000dffe1001a${AVC_SEQUENCE}010006${AVC_PICTURE}`);
  });

  it('with shorter lengths gets a record for lengths of four bytes', () => {
    const short = Buffer.from(AVC_RECORD);
    short[4] = 0xfd;
    const read = codec('V_MPEG4/ISO/AVC', short);
    assert.ok(read.kind === 'avc');
    assert.deepEqual([read.lengthSize, read.record[4]], [2, 0xff]);
  });
});

describe('H.265', () => {
  for (const name of ['V_MPEGH/ISO/HEVC', 'V_MPEG/ISO/HEVC']) {
    it(`is known as ${name}, with its name, picture and reordering from its configuration record`, () => {
      const read = codec(name, HEVC_RECORD);
      assert.ok(read.kind === 'hevc');
      assert.deepEqual(
        [read.name, read.width, read.height, read.reorderedFrames, read.lengthSize],
        ['hvc1.1.6.L60.90', 322, 182, 2, 4],
      );
    });
  }

  it('may be configured in Annex B form: the record is the same, all sets complete', () => {
    const sets = HEVC_SETS.map((set) => hex(`00000001${set}`));
    const [fromSets, fromRecord] = [Buffer.concat(sets), HEVC_RECORD].map((data) => codec('V_MPEGH/ISO/HEVC', data));
    assert.ok(fromSets?.kind === 'hevc' && fromRecord?.kind === 'hevc');
    assert.equal(fromSets.record.toString('hex'), fromRecord.record.toString('hex'));
    assert.deepEqual(codec('V_MPEGH/ISO/HEVC', fromRecord.record), fromRecord);
    assert.equal(fromSets.lengthSize, undefined);
    assert.equal(fromRecord.record[23], 0xa0, 'the array of video parameter sets is complete');
  });
});

describe('AAC', () => {
  it('says its kind, rate, channels and frame length', () => {
    const low = codec('A_AAC', hex('1190'));
    assert.ok(low.kind === 'aac');
    assert.deepEqual(
      [low.name, low.sampleRate, low.channels, low.samplesPerFrame, low.adts?.objectType],
      ['mp4a.40.2', 48_000, 2, 1024, 2],
    );
    const short = codec('A_AAC', hex('1214'));
    assert.ok(short.kind === 'aac');
    assert.deepEqual([short.sampleRate, short.samplesPerFrame], [44_100, 960]);
  });

  it('with spectral band replication counts in the samples of its core', () => {
    const high = codec('A_AAC', hex('2b118800'));
    assert.ok(high.kind === 'aac');
    assert.deepEqual([high.name, high.sampleRate, high.adts?.objectType], ['mp4a.40.5', 24_000, 2]);
    const stereo = codec('A_AAC', hex('eb098800'));
    assert.ok(stereo.kind === 'aac');
    assert.deepEqual([stereo.name, stereo.channels, stereo.adts?.channelConfiguration], ['mp4a.40.29', 2, 1]);
  });

  it('of an explicit rate is known, and is none for ADTS', () => {
    const odd = codec('A_AAC', hex('17 800f a0 10'));
    assert.ok(odd.kind === 'aac');
    assert.deepEqual([odd.sampleRate, odd.channels, odd.adts], [8000, 2, undefined]);
  });
});

describe('G.711', () => {
  it('says its law, rate and channels', () => {
    assert.deepEqual(codec('A_MS/ACM', G711), { kind: 'g711', name: 'alaw', sampleRate: 8000, channels: 1 });
    const law = Buffer.from(G711);
    law[0] = 7;
    assert.equal(codec('A_MS/ACM', law).name, 'ulaw');
  });
});

describe('a track that cannot be played', () => {
  it('has a codec that is not supported', () => {
    assert.throws(() => codedTrack(track('V_VP9', hex('00'))), fault('unsupported-media', /track 3 .*"V_VP9"/));
    assert.throws(() => codec('A_MS/ACM', hex(`0100${G711.toString('hex', 2)}`)), fault('unsupported-media'));
    const compressed = { ...track('V_MPEG4/ISO/AVC', AVC_RECORD), contentEncoding: { kind: 'other' } } as const;
    assert.throws(() => codedTrack(compressed), fault('unsupported-media'));
  });

  it('has no codec private data', () => {
    const missing = fault('missing-codec-private-data', /Missing codec private data in fragment for track 3\./);
    for (const name of ['V_MPEG4/ISO/AVC', 'V_MPEGH/ISO/HEVC', 'A_AAC', 'A_MS/ACM']) {
      assert.throws(() => codedTrack(track(name)), missing);
      assert.throws(() => codedTrack(track(name, Buffer.alloc(0))), missing);
    }
  });

  it('has codec private data that cannot be read', () => {
    const broken: [string, Buffer][] = [
      ['V_MPEG4/ISO/AVC', hex('0164000dffe0')],
      ['V_MPEG4/ISO/AVC', hex(`0000000168${AVC_PICTURE}`)],
      ['V_MPEG4/ISO/AVC', AVC_RECORD.subarray(0, 20)],
      ['V_MPEGH/ISO/HEVC', AVC_RECORD],
      ['V_MPEGH/ISO/HEVC', HEVC_RECORD.subarray(0, 60)],
      // The sample rate of index 13 does not exist.
      ['A_AAC', hex('1690')],
      ['A_AAC', hex('11')],
      ['A_MS/ACM', G711.subarray(0, 10)],
    ];
    for (const [name, data] of broken) {
      assert.throws(
        () => codec(name, data),
        fault('invalid-codec-private-data', /for track 3\./),
        data.toString('hex'),
      );
    }
  });

  it('never brings down the reader, whatever the data', () => {
    const names = fc.constantFrom('V_MPEG4/ISO/AVC', 'V_MPEGH/ISO/HEVC', 'A_AAC', 'A_MS/ACM');
    const damaged = fc
      .tuple(fc.constantFrom(AVC_RECORD, HEVC_RECORD, G711), fc.nat(), fc.nat(255), fc.nat())
      .map(([data, at, value, length]) => {
        const copy = Buffer.from(data);
        copy[at % copy.length] = value;
        return copy.subarray(0, 1 + (length % copy.length));
      });
    const random = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(names, fc.oneof(damaged, random), (name, data) => {
        try {
          codec(name, data);
        } catch (error) {
          assert.ok(error instanceof PackagingError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
