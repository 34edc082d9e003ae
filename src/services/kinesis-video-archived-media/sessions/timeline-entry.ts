import { createHash } from 'node:crypto';
import type { Track } from '#media/matroska/tracks.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import type { StreamingSession } from './streaming-session.ts';

/** A fragment in its place in a session. */
export interface TimelineEntry {
  readonly record: FragmentRecord;
  /** Its place among the session's fragments. */
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

/** The session's first entry. Where the first fragments have expired, those after them are not counted as if they had not. */
export function firstEntry(session: StreamingSession, record: FragmentRecord, initSequence: number): TimelineEntry {
  const { firstNumber, start, discontinuityMode } = session;
  const missingMs = firstNumber === undefined || record.number === firstNumber ? 0 : record.serverTimestamp - start;
  const sequence = Math.ceil(Math.max(0, missingMs) / SHORTEST_FRAGMENT_MS);
  const isDiscontinuous = discontinuityMode === 'ALWAYS';
  return {
    record,
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
    record,
    sequence: before.sequence + 1,
    timestamp,
    durationMs: durationOf(record),
    mediaTime: before.mediaTime + stepBetween(before.record, record),
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

/** From the beginning of one fragment to that of the next, where they follow one another. */
export function stepBetween(before: FragmentRecord, next: FragmentRecord): number {
  const length = durationOf(before);
  const apart = next.producerTimestamp - before.producerTimestamp;
  const isSeam = before.ingestId === next.ingestId && apart > 0 && Math.abs(apart - length) <= SEAM_MS;
  return isSeam ? apart : length;
}

function isDiscontinuous(session: StreamingSession, before: TimelineEntry, timestamp: number): boolean {
  switch (session.discontinuityMode) {
    case 'ALWAYS':
      return true;
    case 'NEVER':
      return false;
    case 'ON_DISCONTINUITY':
      return Math.abs(timestamp - before.timestamp - before.record.lengthMs) > DISCONTINUITY_MS;
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
