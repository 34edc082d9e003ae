/** Of which segments an HLS manifest tells the date, and which. */
export interface ProgramDates {
  /** Of the first picture, in milliseconds since the epoch. */
  readonly startMs: number;
  readonly periodSeconds: number;
}

/**
 * The `EXT-X-PROGRAM-DATE-TIME` lines by segment: at the first, and then at each that begins a period or more after the
 * last one that had a date.
 *
 * @param durations of the segments, in seconds
 */
export function programDateLines(
  { startMs, periodSeconds }: ProgramDates,
  durations: readonly number[],
): readonly (string | undefined)[] {
  let time = 0;
  let told = Number.NEGATIVE_INFINITY;
  return durations.map((duration) => {
    const begin = time;
    time += duration;
    if (begin - told < periodSeconds - 1e-6) return undefined;
    told = begin;
    return `#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs + Math.round(begin * 1000)).toISOString()}`;
  });
}
