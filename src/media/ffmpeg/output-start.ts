import type { Rational } from '../video-settings.ts';
import { frameOfTimecode } from './timecode.ts';

/**
 * The date and time of the outputs' first picture, in milliseconds since the epoch.
 *
 * @param timecode of that picture: its time
 * @param date `YYYY-MM-DD`; absent: the day on which the job began
 */
export function outputStartMs(timecode: string, rate: Rational, date: string | undefined, startedAt: number): number {
  const DAY = 86_400_000;
  const day = date === undefined ? Math.floor(startedAt / DAY) * DAY : Date.parse(`${date}T00:00:00Z`);
  const seconds = ((frameOfTimecode(timecode, rate) ?? 0) * rate.den) / rate.num;
  return day + Math.round(seconds * 1000);
}
