import { invalidArgument } from '../errors.ts';

/** Ten years. */
const MAX_RETENTION_HOURS = 87_600;

/** @throws ServiceError InvalidArgumentException */
export function checkRetention(hours: number, member: string): number {
  if (hours >= 0 && hours <= MAX_RETENTION_HOURS) return hours;
  throw invalidArgument(
    `${member}: the retention would be ${hours} hours. It is between 0 and ${MAX_RETENTION_HOURS}.`,
  );
}
