import type { Rational } from '../video-settings.ts';
import { framerateOf, type MediaInput } from './media-input.ts';
import { convertTimecode, type FirstTimecode, frameOfTimecode, isDropRate, timecodeOfFrame } from './timecode.ts';

const NOUGHT = '00:00:00:00';

/** Where the pictures of a film are in time, by their timecodes. */
export interface FilmTimes {
  /** Seconds from the film's first picture to the one that a timecode names. */
  secondsOf(timecode: string): number;
}

/** An input's own pictures; one without timecodes begins at nought. */
export function inputTimes(media: MediaInput, first: FirstTimecode = 'embedded'): FilmTimes {
  const video = media.findVideo();
  const rate = video === undefined ? { num: 25, den: 1 } : framerateOf(video);
  return timesFrom(inputTimecode(media, first) ?? NOUGHT, rate);
}

/**
 * The timecode of an output's first picture.
 *
 * @param first where the job counts from
 * @param embedded the timecode of the first input's first picture, if it has one
 * @param skippedSeconds of the first input that are left out at its beginning
 */
export function outputTimecode(
  first: FirstTimecode,
  embedded: string | undefined,
  skippedSeconds: number,
  inputRate: Rational,
  rate: Rational,
): string {
  if (first === 'zero') return NOUGHT;
  if (first !== 'embedded') return first;
  if (embedded === undefined) return NOUGHT;
  const frame = frameOfTimecode(embedded, inputRate) ?? 0;
  const skipped = Math.round((skippedSeconds * inputRate.num) / inputRate.den);
  const begin = timecodeOfFrame(frame + skipped, inputRate, embedded[8] !== ':');
  return convertTimecode(begin, inputRate, rate) ?? NOUGHT;
}

/** @param first the timecode of the first picture */
export function timesFrom(first: string, rate: Rational): FilmTimes {
  const begin = frameOfTimecode(first, rate) ?? 0;
  return {
    secondsOf: (timecode) => (((frameOfTimecode(timecode, rate) ?? begin) - begin) * rate.den) / rate.num,
  };
}

function inputTimecode(media: MediaInput, first: FirstTimecode): string | undefined {
  if (first === 'zero') return NOUGHT;
  return first === 'embedded' ? media.embeddedTimecode : first;
}

/** The timecode so many pictures later. `isDropped` where numbers are to be dropped, if they may be at this rate. */
export function laterTimecode(first: string, frames: number, rate: Rational, isDropped: boolean): string {
  const isDrop = isDropped && isDropRate(rate);
  // The first one's figures stay, however it is counted from there.
  const counted = `${first.slice(0, 8)}${isDrop ? ';' : ':'}${first.slice(9)}`;
  return timecodeOfFrame((frameOfTimecode(counted, rate) ?? 0) + frames, rate, isDrop);
}
