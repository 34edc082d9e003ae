import type { BitWriter } from './bit-writer.ts';
import type { HuffmanTable } from './huffman-tables.ts';

/** @throws RangeError where a difference has no code */
export function writeCode(bits: BitWriter, { reach, lengths, codes }: HuffmanTable, difference: number): void {
  const length = lengths[difference + reach];
  const code = codes[difference + reach];
  if (length === undefined || code === undefined) throw new RangeError(`A difference of ${difference} has no code.`);
  bits.write(code, length);
}
