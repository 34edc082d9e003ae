import type { FragmentArchive, FragmentRecord, StreamRecord } from '#services/kinesis-video/api.ts';
import { type FragmentGroup, GroupGatherer } from '../domain/fragment-group.ts';

const PAGE = 1000;
/** A stream without a fragment in so long is not live. Source: "ResourceNotFoundException" in the API reference. */
const LIVE_MS = 30_000;
/** The longest fragment that a producer may send. */
const LONGEST_FRAGMENT_MS = 20_000;
const WIDEN_BY = 4;

/**
 * The newest groups of a live stream's fragments, oldest first; none of a stream that is not live.
 *
 * @param count at most so many
 * @param now milliseconds since the epoch
 */
export async function newestGroups(
  archive: FragmentArchive,
  stream: StreamRecord,
  count: number,
  now: number,
): Promise<readonly FragmentGroup[]> {
  const retentionMs = stream.retentionHours * 3_600_000;
  for (let span = LIVE_MS + LONGEST_FRAGMENT_MS; ; span *= WIDEN_BY) {
    const { groups, last } = await newestSince(archive, stream, count, now - span);
    if (last === undefined || last.serverTimestamp + last.lengthMs < now - LIVE_MS) return [];
    if (groups.length >= count || span >= retentionMs) return groups;
  }
}

async function newestSince(archive: FragmentArchive, stream: StreamRecord, count: number, start: number) {
  // One more: the last one may not be whole.
  const gatherer = new GroupGatherer('last', count + 1);
  let last: FragmentRecord | undefined;
  for (let hasMore = true; hasMore; ) {
    const page = await archive.list(stream, { by: 'server', start }, PAGE, last);
    for (const record of page.fragments) gatherer.add(record);
    last = page.fragments.at(-1) ?? last;
    hasMore = page.hasMore;
  }
  const ingestId = last?.ingestId;
  const isGrowing = gatherer.hasFollowers && ingestId !== undefined && archive.isConnected(stream, ingestId);
  const whole = isGrowing ? gatherer.groups.slice(0, -1) : gatherer.groups;
  const newest = whole.slice(-count);
  // A session begins where decoding can.
  const first = newest.findIndex(({ record }) => record.startsWithKeyframe);
  return { groups: first < 0 ? [] : newest.slice(first), last };
}
