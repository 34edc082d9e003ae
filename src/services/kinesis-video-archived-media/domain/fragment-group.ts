import type { FragmentArchive, FragmentRecord, FragmentSelection, StreamRecord } from '#services/kinesis-video/api.ts';

/** The quotas of one fragment hold for a group too. */
const MAX_GROUP_MS = 20_000;
const MAX_GROUP_BYTES = 50 * 1024 * 1024;
const MAX_FOLLOWERS = 5000;
/** Most groups are one fragment, and the first page shows that. */
const FIRST_PAGE = 10;
const PAGE = 500;

/**
 * A fragment and those behind it that can only be decoded after it: producers may begin Clusters in the midst of a group
 * of pictures. All came by one connection. A session plays a group as one segment.
 */
export interface FragmentGroup {
  /** The first one. It begins with a keyframe, unless the group before it had grown too long. */
  readonly record: FragmentRecord;
  /** How many come after the first. */
  readonly followers: number;
  /** From the first one's beginning to the latest end, as far as the stream tells. */
  readonly lengthMs: number;
  /** Bytes of plaintext. */
  readonly size: number;
}

export function groupOf(record: FragmentRecord): FragmentGroup {
  const { lengthMs, size } = record;
  return { record, followers: 0, lengthMs, size };
}

export function withFollower(group: FragmentGroup, follower: FragmentRecord): FragmentGroup {
  return {
    record: group.record,
    followers: group.followers + 1,
    lengthMs: Math.max(group.lengthMs, endWithin(group, follower)),
    size: group.size + follower.size,
  };
}

/** What a fragment is to the group that came before it. `stray` is what cannot be decoded: its beginning is not there. */
export type FragmentPlacement = 'head' | 'follower' | 'stray';

export function placementOf(record: FragmentRecord, before: FragmentGroup | undefined): FragmentPlacement {
  if (record.startsWithKeyframe) return 'head';
  if (before === undefined || before.record.ingestId !== record.ingestId) return 'stray';
  const isBounded =
    endWithin(before, record) <= MAX_GROUP_MS &&
    before.size + record.size <= MAX_GROUP_BYTES &&
    before.followers < MAX_FOLLOWERS;
  return isBounded ? 'follower' : 'head';
}

function endWithin({ record: { producerTimestamp: start } }: FragmentGroup, follower: FragmentRecord): number {
  return follower.producerTimestamp - start + follower.lengthMs;
}

/** A group with its fragments. */
export interface WholeGroup {
  readonly group: FragmentGroup;
  /** In the order of decoding; the group's own record is the first. */
  readonly members: readonly FragmentRecord[];
}

/**
 * Finds the fragments of the group that begins with one.
 *
 * @param selection no fragment outside it is taken
 */
export async function findGroup(
  archive: FragmentArchive,
  stream: StreamRecord,
  selection: FragmentSelection,
  head: FragmentRecord,
): Promise<WholeGroup> {
  let group = groupOf(head);
  const members = [head];
  let after = head;
  for (let limit = FIRST_PAGE; ; limit = PAGE) {
    const { fragments, hasMore } = await archive.list(stream, selection, limit, after);
    for (const record of fragments) {
      const placement = placementOf(record, group);
      if (placement === 'head' || isPast(record, head, selection)) return { group, members };
      after = record;
      if (placement === 'stray') continue;
      group = withFollower(group, record);
      members.push(record);
    }
    if (!hasMore) return { group, members };
  }
}

/** True where no follower of the head can come any more. One connection at a time writes to a stream. */
function isPast(record: FragmentRecord, head: FragmentRecord, { by }: FragmentSelection): boolean {
  if (record.ingestId === head.ingestId) return false;
  return by === 'server' || record.producerTimestamp - head.producerTimestamp > MAX_GROUP_MS;
}

/** The groups among fragments that come one after another, in the order of a selection. */
export class GroupGatherer {
  readonly #groups: FragmentGroup[] = [];
  readonly #keep: 'first' | 'last';
  readonly #limit: number;
  #followed: string | undefined;

  /** @param limit how many groups are kept at most, the first or the last ones */
  constructor(keep: 'first' | 'last', limit: number) {
    this.#keep = keep;
    this.#limit = limit;
  }

  get groups(): readonly FragmentGroup[] {
    return this.#groups;
  }

  /** True when no further fragment makes a difference. */
  get isFull(): boolean {
    return this.#keep === 'first' && this.#groups.length > this.#limit;
  }

  /** True when the last group's connection brings fragments that follow others. */
  get hasFollowers(): boolean {
    return this.#followed !== undefined && this.#followed === this.#groups.at(-1)?.record.ingestId;
  }

  add(record: FragmentRecord): void {
    const before = this.#groups.at(-1);
    const placement = placementOf(record, before);
    if (placement !== 'head') this.#followed = record.ingestId;
    if (placement === 'head') this.#groups.push(groupOf(record));
    if (placement === 'follower' && before !== undefined) this.#groups.splice(-1, 1, withFollower(before, record));
    if (this.#keep === 'last' && this.#groups.length > this.#limit) this.#groups.shift();
  }
}
