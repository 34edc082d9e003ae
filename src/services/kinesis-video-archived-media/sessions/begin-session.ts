import { addressSeenBy } from '#kernel/client-address.ts';
import type { Call } from '#kernel/operation.ts';
import { readHeader } from '#media/matroska/read-header.ts';
import { PackagingError } from '#media/packaging/packaging-error.ts';
import { FragmentMissingError, type FragmentRecord, type StreamRecord } from '#services/kinesis-video/api.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { ConsumerReader } from '../domain/consumer-reader.ts';
import { type FragmentGroup, GroupGatherer } from '../domain/fragment-group.ts';
import { noDataRetention, resourceNotFound } from '../errors.ts';
import { newestGroups } from './newest-groups.ts';
import { type Destination, mediaError, playableTracks } from './playable-tracks.ts';
import type { SessionRange } from './session-range.ts';
import type { StreamingSession } from './streaming-session.ts';
import { durationOf } from './timeline-entry.ts';

const DEFAULT_EXPIRES_S = 300;
const DEFAULT_LIVE_FRAGMENTS = 5;
const DEFAULT_ARCHIVED_FRAGMENTS = 1000;

/** What a request says of a session, beside its stream. */
export interface SessionWish
  extends Pick<
    StreamingSession,
    'protocol' | 'container' | 'discontinuityMode' | 'areTimestampsShown' | 'areNumbersShown'
  > {
  readonly range: SessionRange;
  readonly maxFragments: number | undefined;
  /** Seconds. */
  readonly expires: number | undefined;
}

/**
 * Begins a session: looks for its first fragments, and whether a player can play them.
 *
 * @returns the session's token
 * @throws ServiceError
 */
export async function beginSession(
  wish: SessionWish,
  stream: StreamRecord,
  call: Call,
  context: ArchivedMediaContext,
): Promise<string> {
  if (stream.retentionHours === 0) throw noDataRetention();
  const { range, protocol, container, discontinuityMode, areTimestampsShown, areNumbersShown } = wish;
  const { mode, by } = range;
  const { now } = call;
  const maxFragments =
    wish.maxFragments ?? (mode === 'ON_DEMAND' ? DEFAULT_ARCHIVED_FRAGMENTS : DEFAULT_LIVE_FRAGMENTS);
  const groups = await firstGroups(wish, stream, maxFragments, now, context);
  const first = groups[0]?.record;
  if (first === undefined) throw resourceNotFound('No fragments found in the stream for the streaming request.');
  await checkMedia(stream, first, protocol, call, context);
  return context.tokens.write({
    protocol,
    streamArn: stream.arn,
    caller: call.caller,
    mode,
    by,
    start: mode === 'LIVE' ? first.serverTimestamp : range.start,
    ...(mode === 'LIVE' && { firstNumber: first.number }),
    ...(range.end !== undefined && { end: range.end }),
    maxFragments,
    container,
    discontinuityMode,
    areTimestampsShown,
    areNumbersShown,
    zeroAt: mode === 'LIVE' ? first.serverTimestamp : now - lengthOf(groups),
    createdAt: now,
    expiresAt: now + (wish.expires ?? DEFAULT_EXPIRES_S) * 1000,
  });
}

/** The groups with which the session begins: as many as its first manifest has. */
async function firstGroups(
  { range }: SessionWish,
  stream: StreamRecord,
  count: number,
  now: number,
  { video }: ArchivedMediaContext,
): Promise<readonly FragmentGroup[]> {
  if (range.mode === 'LIVE') return newestGroups(video.archive, stream, count, now);
  const { by, start, end } = range;
  const selection = { by, start, ...(end !== undefined && { end }) };
  const wanted = range.mode === 'LIVE_REPLAY' ? count : 1;
  const gatherer = new GroupGatherer('first', wanted);
  for (let after: FragmentRecord | undefined; ; ) {
    const { fragments, hasMore } = await video.archive.list(stream, selection, wanted + 1, after);
    for (const record of fragments) gatherer.add(record);
    after = fragments.at(-1);
    if (gatherer.isFull || !hasMore || after === undefined) return gatherer.groups.slice(0, wanted);
  }
}

function lengthOf(groups: readonly FragmentGroup[]): number {
  return groups.reduce((sum, group) => sum + durationOf(group), 0);
}

/**
 * Looks at the tracks of a session's or a clip's first fragment, in the caller's name.
 *
 * @throws ServiceError of the media, or as KMS answers
 */
async function checkMedia(
  stream: StreamRecord,
  record: FragmentRecord,
  destination: Destination,
  call: Call,
  { video }: ArchivedMediaContext,
): Promise<void> {
  const reader = new ConsumerReader(video.archive.reader(stream, call.forward('kinesisvideo')));
  try {
    playableTracks(readHeader(await reader.readHeader(record)).tracks, destination);
  } catch (error) {
    if (error instanceof PackagingError) throw mediaError(error);
    if (error instanceof FragmentMissingError) throw resourceNotFound(error.message);
    throw error;
  } finally {
    reader.close();
  }
}

/** The address that a player is given. */
export function sessionAddress(call: Call, path: string, token: string): string {
  return `${addressSeenBy(call.source)}${path}?SessionToken=${token}`;
}
