import type { Problem } from '../errors.ts';
import { carriedOut, missing, oneOf } from './setting-rule.ts';

/** How many pictures a second. */
export const framerate = {
  FramerateControl: carriedOut,
  FramerateNumerator: carriedOut,
  FramerateDenominator: carriedOut,
  FramerateConversionAlgorithm: oneOf('DUPLICATE_DROP', 'INTERPOLATE', 'FRAMEFORMER'),
} as const;

/** Of codecs that can keep fields. Signals for players to make fields themselves are not written. */
export const interlacing = {
  InterlaceMode: carriedOut,
  ScanTypeConversionMode: carriedOut,
  Telecine: oneOf<'NONE' | 'HARD'>('NONE', 'HARD'),
  SlowPal: oneOf<'DISABLED'>('DISABLED'),
} as const;

export function checkRatio(
  control: string | undefined,
  numerator: number | undefined,
  denominator: number | undefined,
  name: string,
  pointer: string,
  problems: Problem[],
): void {
  if (control === 'SPECIFIED') {
    if (numerator === undefined) problems.push(missing(pointer, `${name}Numerator`));
    if (denominator === undefined) problems.push(missing(pointer, `${name}Denominator`));
  } else if (control === undefined && (numerator !== undefined || denominator !== undefined)) {
    problems.push({ pointer: `${pointer}/${name}Control`, text: `Should be SPECIFIED when ${name}Numerator is set` });
  }
}
