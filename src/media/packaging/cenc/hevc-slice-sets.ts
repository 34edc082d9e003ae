import type { BitReader } from '../codecs/bit-reader.ts';
import { skipLayerProfiles } from '../codecs/hevc-parameter-set.ts';
import { type ReferenceSet, readReferenceSet } from './hevc-reference-set.ts';
import { atMost } from './slice-header.ts';

/** What of an H.265 sequence parameter set (7.3.2.2) slices' headers depend on. */
export interface HevcSequenceSet {
  readonly isColorSeparate: boolean;
  readonly chromaArrayType: number;
  readonly codingBlocks: number;
  readonly orderBits: number;
  readonly isAdaptiveOffsetUsed: boolean;
  readonly referenceSets: readonly ReferenceSet[];
  /** Whether each is used by the picture; absent where long-term references are not used at all. */
  readonly longTerm?: readonly boolean[];
  readonly isMotionPredictedOverTime: boolean;
}

export function readSequenceSet(reader: BitReader): [number, HevcSequenceSet] {
  reader.skip(4);
  const extraLayers = reader.bits(3);
  reader.skip(1 + 96);
  skipLayerProfiles(reader, extraLayers);
  const id = reader.unsignedGolomb();
  const chromaFormat = atMost(reader.unsignedGolomb(), 3);
  const isColorSeparate = chromaFormat === 3 && reader.flag();
  const [width, height] = [reader.unsignedGolomb(), reader.unsignedGolomb()];
  if (reader.flag()) skipNumbers(reader, 4);
  skipNumbers(reader, 2);
  const orderBits = atMost(reader.unsignedGolomb(), 12) + 4;
  skipNumbers(reader, 3 * (reader.flag() ? extraLayers + 1 : 1));
  const smallest = reader.unsignedGolomb() + 3;
  const size = 2 ** atMost(smallest + reader.unsignedGolomb(), 6);
  skipNumbers(reader, 4);
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  reader.skip(1);
  const isAdaptiveOffsetUsed = reader.flag();
  if (reader.flag()) {
    reader.skip(8);
    skipNumbers(reader, 2);
    reader.skip(1);
  }
  const referenceSets: ReferenceSet[] = [];
  const count = atMost(reader.unsignedGolomb(), 64);
  while (referenceSets.length < count) referenceSets.push(readReferenceSet(reader, referenceSets, false));
  const longTerm = reader.flag() ? readLongTerm(reader, orderBits) : undefined;
  const set = {
    isColorSeparate,
    chromaArrayType: isColorSeparate ? 0 : chromaFormat,
    codingBlocks: Math.ceil(width / size) * Math.ceil(height / size),
    orderBits,
    isAdaptiveOffsetUsed,
    referenceSets,
    ...(longTerm !== undefined && { longTerm }),
    isMotionPredictedOverTime: reader.flag(),
  };
  return [id, set];
}

function readLongTerm(reader: BitReader, orderBits: number): boolean[] {
  return Array.from({ length: atMost(reader.unsignedGolomb(), 32) }, () => {
    reader.skip(orderBits);
    return reader.flag();
  });
}

/** What of an H.265 picture parameter set (7.3.2.3) slices' headers depend on. */
export interface HevcPictureSet {
  readonly sequence: number;
  readonly hasDependentSlices: boolean;
  readonly isOutputTold: boolean;
  readonly extraBits: number;
  readonly isCabacInitTold: boolean;
  readonly references: readonly [number, number];
  readonly areColorOffsetsTold: boolean;
  readonly isWeighted: boolean;
  readonly isWeightedB: boolean;
  readonly hasEntryPoints: boolean;
  readonly isFilteredOverSlices: boolean;
  readonly isDeblockingOverridable: boolean;
  readonly isDeblockingDisabled: boolean;
  readonly areListsModifiable: boolean;
  readonly hasExtension: boolean;
  readonly areColorOffsetListsUsed: boolean;
}

export function readPictureSet(reader: BitReader): [number, HevcPictureSet] {
  const id = reader.unsignedGolomb();
  const sequence = reader.unsignedGolomb();
  const hasDependentSlices = reader.flag();
  const isOutputTold = reader.flag();
  const extraBits = reader.bits(3);
  reader.skip(1);
  const isCabacInitTold = reader.flag();
  const references = [reader.unsignedGolomb() + 1, reader.unsignedGolomb() + 1] as const;
  reader.signedGolomb();
  reader.skip(1);
  const isTransformSkipped = reader.flag();
  if (reader.flag()) reader.unsignedGolomb();
  reader.signedGolomb();
  reader.signedGolomb();
  const areColorOffsetsTold = reader.flag();
  const isWeighted = reader.flag();
  const isWeightedB = reader.flag();
  reader.skip(1);
  const hasTiles = reader.flag();
  const isWavefront = reader.flag();
  if (hasTiles) skipTiles(reader);
  const isFilteredOverSlices = reader.flag();
  let isDeblockingOverridable = false;
  let isDeblockingDisabled = false;
  if (reader.flag()) {
    isDeblockingOverridable = reader.flag();
    isDeblockingDisabled = reader.flag();
    if (!isDeblockingDisabled) skipNumbers(reader, 2);
  }
  if (reader.flag()) skipScalingLists(reader);
  const areListsModifiable = reader.flag();
  reader.unsignedGolomb();
  const hasExtension = reader.flag();
  const set = {
    sequence,
    hasDependentSlices,
    isOutputTold,
    extraBits,
    isCabacInitTold,
    references,
    areColorOffsetsTold,
    isWeighted,
    isWeightedB,
    hasEntryPoints: hasTiles || isWavefront,
    isFilteredOverSlices,
    isDeblockingOverridable,
    isDeblockingDisabled,
    areListsModifiable,
    hasExtension,
    areColorOffsetListsUsed: reader.flag() && readRangeExtension(reader, isTransformSkipped),
  };
  return [id, set];
}

/** @returns whether slices may use lists of colour offsets */
function readRangeExtension(reader: BitReader, isTransformSkipped: boolean): boolean {
  const hasRange = reader.flag();
  if (reader.bits(7) !== 0) throw new RangeError('Extensions for layers and screens are not supported.');
  if (!hasRange) return false;
  if (isTransformSkipped) reader.unsignedGolomb();
  reader.skip(1);
  return reader.flag();
}

function skipTiles(reader: BitReader): void {
  const columns = atMost(reader.unsignedGolomb(), 64);
  const rows = atMost(reader.unsignedGolomb(), 64);
  if (!reader.flag()) skipNumbers(reader, columns + rows);
  reader.skip(1);
}

/** 7.3.4. */
function skipScalingLists(reader: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.unsignedGolomb();
        continue;
      }
      if (size > 1) reader.signedGolomb();
      const coefficients = Math.min(64, 1 << (4 + (size << 1)));
      for (let index = 0; index < coefficients; index++) reader.signedGolomb();
    }
  }
}

/** Signed numbers are as long as unsigned ones. */
export function skipNumbers(reader: BitReader, count: number): void {
  for (let index = 0; index < count; index++) reader.unsignedGolomb();
}
