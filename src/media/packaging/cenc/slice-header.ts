import { withoutEmulationPrevention } from '../codecs/nal-units.ts';

/** Finds out how much of a NAL unit has to stay in the clear, so that a player can read whose picture it is part of. */
export interface SliceHeaders {
  /** Takes parameter sets in; ignores other units. */
  addParameterSet(unit: Uint8Array): void;
  /**
   * The length of a slice's header, that of the NAL unit included, in whole bytes of the unit as it is stored.
   *
   * @returns undefined where the unit holds no slice
   * @throws RangeError when the header cannot be read
   */
  headerLength(unit: Uint8Array): number | undefined;
}

/** A slice's header is somewhere in here, entry points of many tiles too. */
const LONGEST_HEADER = 4096;

/** The beginning of a unit without the bytes that keep start codes out of it. */
export function headOf(unit: Uint8Array, headerBytes: number): Buffer {
  return withoutEmulationPrevention(unit.subarray(headerBytes, LONGEST_HEADER));
}

/** How many stored bytes hold so many plain ones: those that keep start codes out are counted, too. */
export function storedLength(unit: Uint8Array, headerBytes: number, plainBytes: number): number {
  let at = headerBytes;
  let zeros = 0;
  for (let plain = 0; plain < plainBytes; at++) {
    const byte = unit[at];
    if (byte === undefined) throw new RangeError('The slice ends in its header.');
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    plain += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return at;
}

/** How many bits hold a number below `count`. */
export function bitsFor(count: number): number {
  return count <= 1 ? 0 : Math.ceil(Math.log2(count));
}

/** @throws RangeError for a number that no valid stream has */
export function atMost(value: number, most: number): number {
  if (value > most) throw new RangeError('A number of the slice is too large.');
  return value;
}

export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('A slice names a parameter set that is not there.');
  return value;
}
