import type { BurntTimecode } from '../picture-settings.ts';
import type { Rational } from '../video-settings.ts';
import { fontFile, optionValue } from './font.ts';

/** Writes the timecode of each picture on it, white on black. */
export function burnIn({ fontSize, row, column, prefix }: BurntTimecode, first: string, rate: Rational): string {
  const margin = Math.ceil(fontSize / 2);
  const x = { left: `${margin}`, center: '(w-tw)/2', right: `w-tw-${margin}` }[column];
  const y = { top: `${margin}`, middle: '(h-th)/2', bottom: `h-th-${margin}` }[row];
  return (
    `drawtext=fontfile=${optionValue(fontFile({ family: 'mono' }))}:timecode=${optionValue(first)}:timecode_rate=${rate.num}/${rate.den}:tc24hmax=1` +
    `:text=${optionValue(prefix)}:expansion=none:fontsize=${fontSize}:x=${x}:y=${y}` +
    `:fontcolor=white:box=1:boxcolor=black:boxborderw=${Math.ceil(fontSize / 8)}`
  );
}
