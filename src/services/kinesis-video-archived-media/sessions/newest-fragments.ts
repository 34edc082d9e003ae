import type { FragmentArchive, FragmentRecord, StreamRecord } from '#services/kinesis-video/api.ts';

const PAGE = 1000;
/** A stream without a fragment in so long is not live. Source: "ResourceNotFoundException" in the API reference. */
const LIVE_MS = 30_000;
/** The longest fragment that a producer may send. */
const LONGEST_FRAGMENT_MS = 20_000;
const WIDEN_BY = 4;

/**
 * The newest fragments of a live stream, oldest first; none of a stream that is not live.
 *
 * @param count at most so many
 * @param now milliseconds since the epoch
 */
export async function newestFragments(
  archive: FragmentArchive,
  stream: StreamRecord,
  count: number,
  now: number,
): Promise<readonly FragmentRecord[]> {
  const retentionMs = stream.retentionHours * 3_600_000;
  for (let span = LIVE_MS + LONGEST_FRAGMENT_MS; ; span *= WIDEN_BY) {
    const newest = await newestSince(archive, stream, count, now - span);
    const last = newest.at(-1);
    if (last === undefined || last.serverTimestamp + last.lengthMs < now - LIVE_MS) return [];
    if (newest.length >= count || span >= retentionMs) return newest;
  }
}

async function newestSince(
  archive: FragmentArchive,
  stream: StreamRecord,
  count: number,
  start: number,
): Promise<readonly FragmentRecord[]> {
  let newest: readonly FragmentRecord[] = [];
  for (let hasMore = true; hasMore; ) {
    const page = await archive.list(stream, { by: 'server', start }, PAGE, newest.at(-1));
    newest = [...newest, ...page.fragments].slice(-count);
    hasMore = page.hasMore;
  }
  return newest;
}
