import { BitWriter } from './bit-writer.ts';

const ID_FILL = 6;
const ID_END = 7;
/** A count of this much has more of it in a byte of its own. */
const ESCAPE = 15;

/**
 * Puts an extension into an AAC frame, behind its last element.
 *
 * @param frame a raw_data_block, which ends with the identifier of its end
 * @throws RangeError when it does not, or when the extension is too large
 */
export function withFillElement(frame: Uint8Array, extension: BitWriter): Buffer {
  const end = endOf(frame);
  const count = Math.ceil(extension.length / 8);
  if (count > ESCAPE + 254) throw new RangeError('The extension is too large.');
  const bits = new BitWriter();
  for (let index = 0; index < end >> 3; index++) bits.write(frame[index] ?? 0, 8);
  if ((end & 7) > 0) bits.write((frame[end >> 3] ?? 0) >> (8 - (end & 7)), end & 7);
  bits.write(ID_FILL, 3);
  bits.write(Math.min(count, ESCAPE), 4);
  if (count >= ESCAPE) bits.write(count - ESCAPE + 1, 8);
  bits.append(extension);
  bits.write(0, count * 8 - extension.length);
  bits.write(ID_END, 3);
  return bits.finish();
}

/** Where the end's identifier is, in bits: three ones, before zeros that fill the byte. */
function endOf(frame: Uint8Array): number {
  const last = frame.at(-1) ?? 0;
  const zeros = last === 0 ? 8 : 31 - Math.clz32(last & -last);
  const end = frame.length * 8 - zeros - 3;
  const bit = (at: number): number => ((frame[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
  if (zeros === 8 || end < 0 || bit(end) + bit(end + 1) + bit(end + 2) !== 3) {
    throw new RangeError('The AAC frame has no end.');
  }
  return end;
}
