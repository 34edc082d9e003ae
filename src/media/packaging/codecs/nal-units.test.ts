import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PackagingError } from '../packaging-error.ts';
import { annexBPieces, lengthPrefixedPieces, splitAnnexB, splitLengthPrefixed, unitsOfFrame } from './nal-units.ts';

/** NAL units as encoders make them: no start code inside, no zero at the end. */
const unit = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from([0x65, ...bytes.map((byte) => (byte === 0 ? 7 : byte)), 0x80]));
const units = fc.array(unit, { minLength: 1, maxLength: 6 });

describe('the NAL units of a frame', () => {
  it('are the same between start codes and behind lengths', () => {
    fc.assert(
      fc.property(units, (given) => {
        assert.deepEqual(splitAnnexB(Buffer.concat(annexBPieces(given))), given);
        assert.deepEqual(splitLengthPrefixed(Buffer.concat(lengthPrefixedPieces(given)), 4), given);
      }),
    );
  });

  it('are found whichever way the producer wrote them, and whatever its configuration says', () => {
    fc.assert(
      fc.property(units, fc.constantFrom(4, undefined), (given, lengthSize) => {
        assert.deepEqual(unitsOfFrame(Buffer.concat(annexBPieces(given)), lengthSize), given);
        assert.deepEqual(unitsOfFrame(Buffer.concat(lengthPrefixedPieces(given)), lengthSize), given);
      }),
    );
  });

  it('are told from start codes of three bytes and from padding', () => {
    const data = Buffer.from('0000 0001 67aa 0000 0001 68bb 0000 01 65cc 0000 03 00dd 0000'.replaceAll(' ', ''), 'hex');
    assert.deepEqual(
      splitAnnexB(data).map((found) => found.toString('hex')),
      ['67aa', '68bb', '65cc00000300dd'],
    );
  });

  it('of 256 to 511 bytes are not taken for start codes, whose bytes their lengths have', () => {
    const long = Buffer.concat([Buffer.of(0x65), Buffer.alloc(299, 0xaa)]);
    const frame = Buffer.concat(lengthPrefixedPieces([long]));
    assert.equal(frame.toString('hex', 0, 3), '000001');
    assert.deepEqual(unitsOfFrame(frame, 4), [long]);
  });

  it('must be there', () => {
    for (const data of ['', '00', '000000', '00000009aa', 'deadbeef']) {
      for (const lengthSize of [4, undefined] as const) {
        assert.throws(() => unitsOfFrame(Buffer.from(data, 'hex'), lengthSize), PackagingError, data);
      }
    }
  });
});
