import { ConfigError } from './config.ts';

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A point in time, or how long ago: `2026-11-20`, `2026-11-20T08:30:00Z`, `90m`, `12h`, `7d`. Milliseconds since 1970.
 *
 * @param option how the message names it
 * @throws ConfigError
 */
export function readTime(option: string, text: string, now: number): number {
  const ago = /^(\d{1,6})([mhd])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * (UNITS_MS[ago[2] ?? ''] ?? 0);
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new ConfigError(
    `${option} is a time such as 2026-11-20T08:30:00Z, or how long ago, such as 12h, not '${text}'.`,
  );
}
