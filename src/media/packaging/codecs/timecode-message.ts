import type { TimingForm } from './avc-parameter-set.ts';
import { BitReader } from './bit-reader.ts';
import { BitWriter } from './bit-writer.ts';
import { withEmulationPrevention, withoutEmulationPrevention } from './nal-units.ts';

/** The timecode of a picture: `HH:MM:SS:FF`, with a semicolon where numbers are dropped. */
interface Timecode {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly frames: number;
  readonly isDrop: boolean;
}

function partsOf(timecode: string): Timecode {
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = timecode.split(/[:;.]/).map(Number);
  return { hours, minutes, seconds, frames, isDrop: timecode[8] === ';' };
}

/**
 * Two numbers are left out at the beginning of each minute but every tenth. That some are is said with every picture, by
 * which readers know it.
 */
const DROPS_TWO = 4;

const PICTURE_TIMING = 1;
const TIME_CODE = 136;
/** H.264's and H.265's NAL units of messages in front of a picture. */
const AVC_MESSAGE = 6;
const HEVC_MESSAGE = 39;

/** A message with a timecode for H.265 (ISO 23008-2, D.2.27), as a NAL unit. */
export function hevcTimecodeUnit(timecode: string): Buffer {
  const { hours, minutes, seconds, frames, isDrop } = partsOf(timecode);
  const bits = new BitWriter();
  bits.bits(1, 2).bits(1, 1).bits(0, 1);
  bits
    .bits(isDrop ? DROPS_TWO : 0, 5)
    .bits(1, 1)
    .bits(0, 1)
    .bits(isDrop ? 1 : 0, 1);
  bits.bits(frames, 9).bits(seconds, 6).bits(minutes, 6).bits(hours, 5).bits(0, 5);
  return unitOf([HEVC_MESSAGE << 1, 1], TIME_CODE, bits.finish());
}

/**
 * The message about a picture's time as the encoder wrote it, with a timecode put in (H.264, D.1.3). What is no such
 * message stays as it is.
 *
 * @param unit the NAL unit, in which the message stands alone, as x264 writes it
 */
export function withAvcTimecode(unit: Buffer, form: TimingForm, timecode: string): Buffer {
  const plain = withoutEmulationPrevention(unit);
  if (((plain[0] ?? 0) & 0x1f) !== AVC_MESSAGE || plain[1] !== PICTURE_TIMING) return unit;
  const read = new BitReader(plain.subarray(3));
  const bits = new BitWriter();
  for (let left = form.delayBits; left > 0; left -= 16) {
    const count = Math.min(left, 16);
    bits.bits(read.bits(count), count);
  }
  const structure = read.bits(4);
  bits.bits(structure, 4);
  const { hours, minutes, seconds, frames, isDrop } = partsOf(timecode);
  // A picture has up to three times, one a field: the first says all.
  bits.bits(1, 1);
  bits
    .bits(structure === 0 ? 0 : 1, 2)
    .bits(1, 1)
    .bits(isDrop ? DROPS_TWO : 0, 5);
  bits
    .bits(1, 1)
    .bits(0, 1)
    .bits(isDrop ? 1 : 0, 1)
    .bits(frames, 8);
  bits.bits(seconds, 6).bits(minutes, 6).bits(hours, 5).bits(0, form.offsetBits);
  bits.bits(0, (CLOCKS[structure] ?? 1) - 1);
  return unitOf([plain[0] ?? AVC_MESSAGE], PICTURE_TIMING, bits.finish());
}

/** How many times a picture has, by its structure (H.264, table D-1). */
const CLOCKS = [1, 1, 1, 2, 2, 3, 3, 2, 3];

function unitOf(header: readonly number[], type: number, payload: Buffer): Buffer {
  const END = 0x80;
  return withEmulationPrevention(Buffer.from([...header, type, payload.length, ...payload, END]));
}
