import { BitReader } from '../codecs/bit-reader.ts';
import { withoutEmulationPrevention } from '../codecs/nal-units.ts';
import { readReferenceSet } from './hevc-reference-set.ts';
import {
  type HevcPictureSet,
  type HevcSequenceSet,
  readPictureSet,
  readSequenceSet,
  skipNumbers,
} from './hevc-slice-sets.ts';
import { atMost, bitsFor, headOf, required, type SliceHeaders, storedLength } from './slice-header.ts';

const UNIT_HEADER = 2;
/** Slices have the types below this one. */
const FIRST_NON_SLICE = 32;
const KEYS = { first: 16, last: 23, instant: [19, 20] } as const;
const SEQUENCE_SET = 33;
const PICTURE_SET = 34;
const [B, I] = [0, 2];

/** H.265 (7.3.6). */
export class HevcSliceHeaders implements SliceHeaders {
  readonly #sequences = new Map<number, HevcSequenceSet>();
  readonly #pictures = new Map<number, HevcPictureSet>();

  addParameterSet(unit: Uint8Array): void {
    const type = typeOf(unit);
    if (type !== SEQUENCE_SET && type !== PICTURE_SET) return;
    const reader = new BitReader(withoutEmulationPrevention(unit.subarray(UNIT_HEADER)));
    if (type === SEQUENCE_SET) {
      const [id, set] = readSequenceSet(reader);
      this.#sequences.set(id, set);
    } else {
      const [id, set] = readPictureSet(reader);
      this.#pictures.set(id, set);
    }
  }

  headerLength(unit: Uint8Array): number | undefined {
    const type = typeOf(unit);
    if (type >= FIRST_NON_SLICE) return undefined;
    const reader = new BitReader(headOf(unit, UNIT_HEADER));
    const isFirst = reader.flag();
    if (type >= KEYS.first && type <= KEYS.last) reader.skip(1);
    const picture = required(this.#pictures.get(reader.unsignedGolomb()));
    const sequence = required(this.#sequences.get(picture.sequence));
    const isDependent = !isFirst && picture.hasDependentSlices && reader.flag();
    if (!isFirst) reader.skip(bitsFor(sequence.codingBlocks));
    const isInstant = KEYS.instant.some((instant) => instant === type);
    if (!isDependent) readIndependent(reader, sequence, picture, isInstant);
    if (picture.hasEntryPoints) {
      const count = atMost(reader.unsignedGolomb(), 440 * 135);
      if (count > 0) reader.skip((atMost(reader.unsignedGolomb(), 31) + 1) * count);
    }
    if (picture.hasExtension) reader.skip(atMost(reader.unsignedGolomb(), 256) * 8);
    // A one, and zeros up to a whole byte: what else stands there tells a misread header.
    let isAligned = reader.flag();
    while (reader.position % 8 !== 0) isAligned = !reader.flag() && isAligned;
    if (!isAligned) throw new RangeError('The slice does not begin where its header ends.');
    return storedLength(unit, UNIT_HEADER, reader.position / 8);
  }
}

function typeOf(unit: Uint8Array): number {
  return ((unit[0] ?? 0) >> 1) & 0x3f;
}

function readIndependent(
  reader: BitReader,
  sequence: HevcSequenceSet,
  picture: HevcPictureSet,
  isInstant: boolean,
): void {
  reader.skip(picture.extraBits);
  const type = atMost(reader.unsignedGolomb(), I);
  if (picture.isOutputTold) reader.skip(1);
  if (sequence.isColorSeparate) reader.skip(2);
  const references = isInstant ? { used: 0, isOverTime: false } : readOrder(reader, sequence);
  const hasColor = sequence.chromaArrayType !== 0;
  const isLumaOffset = sequence.isAdaptiveOffsetUsed && reader.flag();
  const isColorOffset = sequence.isAdaptiveOffsetUsed && hasColor && reader.flag();
  if (type !== I) readPrediction(reader, picture, type, hasColor, references);
  reader.signedGolomb();
  if (picture.areColorOffsetsTold) skipNumbers(reader, 2);
  if (picture.areColorOffsetListsUsed) reader.skip(1);
  let isDeblockingDisabled = picture.isDeblockingDisabled;
  if (picture.isDeblockingOverridable && reader.flag()) {
    isDeblockingDisabled = reader.flag();
    if (!isDeblockingDisabled) skipNumbers(reader, 2);
  }
  if (picture.isFilteredOverSlices && (isLumaOffset || isColorOffset || !isDeblockingDisabled)) reader.skip(1);
}

interface References {
  /** How many the picture uses. */
  readonly used: number;
  readonly isOverTime: boolean;
}

/** The picture's place in the order, and what it refers to. */
function readOrder(reader: BitReader, sequence: HevcSequenceSet): References {
  reader.skip(sequence.orderBits);
  const { referenceSets: sets } = sequence;
  const set = reader.flag() ? sets[reader.bits(bitsFor(sets.length))] : readReferenceSet(reader, sets, true);
  const { before, after } = required(set);
  let used = [...before, ...after].filter(({ isUsed }) => isUsed).length;
  if (sequence.longTerm !== undefined) used += readLongTerm(reader, sequence.longTerm, sequence.orderBits);
  return { used, isOverTime: sequence.isMotionPredictedOverTime && reader.flag() };
}

function readLongTerm(reader: BitReader, listed: readonly boolean[], orderBits: number): number {
  const fromList = listed.length > 0 ? atMost(reader.unsignedGolomb(), 32) : 0;
  const count = fromList + atMost(reader.unsignedGolomb(), 32);
  let used = 0;
  for (let index = 0; index < count; index++) {
    let isUsed: boolean | undefined;
    if (index < fromList) isUsed = listed[reader.bits(bitsFor(listed.length))];
    else {
      reader.skip(orderBits);
      isUsed = reader.flag();
    }
    if (isUsed === true) used += 1;
    if (reader.flag()) reader.unsignedGolomb();
  }
  return used;
}

function readPrediction(
  reader: BitReader,
  picture: HevcPictureSet,
  type: number,
  hasColor: boolean,
  { used, isOverTime }: References,
): void {
  const isB = type === B;
  const counts: number[] = isB ? [...picture.references] : [picture.references[0]];
  if (reader.flag()) counts.forEach((_, list) => (counts[list] = atMost(reader.unsignedGolomb(), 15) + 1));
  if (picture.areListsModifiable && used > 1) {
    for (const count of counts) if (reader.flag()) reader.skip(count * bitsFor(used));
  }
  if (isB) reader.skip(1);
  if (picture.isCabacInitTold) reader.skip(1);
  if (isOverTime) {
    const isFromFirst = !isB || reader.flag();
    if ((counts[isFromFirst ? 0 : 1] ?? 0) > 1) reader.unsignedGolomb();
  }
  if (isB ? picture.isWeightedB : picture.isWeighted) skipWeights(reader, counts, hasColor);
  reader.unsignedGolomb();
}

/** 7.3.6.3. */
function skipWeights(reader: BitReader, counts: readonly number[], hasColor: boolean): void {
  reader.unsignedGolomb();
  if (hasColor) reader.signedGolomb();
  for (const count of counts) {
    const luma = Array.from({ length: count }, () => reader.flag());
    const color = luma.map(() => hasColor && reader.flag());
    luma.forEach((isLumaWeighted, index) => {
      if (isLumaWeighted) skipNumbers(reader, 2);
      if (color[index] === true) skipNumbers(reader, 4);
    });
  }
}
