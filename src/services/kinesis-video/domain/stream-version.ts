import type { Randomness } from '#kernel/randomness.ts';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A stream's version: opaque, 20 characters, as those of AWS are. */
export function newVersion(randomness: Randomness): string {
  return randomness.text(20, ALPHANUMERIC);
}
