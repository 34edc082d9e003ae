import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import { DEFAULT_STILLS_LIMITS, StillsPool } from '#media/stills/stills-pool.ts';
import type { KinesisVideoApi } from '#services/kinesis-video/api.ts';
import { ConnectionLimit } from './domain/connection-limit.ts';
import type { ImageState } from './domain/image-request.ts';
import type { ListingState } from './domain/listing-state.ts';
import { MemoryBudget } from './domain/memory-budget.ts';
import { PageTokens } from './domain/page-tokens.ts';
import { SessionPool } from './sessions/session-pool.ts';
import { SessionTokens } from './sessions/session-tokens.ts';

/** GetMediaForFragmentList's, for each stream. Source: "Kinesis Video Streams service quotas" in the developer guide. */
const FRAGMENT_LIST_CONNECTIONS = 5;

/** Bytes of fragments that are held in the clear at once, on their way to players. */
const MEDIA_BUDGET = 256 * 1024 * 1024;

/** What every operation on archived media works with. */
export interface ArchivedMediaContext {
  /** The streams and their archive. */
  readonly video: KinesisVideoApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes pictures, in processes of its own; the composition root closes it. */
  readonly stills: StillsPool;
  readonly fragmentListConnections: ConnectionLimit;
  readonly listingTokens: PageTokens<ListingState>;
  readonly imageTokens: PageTokens<ImageState>;
  readonly tokens: SessionTokens;
  readonly sessions: SessionPool;
  readonly budget: MemoryBudget;
}

/** What the service needs of the rest of the platform. */
export interface ArchivedMediaDependencies extends Pick<ArchivedMediaContext, 'video' | 'clock' | 'logger'> {
  /** How many processes make pictures at once. */
  readonly mediaWorkers: number;
  /** Session tokens are sealed under a key that is derived from it. */
  readonly rootKey: RootKey;
}

export function createArchivedMediaContext(dependencies: ArchivedMediaDependencies): ArchivedMediaContext {
  const { video, clock, logger, rootKey, mediaWorkers } = dependencies;
  return {
    video,
    clock,
    logger,
    stills: new StillsPool({ ...DEFAULT_STILLS_LIMITS, workers: mediaWorkers }),
    fragmentListConnections: new ConnectionLimit(FRAGMENT_LIST_CONNECTIONS),
    listingTokens: new PageTokens(rootKey, 'ListFragments'),
    imageTokens: new PageTokens(rootKey, 'GetImages'),
    tokens: new SessionTokens(rootKey, clock),
    sessions: new SessionPool(video),
    budget: new MemoryBudget(MEDIA_BUDGET),
  };
}
