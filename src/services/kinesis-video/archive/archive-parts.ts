import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { Blobs } from '#storage/blobs.ts';
import type { FragmentStore } from './fragment-store.ts';
import type { RecentFragments } from './recent-fragments.ts';
import type { StreamActivity } from './stream-activity.ts';

/** What the parts of the archive share. */
export interface ArchiveParts {
  readonly store: FragmentStore;
  readonly blobs: Blobs;
  readonly kms: KmsApi;
  readonly activity: StreamActivity;
  readonly recent: RecentFragments;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}
