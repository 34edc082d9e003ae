import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { Blobs } from '#storage/blobs.ts';
import type { Records } from '#storage/records.ts';
import type { KinesisVideoApi } from './api.ts';
import { Janitor } from './maintenance/janitor.ts';
import { StreamStore, type StreamTables } from './store.ts';
import { Streams } from './streams.ts';

/** Every table of the service. */
export interface KinesisVideoTables extends StreamTables {}

/** What Kinesis Video Streams needs of the rest of the platform. */
export interface KinesisVideoDependencies {
  readonly records: Records<KinesisVideoTables>;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

/** What every operation of the control plane works with; the other two services get the part that is `KinesisVideoApi`. */
export interface KinesisVideoContext extends KinesisVideoApi {
  readonly store: StreamStore;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Removes what was deleted or has expired; the composition root starts and stops it. */
  readonly janitor: Janitor;
}

export function createKinesisVideoContext(dependencies: KinesisVideoDependencies): KinesisVideoContext {
  const { records, clock, randomness, logger } = dependencies;
  const store = new StreamStore(records);
  return { store, streams: new Streams(store, randomness), clock, randomness, janitor: new Janitor({ store, logger }) };
}
