import type { FragmentArchive, FragmentRecord, FragmentSelection, StreamRecord } from '#services/kinesis-video/api.ts';

/** Source: "GetClip" in the API reference: the first 100 MB, or the first 200 fragments. */
const LIMITS = { bytes: 100 * 1024 * 1024, fragments: 200 };

/**
 * The fragments of a clip, in order. Of several with the same producer timestamp the last one counts. The first is
 * among them whatever its size.
 */
export async function clipFragments(
  archive: FragmentArchive,
  stream: StreamRecord,
  selection: FragmentSelection,
  limits = LIMITS,
): Promise<readonly FragmentRecord[]> {
  const chosen: FragmentRecord[] = [];
  let last: FragmentRecord | undefined;
  for (;;) {
    const page = await archive.list(stream, selection, limits.fragments, last);
    for (const record of page.fragments) {
      const before = chosen.at(-1);
      const isSame = selection.by === 'producer' && before?.producerTimestamp === record.producerTimestamp;
      if (!isSame && chosen.length === limits.fragments) return withinSize(chosen, limits.bytes);
      if (isSame) chosen.pop();
      chosen.push(record);
      last = record;
    }
    if (!page.hasMore) return withinSize(chosen, limits.bytes);
  }
}

function withinSize(fragments: readonly FragmentRecord[], limit: number): readonly FragmentRecord[] {
  let bytes = 0;
  const surplus = fragments.findIndex(({ size }, index) => {
    bytes += size;
    return index > 0 && bytes > limit;
  });
  return surplus < 0 ? fragments : fragments.slice(0, surplus);
}
