import type { Randomness } from '#kernel/randomness.ts';

/** An id for an event of this time (milliseconds since the epoch): a UUID of version 7, which leads to its place in the log. */
export function newEventId(time: number, randomness: Randomness): string {
  const bytes = randomness.bytes(10);
  bytes[0] = ((bytes[0] ?? 0) & 0x0f) | 0x70;
  bytes[2] = ((bytes[2] ?? 0) & 0x3f) | 0x80;
  const stamp = time.toString(16).padStart(12, '0');
  const random = bytes.toString('hex');
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8)}`;
}

/** When the event of this id was; `undefined` where the id does not say it. */
export function timeOfEventId(id: string): number | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(id);
  return match === null ? undefined : Number.parseInt(`${match[1]}${match[2]}`, 16);
}
