import { BitReader } from './bit-reader.ts';
import { withoutEmulationPrevention } from './nal-units.ts';

/** What a sequence parameter set says of the picture. */
export interface PictureFacts {
  readonly width: number;
  readonly height: number;
  /** How many frames may come before, in the stream, of those they are shown after; `undefined` where it is not said. */
  readonly reorderedFrames: number | undefined;
}

/** Profiles whose parameter sets say how colours are sampled (H.264, 7.3.2.1.1). */
export const WITH_CHROMA_FORMAT: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

/**
 * Reads an H.264 sequence parameter set (H.264, 7.3.2.1).
 *
 * @param unit the NAL unit, with its header byte
 * @throws RangeError when it is cut off or senseless
 */
export function readAvcParameterSet(unit: Uint8Array): PictureFacts {
  const { reader, ...size } = readSize(unit);
  return checked({ ...size, reorderedFrames: readReorderedFrames(reader) });
}

/** How the messages about the time of a picture are written (H.264, D.1.3). */
export interface TimingForm {
  /** Bits of the two delays that stand first; 0 where there are none. */
  readonly delayBits: number;
  readonly offsetBits: number;
}

/** @returns undefined where pictures have no such messages. @throws RangeError as `readAvcParameterSet` does */
export function readAvcTimingForm(unit: Uint8Array): TimingForm | undefined {
  const { reader } = readSize(unit);
  return reader.flag() ? readTiming(reader) : undefined;
}

/** Everything before the usability information. */
function readSize(unit: Uint8Array): { readonly reader: BitReader; readonly width: number; readonly height: number } {
  const reader = new BitReader(withoutEmulationPrevention(unit.subarray(1)));
  const profile = reader.bits(8);
  reader.skip(16);
  reader.unsignedGolomb();
  const chroma = WITH_CHROMA_FORMAT.has(profile) ? readChromaFormat(reader) : { format: 1, isSeparate: false };
  reader.unsignedGolomb();
  skipAvcPictureOrder(reader);
  reader.unsignedGolomb();
  reader.skip(1);
  const widthInBlocks = reader.unsignedGolomb() + 1;
  const heightInUnits = reader.unsignedGolomb() + 1;
  const areFramesOnly = reader.flag();
  if (!areFramesOnly) reader.skip(1);
  reader.skip(1);
  const crop = reader.flag() ? readCrop(reader) : { left: 0, right: 0, top: 0, bottom: 0 };
  const subsamples = chroma.isSeparate || chroma.format === 0 ? 0 : chroma.format;
  const unitX = subsamples === 1 || subsamples === 2 ? 2 : 1;
  const unitY = (subsamples === 1 ? 2 : 1) * (areFramesOnly ? 1 : 2);
  return {
    reader,
    width: widthInBlocks * 16 - unitX * (crop.left + crop.right),
    height: heightInUnits * (areFramesOnly ? 16 : 32) - unitY * (crop.top + crop.bottom),
  };
}

/** @throws RangeError for a picture without a size, or of a size that no level has */
export function checked(facts: PictureFacts): PictureFacts {
  const isSensible = (size: number): boolean => size > 0 && size <= 16_384;
  if (!isSensible(facts.width) || !isSensible(facts.height)) throw new RangeError('The picture has no sensible size.');
  return facts;
}

function readChromaFormat(reader: BitReader): { format: number; isSeparate: boolean } {
  const format = reader.unsignedGolomb();
  if (format > 3) throw new RangeError('The colour format is not known.');
  const isSeparate = format === 3 && reader.flag();
  reader.unsignedGolomb();
  reader.unsignedGolomb();
  reader.skip(1);
  if (reader.flag()) skipScalingLists(reader, format);
  return { format, isSeparate };
}

export function skipScalingLists(reader: BitReader, chromaFormat: number): void {
  const lists = chromaFormat === 3 ? 12 : 8;
  for (let list = 0; list < lists; list++) if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index++) {
    if (next !== 0) next = (last + reader.signedGolomb() + 256) % 256;
    if (next !== 0) last = next;
  }
}

/** @returns what slices' headers depend on */
export function skipAvcPictureOrder(reader: BitReader): { type: number; bits: number; isDeltaAlwaysZero: boolean } {
  const type = reader.unsignedGolomb();
  const bits = type === 0 ? reader.unsignedGolomb() + 4 : 0;
  if (bits > 16) throw new RangeError('A number is too large.');
  if (type !== 1) return { type, bits, isDeltaAlwaysZero: false };
  const isDeltaAlwaysZero = reader.flag();
  reader.signedGolomb();
  reader.signedGolomb();
  const count = reader.unsignedGolomb();
  if (count > 255) throw new RangeError('A cycle is too long.');
  for (let index = 0; index < count; index++) reader.signedGolomb();
  return { type, bits, isDeltaAlwaysZero };
}

function readCrop(reader: BitReader): { left: number; right: number; top: number; bottom: number } {
  const left = reader.unsignedGolomb();
  const right = reader.unsignedGolomb();
  const top = reader.unsignedGolomb();
  return { left, right, top, bottom: reader.unsignedGolomb() };
}

/** The end of the set is optional, and cameras write nonsense into it: then nothing is known of the order. */
function readReorderedFrames(reader: BitReader): number | undefined {
  try {
    return reader.flag() ? readUsability(reader) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The usability information (H.264, E.1.1). */
function readUsability(reader: BitReader): number | undefined {
  readTiming(reader);
  if (!reader.flag()) return undefined;
  reader.skip(1);
  for (let index = 0; index < 4; index++) reader.unsignedGolomb();
  const frames = reader.unsignedGolomb();
  return frames <= 16 ? frames : undefined;
}

/** Its beginning, with what it says of messages about time. */
function readTiming(reader: BitReader): TimingForm | undefined {
  const EXTENDED_ASPECT = 255;
  if (reader.flag() && reader.bits(8) === EXTENDED_ASPECT) reader.skip(32);
  if (reader.flag()) reader.skip(1);
  if (reader.flag()) {
    reader.skip(4);
    if (reader.flag()) reader.skip(24);
  }
  if (reader.flag()) {
    reader.unsignedGolomb();
    reader.unsignedGolomb();
  }
  if (reader.flag()) reader.skip(65);
  const nalBuffer = reader.flag() ? readBuffer(reader) : undefined;
  const streamBuffer = reader.flag() ? readBuffer(reader) : undefined;
  const buffer = nalBuffer ?? streamBuffer;
  if (buffer !== undefined) reader.skip(1);
  return reader.flag() ? (buffer ?? { delayBits: 0, offsetBits: USUAL_OFFSET_BITS }) : undefined;
}

/** Where nothing is said (H.264, E.2.2). */
const USUAL_OFFSET_BITS = 24;

/** The model of a decoder's buffer (H.264, E.1.2). */
function readBuffer(reader: BitReader): TimingForm {
  const count = reader.unsignedGolomb() + 1;
  if (count > 32) throw new RangeError('Too many buffers.');
  reader.skip(8);
  for (let index = 0; index < count; index++) {
    reader.unsignedGolomb();
    reader.unsignedGolomb();
    reader.skip(1);
  }
  reader.skip(5);
  const delayBits = reader.bits(5) + 1 + reader.bits(5) + 1;
  return { delayBits, offsetBits: reader.bits(5) };
}
