import type { FragmentArchive, FragmentRecord, StreamRecord, TimestampKind } from '#services/kinesis-video/api.ts';
import { type FragmentGroup, groupOf, placementOf, withFollower } from './fragment-group.ts';

/** No fragment is longer, and no group of fragments. */
const LONGEST_MS = 20_000;
/**
 * How long a fragment's last picture is taken to be shown after the fragment's end, where no other follows: producers
 * often do not say how long a frame lasts, so that fragments end at the beginning of their last frame.
 */
const LAST_PICTURE_MS = 1000;
const PAGE = 1000;

/** A fragment that holds a moment, and where its decoding begins. */
export interface FragmentFound {
  readonly fragment: FragmentRecord;
  /** The first of its group: itself, or one before it. */
  readonly head: FragmentRecord;
}

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
): Promise<(FragmentFound | undefined)[]> {
  const found: (FragmentFound | undefined)[] = times.map(() => undefined);
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return found;
  // The fragment that holds the first moment may follow another one.
  const selection = { by, start: first - 2 * LONGEST_MS - LAST_PICTURE_MS, end: last };
  const groups = new Map<string, FragmentGroup>();
  for (let after: FragmentRecord | undefined; ; ) {
    const { fragments, hasMore } = await archive.list(stream, selection, PAGE, after);
    for (const fragment of fragments) {
      const { ingestId } = fragment;
      const before = groups.get(ingestId);
      const isFollower = before !== undefined && placementOf(fragment, before) === 'follower';
      const group = isFollower ? withFollower(before, fragment) : groupOf(fragment);
      groups.set(ingestId, group);
      claim(found, { fragment, head: group.record }, by, times);
    }
    after = fragments.at(-1);
    if (!hasMore || after === undefined) return found;
  }
}

function claim(
  found: (FragmentFound | undefined)[],
  candidate: FragmentFound,
  by: TimestampKind,
  times: readonly number[],
): void {
  const { fragment } = candidate;
  const start = startOf(fragment, by);
  const end = start + fragment.lengthMs;
  times.forEach((time, index) => {
    if (time < start || time >= end + LAST_PICTURE_MS) return;
    const other = found[index]?.fragment;
    const isOtherSurer = other !== undefined && time > end && time <= startOf(other, by) + other.lengthMs;
    if (!isOtherSurer) found[index] = candidate;
  });
}

export function startOf(fragment: FragmentRecord, by: TimestampKind): number {
  return by === 'server' ? fragment.serverTimestamp : fragment.producerTimestamp;
}
