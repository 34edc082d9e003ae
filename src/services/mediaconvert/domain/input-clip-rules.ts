import type { Input, InputClipping, TimecodeConfig } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, type SettingRule, structure } from './setting-rule.ts';

/** A part of an input, by the timecodes of its first and its last picture. */
export const inputClip: SettingRule<InputClipping> = allOf(
  checkClip,
  structure<InputClipping>({ StartTimecode: carriedOut, EndTimecode: carriedOut }),
);

function checkClip(
  { StartTimecode: start, EndTimecode: end }: InputClipping,
  pointer: string,
  problems: Problem[],
): void {
  if (start === undefined && end === undefined) {
    problems.push({ pointer, text: 'Should have a startTimecode, an endTimecode, or both' });
  }
  if (start !== undefined && end !== undefined && comparable(end) < comparable(start)) {
    problems.push({ pointer: `${pointer}/endTimecode`, text: 'Should not be before startTimecode' });
  }
}

/** Timecodes are of one length, so that they compare as text, whatever stands before the pictures' number. */
function comparable(timecode: string): string {
  return timecode.replace(';', ':');
}

/** Where clips are counted from. */
export function checkTimecodes(input: Input, pointer: string, problems: Problem[]): void {
  if (input.TimecodeSource === 'SPECIFIEDSTART' && input.TimecodeStart === undefined) {
    problems.push({ pointer, text: 'timecodeStart is a required property with timecodeSource SPECIFIEDSTART' });
  }
}

/** Where the outputs' pictures are counted from. */
export function checkTimecodeConfig(
  { Source: source, Start: start }: TimecodeConfig,
  pointer: string,
  problems: Problem[],
): void {
  if (source === 'SPECIFIEDSTART' && start === undefined) problems.push(missing(pointer, 'start'));
}
