import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { KinesisVideoApi } from '#services/kinesis-video/api.ts';

/** What every operation on archived media works with. */
export interface ArchivedMediaContext {
  /** The streams and their archive. */
  readonly video: KinesisVideoApi;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the service needs of the rest of the platform. */
export interface ArchivedMediaDependencies extends ArchivedMediaContext {
  /** Session tokens are sealed under a key that is derived from it. */
  readonly rootKey: RootKey;
}

export function createArchivedMediaContext(dependencies: ArchivedMediaDependencies): ArchivedMediaContext {
  const { video, clock, logger } = dependencies;
  return { video, clock, logger };
}
