import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ANY_USE } from '../../content-encryption.ts';
import { TranscodeError } from '../../transcode-error.ts';
import { AvcSliceHeaders } from './avc-slice-header.ts';
import { FileProtection } from './file-protection.ts';
import { HevcSliceHeaders } from './hevc-slice-header.ts';
import type { SliceHeaders } from './slice-header.ts';
import { subsamplesOf } from './subsamples.ts';
import { TrackProtection } from './track-protection.ts';

/** Pictures that are copied from an input are as hostile as that: they may end a job, and nothing else. */

// Parameter sets of x264 and x265, for pictures of 320 × 180.
const SETS = {
  avc: ['6764000dacd941419f9f0110000003001000000303c0f1429960', '68ebe3cb22c0'],
  hevc: ['42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300f040', '4401c172b46240'],
} as const;

function headersOf(kind: 'avc' | 'hevc'): SliceHeaders {
  const headers = kind === 'avc' ? new AvcSliceHeaders() : new HevcSliceHeaders();
  for (const set of SETS[kind]) headers.addParameterSet(Buffer.from(set, 'hex'));
  return headers;
}

function onlyRangeErrors(work: () => void): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
  }
}

describe('units of any bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });

  test('are read to an end, or refused', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), fc.constantFrom('avc', 'hevc'), (units, kind) => {
        const headers = headersOf(kind);
        for (const unit of units) {
          onlyRangeErrors(() => headers.addParameterSet(unit));
          onlyRangeErrors(() => {
            const length = headers.headerLength(unit);
            assert.ok(length === undefined || length <= unit.length);
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of slices and parameter sets too', () => {
    const types = [0x01, 0x05, 0x65, 0x61, 0x67, 0x68, 0x02, 0x26, 0x28, 0x2a, 0x42, 0x44];
    const unit = fc.tuple(fc.constantFrom(...types), bytes).map(([type, rest]) => Buffer.of(type, ...rest));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
        for (const headers of [headersOf('avc'), headersOf('hevc')]) {
          for (const one of units) {
            onlyRangeErrors(() => headers.addParameterSet(one));
            onlyRangeErrors(() => headers.headerLength(one));
          }
          const sample = Buffer.concat(
            units.flatMap((one) => [Buffer.from([0, 0, one.length >> 8, one.length & 255]), one]),
          );
          onlyRangeErrors(() => {
            const pieces = subsamplesOf(sample, 4, headers, true);
            const sum = pieces.reduce((total, { clear, encrypted }) => total + clear + encrypted, 0);
            assert.equal(sum, sample.length);
            assert.ok(pieces.every(({ clear, encrypted }) => clear <= 0xffff && encrypted % 16 === 0));
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('as a file end the job', () => {
    const encryption = {
      method: 'SAMPLE-AES-CTR',
      key: Buffer.alloc(16),
      keyId: Buffer.alloc(16),
      use: ANY_USE,
      isIvListed: false,
      isIvOfGroup: false,
      isSessionKeyWritten: false,
      clearSegments: 0,
      playlists: [],
      dash: [],
      smooth: [],
      psshs: [],
    } as const;
    const boxes = fc.array(fc.tuple(fc.constantFrom('moov', 'trak', 'moof', 'traf', 'tfhd', 'trun', 'mdat'), bytes));
    fc.assert(
      fc.property(boxes, (parts) => {
        const film = Buffer.concat(
          parts.map(([type, body]) => {
            const head = Buffer.alloc(8);
            head.writeUInt32BE(8 + body.length);
            head.write(type, 4, 'latin1');
            return Buffer.concat([head, body]);
          }),
        );
        const protection = new FileProtection([new TrackProtection(encryption, 'h264')]);
        try {
          protection.protect(film);
        } catch (error) {
          assert.ok(error instanceof TranscodeError && error.code === 1091, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
