import { PackagingError } from '../packaging-error.ts';
import { type PictureFacts, readAvcParameterSet } from './avc-parameter-set.ts';
import { type NalLengthSize, splitAnnexB, startsWithStartCode } from './nal-units.ts';

/** H.264: how to configure a decoder, and how the producer frames NAL units. */
export interface AvcConfig extends PictureFacts {
  readonly kind: 'avc';
  /** RFC 6381: `avc1.640028`. */
  readonly name: string;
  /** `AVCDecoderConfigurationRecord` (ISO 14496-15, 5.3.3) for lengths of four bytes. */
  readonly record: Buffer;
  /** Sequence parameter sets, then picture parameter sets: NAL units. */
  readonly parameterSets: readonly Buffer[];
  /** `undefined` where the producer's configuration was in Annex B form. */
  readonly lengthSize: NalLengthSize | undefined;
}

const SEQUENCE_SET = 7;
const PICTURE_SET = 8;

/**
 * Reads H.264's codec private data: a configuration record, or parameter sets in Annex B form.
 *
 * @throws RangeError when it cannot be read; PackagingError when it lacks parameter sets
 */
export function readAvcConfig(data: Buffer): AvcConfig {
  if (startsWithStartCode(data)) {
    const units = splitAnnexB(data);
    return configOf(unitsOfType(units, SEQUENCE_SET), unitsOfType(units, PICTURE_SET), undefined, undefined);
  }
  if (data.length < 7 || data[0] !== 1) throw new RangeError('Not a configuration record.');
  const lengthSize = ((data[4] ?? 0) & 3) + 1;
  if (lengthSize === 3) throw new RangeError('Lengths of three bytes do not exist.');
  const sequence = readSets(data, 6, (data[5] ?? 0) & 0x1f);
  const picture = readSets(data, sequence.end + 1, data[sequence.end] ?? 0);
  const record = Buffer.from(data);
  record[4] = 0xff;
  return configOf(sequence.units, picture.units, lengthSize as NalLengthSize, record);
}

function configOf(
  sequenceSets: readonly Buffer[],
  pictureSets: readonly Buffer[],
  lengthSize: NalLengthSize | undefined,
  record: Buffer | undefined,
): AvcConfig {
  const [first] = sequenceSets;
  if (first === undefined || first.length < 4 || pictureSets.length === 0) {
    throw new PackagingError('invalid-codec-private-data', 'The H.264 configuration has no parameter sets.');
  }
  return {
    kind: 'avc',
    name: `avc1.${first.toString('hex', 1, 4)}`,
    record: record ?? buildRecord(first, sequenceSets, pictureSets),
    parameterSets: [...sequenceSets, ...pictureSets],
    lengthSize,
    ...readAvcParameterSet(first),
  };
}

function unitsOfType(units: readonly Buffer[], type: number): Buffer[] {
  return units.filter((unit) => ((unit[0] ?? 0) & 0x1f) === type);
}

/** Units behind lengths of two bytes, the first of which stands at `start`. */
function readSets(data: Buffer, start: number, count: number): { readonly units: Buffer[]; readonly end: number } {
  const units: Buffer[] = [];
  let next = start;
  for (let index = 0; index < count; index++) {
    const length = data.readUInt16BE(next);
    const end = next + 2 + length;
    if (end > data.length) throw new RangeError('A parameter set is cut off.');
    units.push(Buffer.from(data.subarray(next + 2, end)));
    next = end;
  }
  return { units, end: next };
}

/** Without the colour format, with which the records of high profiles may end: no decoder needs it. */
function buildRecord(first: Buffer, sequenceSets: readonly Buffer[], pictureSets: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.of(1, first[1] ?? 0, first[2] ?? 0, first[3] ?? 0, 0xff, 0xe0 | sequenceSets.length),
    ...withLengths(sequenceSets),
    Buffer.of(pictureSets.length),
    ...withLengths(pictureSets),
  ]);
}

/** Each unit behind its length of two bytes. */
export function withLengths(units: readonly Buffer[]): Buffer[] {
  return units.flatMap((unit) => {
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(unit.length);
    return [length, unit];
  });
}
