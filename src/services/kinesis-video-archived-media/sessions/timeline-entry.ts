import { createHash } from 'node:crypto';
import type { Track } from '#media/matroska/tracks.ts';
import type { FragmentRecord, FragmentSelection } from '#services/kinesis-video/api.ts';
import { type FragmentGroup, groupOf } from '../domain/fragment-group.ts';
import type { StreamingSession } from './streaming-session.ts';

/** A group of fragments, mostly a single one, in its place in a session. Its number and times are those of the first. */
export interface TimelineEntry extends FragmentGroup {
  /** Its place among the session's groups. */
  readonly sequence: number;
  /** The one of the two that the session goes by. */
  readonly timestamp: number;
  readonly durationMs: number;
  /** Where it begins on a timeline without gaps that begins with the session's first fragment, in milliseconds. */
  readonly mediaTime: number;
  readonly isDiscontinuous: boolean;
  /** How many discontinuities came before it. */
  readonly discontinuitiesBefore: number;
  /** Which of the session's configurations its tracks have. */
  readonly initSequence: number;
}

/** Times by which two fragments may miss each other and still follow one another. */
const DISCONTINUITY_MS = 50;
/** A connection's fragments are placed by the producer's times, unless they are further apart than this. */
const SEAM_MS = 500;
/** A stream has no more fragments than one in so many milliseconds. Source: the quotas in the developer guide. */
const SHORTEST_FRAGMENT_MS = 200;

export function timestampOf(session: StreamingSession, record: FragmentRecord): number {
  return session.by === 'server' ? record.serverTimestamp : record.producerTimestamp;
}

/** Which fragments the session looks at. */
export function selectionOf({ start, end, by, mode }: StreamingSession): FragmentSelection {
  // What is live came last, whatever the producer's clock says.
  return { by: mode === 'LIVE' ? 'server' : by, start, ...(end !== undefined && { end }) };
}

/** The session's first entry. Where the first fragments have expired, those after them are not counted as if they had not. */
export function firstEntry(session: StreamingSession, record: FragmentRecord, initSequence: number): TimelineEntry {
  const { firstNumber, start, discontinuityMode } = session;
  const missingMs = firstNumber === undefined || record.number === firstNumber ? 0 : record.serverTimestamp - start;
  const sequence = Math.ceil(Math.max(0, missingMs) / SHORTEST_FRAGMENT_MS);
  const isDiscontinuous = discontinuityMode === 'ALWAYS';
  return {
    ...groupOf(record),
    sequence,
    timestamp: timestampOf(session, record),
    durationMs: durationOf(record),
    mediaTime: Math.max(0, missingMs),
    isDiscontinuous,
    discontinuitiesBefore: isDiscontinuous ? sequence : 0,
    initSequence,
  };
}

export function nextEntry(
  session: StreamingSession,
  before: TimelineEntry,
  record: FragmentRecord,
  initSequence: number,
): TimelineEntry {
  const timestamp = timestampOf(session, record);
  return {
    ...groupOf(record),
    sequence: before.sequence + 1,
    timestamp,
    durationMs: durationOf(record),
    mediaTime: before.mediaTime + stepBetween(before, record),
    isDiscontinuous: isDiscontinuous(session, before, timestamp),
    discontinuitiesBefore: before.discontinuitiesBefore + (before.isDiscontinuous ? 1 : 0),
    initSequence,
  };
}

/** Of a fragment with a single frame the stream may not tell how long it lasts. */
const UNKNOWN_LENGTH_MS = 1000;

/** How long a fragment lasts, in milliseconds. */
export function durationOf({ lengthMs }: Pick<FragmentRecord, 'lengthMs'>): number {
  return lengthMs > 0 ? lengthMs : UNKNOWN_LENGTH_MS;
}

/** From the beginning of one group to that of the fragment behind it, where they follow one another. */
export function stepBetween(before: FragmentGroup, next: FragmentRecord): number {
  const length = durationOf(before);
  const apart = next.producerTimestamp - before.record.producerTimestamp;
  const isSeam = before.record.ingestId === next.ingestId && apart > 0 && Math.abs(apart - length) <= SEAM_MS;
  return isSeam ? apart : length;
}

function isDiscontinuous(session: StreamingSession, before: TimelineEntry, timestamp: number): boolean {
  switch (session.discontinuityMode) {
    case 'ALWAYS':
      return true;
    case 'NEVER':
      return false;
    case 'ON_DISCONTINUITY':
      return Math.abs(timestamp - before.timestamp - before.lengthMs) > DISCONTINUITY_MS;
  }
}

/** The same for tracks that one configuration of a player can play. */
export function fingerprintOf(tracks: readonly Track[]): string {
  const hash = createHash('sha256');
  for (const { number, codecId, codecPrivate = Buffer.alloc(0) } of tracks) {
    hash.update(`${number} ${codecId} ${codecPrivate.length} `).update(codecPrivate);
  }
  return hash.digest('hex');
}
