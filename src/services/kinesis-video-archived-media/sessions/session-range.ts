import type { TimestampKind } from '#services/kinesis-video/api.ts';
import { invalidArgument } from '../errors.ts';
import type { PlaybackMode } from './streaming-session.ts';

const LONGEST_RANGE_MS = 24 * 3_600_000;

/** Which fragments a session has. Times are milliseconds since the epoch. */
export interface SessionRange {
  readonly mode: PlaybackMode;
  readonly by: TimestampKind;
  /** Of no meaning for LIVE. */
  readonly start: number;
  readonly end?: number;
}

/** A selector of either kind of session. */
export interface Selector {
  readonly FragmentSelectorType?: string | undefined;
  readonly TimestampRange?: TimestampRange | undefined;
}

export interface TimestampRange {
  readonly StartTimestamp?: Date | undefined;
  readonly EndTimestamp?: Date | undefined;
}

/**
 * Source: "HLSTimestampRange" and "DASHTimestampRange" in the API reference.
 *
 * @param name what the request calls the selector
 * @throws ServiceError InvalidArgumentException
 */
export function sessionRange(
  mode: PlaybackMode,
  selector: Selector | undefined,
  now: number,
  name: 'HLSFragmentSelector' | 'DASHFragmentSelector',
): SessionRange {
  const by = kindOf(selector?.FragmentSelectorType);
  const range = selector?.TimestampRange;
  if (mode === 'LIVE') {
    if (range !== undefined) throw invalidArgument('TimestampRange must not be given where PlaybackMode is LIVE.');
    return { mode, by, start: 0 };
  }
  if (range === undefined) throw invalidArgument(`${name} with a TimestampRange is required for ${mode}.`);
  if (mode === 'ON_DEMAND' && range.EndTimestamp === undefined) {
    throw invalidArgument('EndTimestamp is required for ON_DEMAND.');
  }
  return { mode, ...timestampRange(by, range, now) };
}

/**
 * A range with its limits checked.
 *
 * @throws ServiceError InvalidArgumentException
 */
export function timestampRange(
  by: TimestampKind,
  { StartTimestamp, EndTimestamp }: TimestampRange,
  now: number,
): Omit<SessionRange, 'mode'> {
  if (StartTimestamp === undefined) throw invalidArgument('StartTimestamp is required.');
  const start = StartTimestamp.getTime();
  if (EndTimestamp === undefined) return { by, start };
  const end = EndTimestamp.getTime();
  if (end <= start) throw invalidArgument('EndTimestamp must be later than StartTimestamp.');
  if (end - start > LONGEST_RANGE_MS) throw invalidArgument('EndTimestamp must be within 24 hours of StartTimestamp.');
  if (by === 'server' && end > now) throw invalidArgument('EndTimestamp must be in the past for SERVER_TIMESTAMP.');
  return { by, start, end };
}

export function kindOf(type: string | undefined): TimestampKind {
  return type === 'PRODUCER_TIMESTAMP' ? 'producer' : 'server';
}
