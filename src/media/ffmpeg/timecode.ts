import type { Rational } from '../video-settings.ts';

/** Where the pictures of a film are counted from: its own timecodes, nought, or the timecode of the first picture. */
export type FirstTimecode = 'embedded' | 'zero' | (string & {});

const FORM = /^(\d\d):(\d\d):(\d\d)([:;.])(\d\d)$/;

/** The pictures that a timecode counts in a second. */
export function timecodeRate({ num, den }: Rational): number {
  return Math.round(num / den);
}

/**
 * The number of the picture that a timecode names, counted from 00:00:00:00.
 *
 * @param timecode `HH:MM:SS:FF`, or `HH:MM:SS;FF` where numbers are dropped to keep to the clock (SMPTE 12M): two at
 * the beginning of each minute but every tenth, at 29.97 pictures a second, and four at 59.94
 * @returns undefined for what is no timecode at this rate
 */
export function frameOfTimecode(timecode: string, rate: Rational): number | undefined {
  const match = FORM.exec(timecode);
  const perSecond = timecodeRate(rate);
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = [1, 2, 3, 5].map((group) => Number(match?.[group]));
  if (match === null || frames >= perSecond) return undefined;
  const all = ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames;
  if (match[4] === ':') return all;
  const dropped = Math.round(perSecond / 15);
  const allMinutes = hours * 60 + minutes;
  return all - dropped * (allMinutes - Math.floor(allMinutes / 10));
}

/** The timecode of a picture's number; `isDrop` as in `frameOfTimecode`. Days are left out. */
export function timecodeOfFrame(frame: number, rate: Rational, isDrop: boolean): string {
  const perSecond = timecodeRate(rate);
  const number = isDrop ? withDropped(frame, perSecond) : frame;
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(number / perSecond);
  const [hour, minute, second] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${two(hour)}:${two(minute)}:${two(second)}${isDrop ? ';' : ':'}${two(number % perSecond)}`;
}

/** Adds the numbers that are left out before a picture. */
function withDropped(frame: number, perSecond: number): number {
  const dropped = Math.round(perSecond / 15);
  const tenMinutes = 600 * perSecond - 9 * dropped;
  const tens = Math.floor(frame / tenMinutes);
  const rest = frame % tenMinutes;
  const minutes = rest < 60 * perSecond ? 0 : 1 + Math.floor((rest - 60 * perSecond) / (60 * perSecond - dropped));
  return frame + dropped * (tens * 9 + minutes);
}

/** Whether the rate is one at which timecodes may drop numbers. */
export function isDropRate({ num, den }: Rational): boolean {
  return den === 1001 && (num === 30_000 || num === 60_000);
}

/** The number of a timecode at another rate: the same second, and the picture that is shown at the same moment. */
export function convertTimecode(timecode: string, from: Rational, to: Rational): string | undefined {
  const match = FORM.exec(timecode);
  if (match === null) return undefined;
  const frames = Math.floor((Number(match[5]) * timecodeRate(to)) / timecodeRate(from));
  const mark = match[4] === ':' || !isDropRate(to) ? ':' : ';';
  return `${timecode.slice(0, 8)}${mark}${String(frames).padStart(2, '0')}`;
}
