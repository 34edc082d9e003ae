const DAY = 86_400_000;

/** AWS managed keys rotate every year; other keys too where no period is asked for. */
export const YEAR_IN_DAYS = 365;

/** @param from milliseconds since the epoch: when rotation was enabled, or was last due */
export function nextRotation(from: number, periodDays: number): number {
  return from + periodDays * DAY;
}

/** When a rotation that was due at `dueAt` and is made at `now` comes again: after a long pause, a period from now. */
export function rotationAfter(dueAt: number, periodDays: number, now: number): number {
  const regular = nextRotation(dueAt, periodDays);
  return regular > now ? regular : nextRotation(now, periodDays);
}
