import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { Blobs } from '#storage/blobs.ts';
import type { Records } from '#storage/records.ts';
import type { KinesisVideoApi } from './api.ts';
import { FragmentArchive } from './archive/fragment-archive.ts';
import type { ArchiveTables } from './archive/fragment-store.ts';
import { Janitor } from './maintenance/janitor.ts';
import { StreamStore, type StreamTables } from './store.ts';
import { Streams } from './streams.ts';

/** Every table of the service. */
export interface KinesisVideoTables extends StreamTables, ArchiveTables {}

/** What Kinesis Video Streams needs of the rest of the platform. */
export interface KinesisVideoDependencies {
  readonly records: Records<KinesisVideoTables>;
  readonly blobs: Blobs;
  readonly kms: KmsApi;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

/** What every operation of the control plane works with; the other two services get the part that is `KinesisVideoApi`. */
export interface KinesisVideoContext extends KinesisVideoApi {
  readonly store: StreamStore;
  readonly records: Records<KinesisVideoTables>;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Removes what was deleted or has expired; the composition root starts and stops it. */
  readonly janitor: Janitor;
}

export function createKinesisVideoContext(dependencies: KinesisVideoDependencies): KinesisVideoContext {
  const { records, blobs, kms, clock, randomness, logger } = dependencies;
  const store = new StreamStore(records);
  const streams = new Streams(store, randomness);
  const archive = new FragmentArchive({ records, blobs, kms, clock, randomness, logger });
  streams.onDeleted(({ id }) => archive.endStream(id));
  const janitor = new Janitor({ store, archive, clock, logger });
  return { store, records, blobs, streams, archive, clock, randomness, janitor };
}
