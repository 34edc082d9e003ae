import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { KinesisVideoApi } from '#services/kinesis-video/api.ts';
import { PUT_MEDIA_LIMITS, type PutMediaLimits } from './put-media/put-media-limits.ts';

/** What the service needs of the rest of the platform. */
export interface KinesisVideoMediaDependencies {
  readonly video: KinesisVideoApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Less patience, for tests. */
  readonly limits?: Partial<PutMediaLimits>;
}

/** What PutMedia and GetMedia work with. */
export interface KinesisVideoMediaContext {
  readonly video: KinesisVideoApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: PutMediaLimits;
}

export function createKinesisVideoMediaContext(dependencies: KinesisVideoMediaDependencies): KinesisVideoMediaContext {
  const { video, clock, logger, limits } = dependencies;
  return { video, clock, logger, limits: { ...PUT_MEDIA_LIMITS, ...limits } };
}
