import { PackagingError } from '../packaging-error.ts';

/** Bytes of a length before a NAL unit, as `avcC` and `hvcC` allow. */
export type NalLengthSize = 1 | 2 | 4;

const START_CODE = Buffer.of(0, 0, 0, 1);

/** True for data that begins with a start code (Annex B), after any zero bytes. */
export function startsWithStartCode(data: Uint8Array): boolean {
  let at = 0;
  while (data[at] === 0) at += 1;
  return at >= 2 && data[at] === 1;
}

/**
 * The NAL units between start codes (H.264, Annex B), as views of `data`. Bytes before the first start code, and zeros
 * behind a unit, belong to none.
 */
export function splitAnnexB(data: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let start = -1;
  for (let at = data.indexOf(ZEROS); at >= 0; at = data.indexOf(ZEROS, at)) {
    if (data[at + 2] !== 1) {
      // Three zeros: perhaps the first of a longer start code, perhaps padding.
      at += 1;
      continue;
    }
    if (start >= 0) addUnit(units, data, start, at);
    at += 3;
    start = at;
  }
  if (start >= 0) addUnit(units, data, start, data.length);
  return units;
}

const ZEROS = Buffer.of(0, 0);

function addUnit(units: Buffer[], data: Buffer, start: number, limit: number): void {
  let end = limit;
  while (end > start && data[end - 1] === 0) end -= 1;
  if (end > start) units.push(data.subarray(start, end));
}

/** The NAL units behind lengths, as views of `data`; `undefined` where the lengths do not fit the data. */
export function splitLengthPrefixed(data: Buffer, lengthSize: NalLengthSize): Buffer[] | undefined {
  const units: Buffer[] = [];
  let at = 0;
  while (at < data.length) {
    if (at + lengthSize > data.length) return undefined;
    const length = data.readUIntBE(at, lengthSize);
    at += lengthSize;
    if (at + length > data.length) return undefined;
    if (length > 0) units.push(data.subarray(at, at + length));
    at += length;
  }
  return units.length === 0 ? undefined : units;
}

/**
 * A frame's NAL units, however the producer framed them: what the codec's configuration says is tried first, and some
 * producers say one thing and do the other.
 *
 * @param lengthSize what the configuration says; `undefined` where it was in Annex B form itself
 * @throws PackagingError invalid-frame
 */
export function unitsOfFrame(data: Buffer, lengthSize: NalLengthSize | undefined): Buffer[] {
  const isAnnexB = startsWithStartCode(data);
  const prefixed =
    lengthSize === undefined && isAnnexB ? undefined : splitLengthPrefixed(data, lengthSize ?? DEFAULT_LENGTH_SIZE);
  const units = prefixed ?? (isAnnexB ? splitAnnexB(data) : []);
  if (units.length === 0) throw new PackagingError('invalid-frame', 'A video frame could not be parsed.');
  return units;
}

const DEFAULT_LENGTH_SIZE = 4;

/** The pieces of a frame in Annex B form. */
export function annexBPieces(units: readonly Buffer[]): Buffer[] {
  return units.flatMap((unit) => [START_CODE, unit]);
}

/** The pieces of a frame with lengths of four bytes. */
export function lengthPrefixedPieces(units: readonly Buffer[]): Buffer[] {
  return units.flatMap((unit) => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(unit.length);
    return [length, unit];
  });
}

/** A NAL unit's payload without the bytes that keep start codes out of it (H.264, 7.4.1). */
export function withoutEmulationPrevention(unit: Uint8Array): Buffer {
  const plain = Buffer.allocUnsafe(unit.length);
  let length = 0;
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    plain[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return plain.subarray(0, length);
}

/** A NAL unit with the bytes that keep start codes out of it (H.264, 7.4.1). */
export function withEmulationPrevention(plain: Uint8Array): Buffer {
  const unit: number[] = [];
  let zeros = 0;
  for (const byte of plain) {
    if (zeros >= 2 && byte <= 3) {
      unit.push(3);
      zeros = 0;
    }
    unit.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(unit);
}

/** True of a NAL unit with (a part of) a picture at which decoding can begin. */
export function isEntryUnit(kind: 'avc' | 'hevc', unit: Uint8Array): boolean {
  const first = unit[0] ?? 0;
  if (kind === 'avc') return (first & 0x1f) === 5;
  const type = (first >> 1) & 0x3f;
  return type >= 16 && type <= 21;
}
