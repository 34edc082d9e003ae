import { BitWriter } from './bit-writer.ts';
import type { FrequencyBands } from './frequency-bands.ts';
import { writeCode } from './huffman-code.ts';
import {
  ENVELOPE_BAND_COARSE,
  ENVELOPE_BAND_FINE,
  ENVELOPE_TIME_COARSE,
  ENVELOPE_TIME_FINE,
  type HuffmanTable,
  NOISE_TIME,
} from './huffman-tables.ts';

/** What a frame says of one channel. Envelopes are of equal length; a frame of one has steps of 1.5 dB, others of 3 dB. */
export interface ChannelFrame {
  /** By envelope, of which there are 1, 2 or 4, and by band of its resolution: steps above 2 to the power of 6. */
  readonly levels: readonly (readonly number[])[];
  /** True: the envelopes have the bands of `high`, else those of `low`. */
  readonly isHigh: boolean;
  /** By noise floor, of which there is one beside one envelope, else two, and by band: halvings below 2 to the power of 6. */
  readonly noise: readonly (readonly number[])[];
  /** By the noise floor's bands: how much of its tones the copied spectrum loses, from 0 to 3. */
  readonly whitening: readonly number[];
  /** By the bands of `high`: whether a tone stands in its middle. */
  readonly tones?: readonly boolean[];
}

/** `bs_amp_res`: 1 for steps of 3 dB where a frame has more than one envelope. */
const COARSE = 1;
/** As many as where a header does not say it. */
const LIMITER_BANDS = 2;
const NO_LIMIT = 3;
const LIFTED = 2;
const EXTENSION_SBR_DATA = 13;
const FIXFIX = 0;
/** A count of extended bytes of this much has more of it in a byte of its own. */
const ESCAPE = 15;
const START_BITS = { fine: 7, coarse: 6, noise: 5 } as const;

/**
 * The `extension_payload` of a frame (ISO/IEC 14496-3, 4.4.2.8), with the header, so that decoding can begin anywhere;
 * for the same reason nothing refers to the frame before.
 *
 * @param channels one, or two that are coded apart
 * @param extended what follows the channels, with its identifier: parametric stereo
 */
export function sbrPayload(
  bands: FrequencyBands,
  channels: readonly ChannelFrame[],
  extended: BitWriter = new BitWriter(),
): BitWriter {
  const bits = new BitWriter();
  bits.write(EXTENSION_SBR_DATA, 4);
  bits.write(1, 1);
  writeHeader(bits, bands, channels.every(isLifted));
  // No reserved data.
  bits.write(0, 1);
  if (channels.length === 2) bits.write(0, 1);
  for (const channel of channels) writeGrid(bits, channel);
  const envelopes = channels.map(codeEnvelopes);
  const floors = channels.map(({ noise }) => codeRows(noise, START_BITS.noise, ENVELOPE_BAND_COARSE, NOISE_TIME));
  for (const [index, coded] of envelopes.entries()) {
    for (const isTime of [...coded.isTime, ...(floors[index]?.isTime ?? [])]) bits.write(isTime ? 1 : 0, 1);
  }
  for (const { whitening } of channels) for (const mode of whitening) bits.write(mode, 2);
  // A channel's envelopes and noise floors follow each other where it is alone; of two, all envelopes come first.
  for (const { rows } of envelopes) bits.append(rows);
  for (const { rows } of floors) bits.append(rows);
  for (const { tones } of channels) {
    bits.write(tones === undefined ? 0 : 1, 1);
    for (const isTone of tones ?? []) bits.write(isTone ? 1 : 0, 1);
  }
  writeExtended(bits, extended);
  return bits;
}

function writeExtended(bits: BitWriter, extended: BitWriter): void {
  const count = Math.ceil(extended.length / 8);
  bits.write(count > 0 ? 1 : 0, 1);
  if (count === 0) return;
  bits.write(Math.min(count, ESCAPE), 4);
  if (count >= ESCAPE) bits.write(count - ESCAPE, 8);
  bits.append(extended);
  bits.write(0, count * 8 - extended.length);
}

function writeHeader(bits: BitWriter, { startIndex, stopIndex }: FrequencyBands, isUnlimited: boolean): void {
  bits.write(COARSE, 1);
  bits.write(startIndex, 4);
  bits.write(stopIndex, 4);
  // The replication starts with the first band; two reserved bits; the standard's own choices of bands.
  bits.write(0, 3 + 2 + 1);
  bits.write(isUnlimited ? 1 : 0, 1);
  if (!isUnlimited) return;
  bits.write(LIMITER_BANDS, 2);
  bits.write(NO_LIMIT, 2);
  // Each band of the filter bank by itself, and steps between envelopes.
  bits.write(3, 2);
}

/**
 * True where noise is to be made of tones: then the gaps between these have to be filled, which a decoder's limiter of
 * gains would not let happen.
 */
function isLifted({ whitening }: ChannelFrame): boolean {
  return whitening.every((mode) => mode >= LIFTED);
}

function writeGrid(bits: BitWriter, { levels, isHigh }: ChannelFrame): void {
  bits.write(FIXFIX, 2);
  bits.write(Math.log2(levels.length), 2);
  bits.write(isHigh ? 1 : 0, 1);
}

interface CodedRows {
  /** By row: whether it refers to the row before. */
  readonly isTime: readonly boolean[];
  readonly rows: BitWriter;
}

function codeEnvelopes({ levels }: ChannelFrame): CodedRows {
  if (levels.length === 1) return codeRows(levels, START_BITS.fine, ENVELOPE_BAND_FINE, ENVELOPE_TIME_FINE);
  return codeRows(levels, START_BITS.coarse, ENVELOPE_BAND_COARSE, ENVELOPE_TIME_COARSE);
}

/** Each row but the first refers to the one before where that takes fewer bits. */
function codeRows(
  values: readonly (readonly number[])[],
  startBits: number,
  acrossBands: HuffmanTable,
  acrossTime: HuffmanTable,
): CodedRows {
  const rows = new BitWriter();
  const isTime = values.map((row, index) => {
    const direct = new BitWriter();
    direct.write(row[0] ?? 0, startBits);
    for (let band = 1; band < row.length; band++)
      writeCode(direct, acrossBands, (row[band] ?? 0) - (row[band - 1] ?? 0));
    const before = values[index - 1];
    if (before !== undefined) {
      const relative = new BitWriter();
      for (const [band, value] of row.entries()) writeCode(relative, acrossTime, value - (before[band] ?? 0));
      if (relative.length < direct.length) {
        rows.append(relative);
        return true;
      }
    }
    rows.append(direct);
    return false;
  });
  return { isTime, rows };
}
