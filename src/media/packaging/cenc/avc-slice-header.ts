import { skipAvcPictureOrder, skipScalingLists, WITH_CHROMA_FORMAT } from '../codecs/avc-parameter-set.ts';
import { BitReader } from '../codecs/bit-reader.ts';
import { withoutEmulationPrevention } from '../codecs/nal-units.ts';
import { atMost, headOf, required, type SliceHeaders, storedLength } from './slice-header.ts';

interface SequenceSet {
  readonly isColorSeparate: boolean;
  readonly chromaArrayType: number;
  readonly frameNumberBits: number;
  readonly orderType: number;
  readonly orderBits: number;
  readonly isDeltaAlwaysZero: boolean;
  readonly areFramesOnly: boolean;
}

interface PictureSet {
  readonly sequence: number;
  readonly isCabac: boolean;
  readonly isOrderOfBottomTold: boolean;
  readonly references: readonly [number, number];
  readonly isWeighted: boolean;
  readonly weightingOfB: number;
  readonly isDeblockingTold: boolean;
  readonly isRedundancyTold: boolean;
}

const SLICE = 1;
const KEY_SLICE = 5;
const SEQUENCE_SET = 7;
const PICTURE_SET = 8;
const [P, B, I, SP, SI] = [0, 1, 2, 3, 4];

/** H.264 (7.3.3). */
export class AvcSliceHeaders implements SliceHeaders {
  readonly #sequences = new Map<number, SequenceSet>();
  readonly #pictures = new Map<number, PictureSet>();

  addParameterSet(unit: Uint8Array): void {
    const type = (unit[0] ?? 0) & 0x1f;
    if (type !== SEQUENCE_SET && type !== PICTURE_SET) return;
    const reader = new BitReader(withoutEmulationPrevention(unit.subarray(1)));
    if (type === SEQUENCE_SET) {
      const [id, set] = readSequenceSet(reader);
      this.#sequences.set(id, set);
    } else {
      const [id, set] = readPictureSet(reader);
      this.#pictures.set(id, set);
    }
  }

  headerLength(unit: Uint8Array): number | undefined {
    const first = unit[0] ?? 0;
    const type = first & 0x1f;
    if (type !== SLICE && type !== KEY_SLICE) return undefined;
    const reader = new BitReader(headOf(unit, 1));
    const isReference = (first & 0x60) !== 0;
    const picture = this.#readHeader(reader, type === KEY_SLICE, isReference);
    // Arithmetic coding begins at a whole byte; what fills the header up to it tells a misread one.
    const end = Math.ceil(reader.position / 8);
    while (picture.isCabac && reader.position < end * 8) {
      if (!reader.flag()) throw new RangeError('The slice does not begin where its header ends.');
    }
    return storedLength(unit, 1, end);
  }

  #readHeader(reader: BitReader, isKey: boolean, isReference: boolean): PictureSet {
    reader.unsignedGolomb();
    const type = reader.unsignedGolomb() % 5;
    const picture = required(this.#pictures.get(reader.unsignedGolomb()));
    const sequence = required(this.#sequences.get(picture.sequence));
    if (sequence.isColorSeparate) reader.skip(2);
    reader.skip(sequence.frameNumberBits);
    const isField = !sequence.areFramesOnly && reader.flag();
    if (isField) reader.skip(1);
    if (isKey) reader.unsignedGolomb();
    if (sequence.orderType === 0) {
      reader.skip(sequence.orderBits);
      if (picture.isOrderOfBottomTold && !isField) reader.signedGolomb();
    } else if (sequence.orderType === 1 && !sequence.isDeltaAlwaysZero) {
      reader.signedGolomb();
      if (picture.isOrderOfBottomTold && !isField) reader.signedGolomb();
    }
    if (picture.isRedundancyTold) reader.unsignedGolomb();
    const isIntra = type === I || type === SI;
    if (type === B) reader.skip(1);
    if (!isIntra) readReferences(reader, picture, sequence, type);
    if (isReference) readMarking(reader, isKey);
    if (picture.isCabac && !isIntra) reader.unsignedGolomb();
    reader.signedGolomb();
    if (type === SP) reader.skip(1);
    if (type === SP || type === SI) reader.signedGolomb();
    if (picture.isDeblockingTold && reader.unsignedGolomb() !== 1) {
      reader.signedGolomb();
      reader.signedGolomb();
    }
    return picture;
  }
}

function readSequenceSet(reader: BitReader): [number, SequenceSet] {
  const profile = reader.bits(8);
  reader.skip(16);
  const id = reader.unsignedGolomb();
  let chromaFormat = 1;
  let isColorSeparate = false;
  if (WITH_CHROMA_FORMAT.has(profile)) {
    chromaFormat = atMost(reader.unsignedGolomb(), 3);
    isColorSeparate = chromaFormat === 3 && reader.flag();
    reader.unsignedGolomb();
    reader.unsignedGolomb();
    reader.skip(1);
    if (reader.flag()) skipScalingLists(reader, chromaFormat);
  }
  const frameNumberBits = atMost(reader.unsignedGolomb(), 12) + 4;
  const order = skipAvcPictureOrder(reader);
  reader.unsignedGolomb();
  reader.skip(1);
  reader.unsignedGolomb();
  reader.unsignedGolomb();
  const set = {
    isColorSeparate,
    chromaArrayType: isColorSeparate ? 0 : chromaFormat,
    frameNumberBits,
    orderType: order.type,
    orderBits: order.bits,
    isDeltaAlwaysZero: order.isDeltaAlwaysZero,
    areFramesOnly: reader.flag(),
  };
  return [id, set];
}

function readPictureSet(reader: BitReader): [number, PictureSet] {
  const id = reader.unsignedGolomb();
  const sequence = reader.unsignedGolomb();
  const isCabac = reader.flag();
  const isOrderOfBottomTold = reader.flag();
  if (reader.unsignedGolomb() > 0) throw new RangeError('Groups of slices are not supported.');
  const references = [reader.unsignedGolomb() + 1, reader.unsignedGolomb() + 1] as const;
  const isWeighted = reader.flag();
  const weightingOfB = reader.bits(2);
  for (let index = 0; index < 3; index++) reader.signedGolomb();
  const isDeblockingTold = reader.flag();
  reader.skip(1);
  const isRedundancyTold = reader.flag();
  const set = {
    sequence,
    isCabac,
    isOrderOfBottomTold,
    references,
    isWeighted,
    weightingOfB,
    isDeblockingTold,
    isRedundancyTold,
  };
  return [id, set];
}

function readReferences(reader: BitReader, picture: PictureSet, sequence: SequenceSet, type: number): void {
  const counts: number[] = type === B ? [...picture.references] : [picture.references[0]];
  if (reader.flag()) counts.forEach((_, list) => (counts[list] = atMost(reader.unsignedGolomb(), 31) + 1));
  for (const _ of counts) {
    const LAST = 3;
    if (reader.flag()) while (atMost(reader.unsignedGolomb(), LAST) !== LAST) reader.unsignedGolomb();
  }
  const isWeighted = type === P || type === SP ? picture.isWeighted : type === B && picture.weightingOfB === 1;
  if (!isWeighted) return;
  const hasColor = sequence.chromaArrayType !== 0;
  reader.unsignedGolomb();
  if (hasColor) reader.unsignedGolomb();
  const skipWeights = (values: number): void => {
    if (reader.flag()) for (let index = 0; index < values; index++) reader.signedGolomb();
  };
  for (const count of counts) {
    for (let index = 0; index < count; index++) {
      skipWeights(2);
      if (hasColor) skipWeights(4);
    }
  }
}

/** How pictures are marked as references (7.3.3.3). */
function readMarking(reader: BitReader, isKey: boolean): void {
  if (isKey) {
    reader.skip(2);
    return;
  }
  if (!reader.flag()) return;
  for (;;) {
    const operation = atMost(reader.unsignedGolomb(), 6);
    if (operation === 0) return;
    if (operation !== 5) reader.unsignedGolomb();
    if (operation === 3) reader.unsignedGolomb();
  }
}
