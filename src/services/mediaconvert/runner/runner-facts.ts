import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { EventSink } from '#kernel/event-sink.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { TranscoderLimits } from '#media/transcoder.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { S3Api } from '#services/s3/api.ts';
import type { StsApi } from '#services/sts/api.ts';
import type { OwnProvider } from '../speke/own-provider.ts';
import type { MediaconvertStore } from '../store.ts';

/** What a runner works with. */
export interface RunnerFacts {
  readonly store: MediaconvertStore;
  readonly rootKey: RootKey;
  readonly sts: StsApi;
  readonly kms: KmsApi;
  readonly s3: S3Api;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** Where is told what happens to jobs. */
  readonly events: EventSink;
  /** Hosts from which inputs may be read although their addresses are private. */
  readonly privateInputHosts: readonly string[];
  /** Whether jobs may be encoded by graphics hardware. */
  readonly mayUseHardware: boolean;
  /** Hosts of key providers that may be asked although their addresses are private. */
  readonly keyProviderHosts: readonly string[];
  readonly keyProvider: OwnProvider;
  /** Jobs at the same time. */
  readonly workers: number;
  readonly limits?: TranscoderLimits;
}

/** Milliseconds for which a runner holds a job without a sign of life. */
export const LEASE_MS = 15_000;
