import { PackagingError } from '../packaging-error.ts';
import { withLengths } from './avc-config.ts';
import type { PictureFacts } from './avc-parameter-set.ts';
import { type HevcParameterSet, readHevcParameterSet } from './hevc-parameter-set.ts';
import { type NalLengthSize, splitAnnexB, startsWithStartCode } from './nal-units.ts';

/** H.265: how to configure a decoder, and how the producer frames NAL units. */
export interface HevcConfig extends PictureFacts {
  readonly kind: 'hevc';
  /** ISO 14496-15, Annex E: `hvc1.1.6.L93.B0`. */
  readonly name: string;
  /** `HEVCDecoderConfigurationRecord` (ISO 14496-15, 8.3.3.1) for lengths of four bytes. */
  readonly record: Buffer;
  /** Video, sequence and picture parameter sets: NAL units. */
  readonly parameterSets: readonly Buffer[];
  /** `undefined` where the producer's configuration was in Annex B form. */
  readonly lengthSize: NalLengthSize | undefined;
}

/** Video, sequence and picture parameter sets, in the order in which a decoder needs them. */
const SET_TYPES = [32, 33, 34] as const;
const SEQUENCE_SET = 33;
const RECORD_HEAD = 23;

/**
 * Reads H.265's codec private data: a configuration record, or parameter sets in Annex B form.
 *
 * @throws RangeError when it cannot be read; PackagingError when it lacks parameter sets
 */
export function readHevcConfig(data: Buffer): HevcConfig {
  const isAnnexB = startsWithStartCode(data);
  const units = isAnnexB ? splitAnnexB(data) : unitsOfRecord(data);
  const sets = SET_TYPES.map((type) => units.filter((unit) => (unit[0] ?? 0) >> 1 === type));
  const [first] = sets[1] ?? [];
  if (first === undefined || sets.some((ofType) => ofType.length === 0)) {
    throw new PackagingError('invalid-codec-private-data', 'The H.265 configuration has no parameter sets.');
  }
  const facts = readHevcParameterSet(first);
  const { width, height, reorderedFrames } = facts;
  return {
    kind: 'hevc',
    name: nameOf(facts.profileTierLevel),
    record: buildRecord(facts, sets),
    parameterSets: sets.flat(),
    lengthSize: isAnnexB ? undefined : lengthSizeOf(data),
    width,
    height,
    reorderedFrames,
  };
}

function lengthSizeOf(record: Buffer): NalLengthSize {
  const size = ((record[21] ?? 0) & 3) + 1;
  if (size === 3) throw new RangeError('Lengths of three bytes do not exist.');
  return size as NalLengthSize;
}

/** Some writers leave the version at 0. */
function unitsOfRecord(data: Buffer): Buffer[] {
  if (data.length < RECORD_HEAD || (data[0] ?? 0) > 1) throw new RangeError('Not a configuration record.');
  const units: Buffer[] = [];
  let at = RECORD_HEAD;
  for (let array = 0; array < (data[22] ?? 0); array++) {
    const count = data.readUInt16BE(at + 1);
    at += 3;
    for (let index = 0; index < count; index++) {
      const end = at + 2 + data.readUInt16BE(at);
      if (end > data.length) throw new RangeError('A parameter set is cut off.');
      units.push(Buffer.from(data.subarray(at + 2, end)));
      at = end;
    }
  }
  return units;
}

/** The record anew: `hvc1` wants each kind of parameter set in it, marked as complete, which few producers do. */
function buildRecord(facts: HevcParameterSet, sets: readonly (readonly Buffer[])[]): Buffer {
  const head = Buffer.alloc(RECORD_HEAD);
  head[0] = 1;
  facts.profileTierLevel.copy(head, 1);
  head.writeUInt16BE(0xf000, 13);
  head[15] = 0xfc;
  head[16] = 0xfc | facts.chromaFormat;
  head[17] = 0xf8 | (facts.lumaDepth - 8);
  head[18] = 0xf8 | (facts.chromaDepth - 8);
  head[21] = (facts.temporalLayers << 3) | (facts.areTemporalIdsNested ? 4 : 0) | 3;
  head[22] = sets.length;
  const arrays = sets.flatMap((units, index) => [
    Buffer.of(0x80 | (SET_TYPES[index] ?? SEQUENCE_SET), units.length >> 8, units.length & 0xff),
    ...withLengths(units),
  ]);
  return Buffer.concat([head, ...arrays]);
}

function nameOf(profileTierLevel: Buffer): string {
  const first = profileTierLevel[0] ?? 0;
  const space = ['', 'A', 'B', 'C'][first >> 6] ?? '';
  const tier = (first & 0x20) === 0 ? 'L' : 'H';
  const constraints = [...profileTierLevel.subarray(5, 11)];
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    'hvc1',
    `${space}${first & 0x1f}`,
    reversedBits(profileTierLevel.readUInt32BE(1)).toString(16).toUpperCase(),
    `${tier}${profileTierLevel[11] ?? 0}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join('.');
}

/** Annex E wants the compatibility flags in the reverse order of their bits. */
function reversedBits(value: number): number {
  let result = 0;
  for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) result += 2 ** (31 - bit);
  return result;
}
