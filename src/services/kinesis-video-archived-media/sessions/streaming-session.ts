import type { Caller } from '#kernel/caller.ts';
import type { TimestampKind } from '#services/kinesis-video/api.ts';

export type PlaybackMode = 'LIVE' | 'LIVE_REPLAY' | 'ON_DEMAND';

/** Everything that a session is: its token says it, and nothing of it is stored. Times are ms since the epoch. */
export interface StreamingSession {
  readonly protocol: 'HLS' | 'DASH';
  /** It has the time of the stream's creation: a later stream of the same name is another one. */
  readonly streamArn: string;
  /** Who asked for the session: its media are read in their name. */
  readonly caller: Caller;
  readonly mode: PlaybackMode;
  /** By which timestamps fragments are chosen, placed and shown. */
  readonly by: TimestampKind;
  /** Of the first fragment, or before it. LIVE: always a server timestamp. */
  readonly start: number;
  /** The last fragment begins no later; absent where the session goes on. */
  readonly end?: number;
  /** LIVE: the number of the first fragment. */
  readonly firstNumber?: string;
  /** How many fragments a manifest has at most. */
  readonly maxFragments: number;
  readonly container: 'FRAGMENTED_MP4' | 'MPEG_TS';
  readonly discontinuityMode: 'ALWAYS' | 'NEVER' | 'ON_DISCONTINUITY';
  readonly areTimestampsShown: boolean;
  readonly areNumbersShown: boolean;
  /** DASH: when the timeline's zero is. */
  readonly zeroAt: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}
