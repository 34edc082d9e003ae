import type { NalLengthSize } from '../codecs/nal-units.ts';

interface ParameterSets {
  readonly lengthSize: NalLengthSize;
  readonly units: readonly Buffer[];
}

/**
 * The parameter sets of a configuration record (ISO 14496-15, 5.3.3 and 8.3.3).
 *
 * @throws RangeError when it is cut off
 */
export function parameterSetsOf(codec: 'h264' | 'h265', record: Buffer): ParameterSets {
  const units: Buffer[] = [];
  const readUnits = (from: number, count: number): number => {
    let at = from;
    for (let index = 0; index < count; index++) {
      const end = at + 2 + record.readUInt16BE(at);
      if (end > record.length) throw new RangeError('A parameter set is cut off.');
      units.push(record.subarray(at + 2, end));
      at = end;
    }
    return at;
  };
  if (codec === 'h264') {
    const pictures = readUnits(6, record.readUInt8(5) & 0x1f);
    readUnits(pictures + 1, record.readUInt8(pictures));
    return { lengthSize: sizeOf(record.readUInt8(4)), units };
  }
  let at = 23;
  for (let array = record.readUInt8(22); array > 0; array--) at = readUnits(at + 3, record.readUInt16BE(at + 1));
  return { lengthSize: sizeOf(record.readUInt8(21)), units };
}

function sizeOf(byte: number): NalLengthSize {
  const size = (byte & 3) + 1;
  if (size === 3) throw new RangeError('Lengths of three bytes do not exist.');
  return size as NalLengthSize;
}
