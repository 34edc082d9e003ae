import type { FragmentArchive, FragmentRecord, StreamRecord, TimestampKind } from '#services/kinesis-video/api.ts';

/** No fragment is longer. */
const LONGEST_MS = 20_000;
/**
 * How long a fragment's last picture is taken to be shown after the fragment's end, where no other follows: producers
 * often do not say how long a frame lasts, so that fragments end at the beginning of their last frame.
 */
const LAST_PICTURE_MS = 1000;
const PAGE = 1000;

/**
 * For each moment the fragment that holds it, `undefined` where there is none. Where several do, as after a producer's
 * clock went back, that with the latest beginning, and among those the one that came last.
 *
 * @param times milliseconds since the epoch, ascending
 */
export async function fragmentsAt(
  archive: FragmentArchive,
  stream: StreamRecord,
  by: TimestampKind,
  times: readonly number[],
): Promise<(FragmentRecord | undefined)[]> {
  const found: (FragmentRecord | undefined)[] = times.map(() => undefined);
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return found;
  const selection = { by, start: first - LONGEST_MS - LAST_PICTURE_MS, end: last };
  for (let after: FragmentRecord | undefined; ; ) {
    const { fragments, hasMore } = await archive.list(stream, selection, PAGE, after);
    for (const fragment of fragments) claim(found, fragment, by, times);
    after = fragments.at(-1);
    if (!hasMore || after === undefined) return found;
  }
}

function claim(
  found: (FragmentRecord | undefined)[],
  fragment: FragmentRecord,
  by: TimestampKind,
  times: readonly number[],
): void {
  const start = startOf(fragment, by);
  const end = start + fragment.lengthMs;
  times.forEach((time, index) => {
    if (time < start || time >= end + LAST_PICTURE_MS) return;
    const other = found[index];
    const isOtherSurer = other !== undefined && time > end && time <= startOf(other, by) + other.lengthMs;
    if (!isOtherSurer) found[index] = fragment;
  });
}

export function startOf(fragment: FragmentRecord, by: TimestampKind): number {
  return by === 'server' ? fragment.serverTimestamp : fragment.producerTimestamp;
}
