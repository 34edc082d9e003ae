import type { BitReader } from '../codecs/bit-reader.ts';
import { atMost } from './slice-header.ts';

interface Reference {
  /** How far away it is shown. */
  readonly distance: number;
  readonly isUsed: boolean;
}

/** Short-term references of a picture: those shown before it, and those shown after it, the nearest first. */
export interface ReferenceSet {
  readonly before: readonly Reference[];
  readonly after: readonly Reference[];
}

/**
 * Reads `st_ref_pic_set` (H.265, 7.3.7, and 7.4.8 for what it means).
 *
 * @param known the sequence's sets so far
 * @param isInSlice where a set may be predicted from any of the sequence's
 */
export function readReferenceSet(reader: BitReader, known: readonly ReferenceSet[], isInSlice: boolean): ReferenceSet {
  if (known.length > 0 && reader.flag()) return readPredicted(reader, known, isInSlice);
  const counts = [atMost(reader.unsignedGolomb(), 16), atMost(reader.unsignedGolomb(), 16)];
  const [before = [], after = []] = counts.map((count, list) => {
    let distance = 0;
    return Array.from({ length: count }, () => {
      const step = reader.unsignedGolomb() + 1;
      distance += list === 0 ? -step : step;
      return { distance, isUsed: reader.flag() };
    });
  });
  return { before, after };
}

function readPredicted(reader: BitReader, known: readonly ReferenceSet[], isInSlice: boolean): ReferenceSet {
  const back = isInSlice ? reader.unsignedGolomb() + 1 : 1;
  const source = known[known.length - back];
  if (source === undefined) throw new RangeError('A set of references is predicted from none.');
  const isNegative = reader.flag();
  const shift = (reader.unsignedGolomb() + 1) * (isNegative ? -1 : 1);
  const read = (distance: number) => {
    const isUsed = reader.flag();
    const isKept = isUsed || reader.flag();
    return { distance: distance + shift, isUsed, isKept };
  };
  const before = source.before.map(({ distance }) => read(distance));
  const after = source.after.map(({ distance }) => read(distance));
  const own = read(0);
  const kept = [...before, own, ...after].filter(({ isKept }) => isKept);
  const sorted = kept.toSorted((a, b) => a.distance - b.distance);
  return {
    before: sorted.filter(({ distance }) => distance < 0).toReversed(),
    after: sorted.filter(({ distance }) => distance > 0),
  };
}
