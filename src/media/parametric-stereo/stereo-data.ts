import { BitWriter } from '../sbr/bit-writer.ts';
import { writeCode } from '../sbr/huffman-code.ts';
import type { HuffmanTable } from '../sbr/huffman-tables.ts';
import { ICC_BAND, ICC_TIME, IID_BAND_COARSE, IID_BAND_FINE, IID_TIME_COARSE, IID_TIME_FINE } from './stereo-tables.ts';

/** How finely stereo is told. */
export interface StereoGrid {
  readonly bands: 10 | 20;
  /** True: level differences have steps of 2 to 5 dB up to 50 dB, else of 2 to 7 dB up to 25 dB. */
  readonly isFine: boolean;
}

/** What is so at an envelope's end; a decoder goes there from the end before. */
export interface StereoEnvelope {
  /** By band: the step by which the left channel is louder. */
  readonly levels: readonly number[];
  /** By band: from 0, alike, to 7, the opposite. */
  readonly coherences: readonly number[];
}

const EXTENSION_ID_PS = 2;
/** `num_env_idx` of borders that divide a frame in equal parts, by envelopes less one. */
const FIXED = 0;
const ENVELOPES: readonly number[] = [0, 1, 2, 4];

/**
 * The extended data of a replication that say what is left and right (ISO/IEC 14496-3, 8.4.2), without phases. As with
 * the replication itself, nothing refers to the frame before.
 *
 * @param envelopes 1, 2 or 4
 */
export function stereoData({ bands, isFine }: StereoGrid, envelopes: readonly StereoEnvelope[]): BitWriter {
  const bits = new BitWriter();
  const levels = envelopes.map((one) => one.levels);
  const coherences = envelopes.map((one) => one.coherences);
  const resolution = bands === 20 ? 1 : 0;
  const areLevels = levels.some((row) => row.some((level) => level !== 0));
  const areCoherences = coherences.some((row) => row.some((coherence) => coherence !== 0));
  bits.write(EXTENSION_ID_PS, 2);
  bits.write(1, 1);
  bits.write(areLevels ? 1 : 0, 1);
  if (areLevels) bits.write(resolution + (isFine ? 3 : 0), 3);
  bits.write(areCoherences ? 1 : 0, 1);
  if (areCoherences) bits.write(resolution, 3);
  // No phases.
  bits.write(0, 1);
  bits.write(FIXED, 1);
  bits.write(ENVELOPES.indexOf(envelopes.length), 2);
  if (areLevels) {
    if (isFine) writeRows(bits, levels, IID_BAND_FINE, IID_TIME_FINE);
    else writeRows(bits, levels, IID_BAND_COARSE, IID_TIME_COARSE);
  }
  if (areCoherences) writeRows(bits, coherences, ICC_BAND, ICC_TIME);
  return bits;
}

/** Each row but the first refers to the one before where that takes fewer bits. */
function writeRows(
  bits: BitWriter,
  rows: readonly (readonly number[])[],
  acrossBands: HuffmanTable,
  acrossTime: HuffmanTable,
): void {
  for (const [index, row] of rows.entries()) {
    const direct = new BitWriter();
    for (const [band, value] of row.entries()) writeCode(direct, acrossBands, value - (row[band - 1] ?? 0));
    const before = rows[index - 1];
    const relative = new BitWriter();
    if (before !== undefined) {
      for (const [band, value] of row.entries()) writeCode(relative, acrossTime, value - (before[band] ?? 0));
    }
    const isTime = before !== undefined && relative.length < direct.length;
    bits.write(isTime ? 1 : 0, 1);
    bits.append(isTime ? relative : direct);
  }
}
