import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { MediaProber } from '#media/probe/media-prober.ts';
import type { S3Api } from '#services/s3/api.ts';
import { Library } from './domain/library.ts';
import { JobEvents } from './runner/job-events.ts';
import { JobRunner } from './runner/job-runner.ts';
import type { RunnerFacts } from './runner/runner-facts.ts';
import type { PreflightParts } from './preflight/preflight.ts';
import type { MediaconvertStore } from './store.ts';

/** What every operation of MediaConvert works with. */
export interface MediaconvertContext {
  readonly store: MediaconvertStore;
  readonly rootKey: RootKey;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Jobs at the same time. */
  readonly workers: number;
  readonly library: Library;
  readonly events: JobEvents;
  readonly s3: S3Api;
  /** What a preflight asks. */
  readonly preflightParts: PreflightParts;
  readonly prober: MediaProber;
  /** Hosts from which files may be read although their addresses are private. */
  readonly privateInputHosts: readonly string[];
  /** Does the jobs; the composition root starts and stops it. */
  readonly runner: JobRunner;
}

export function createMediaconvertContext(facts: RunnerFacts): MediaconvertContext {
  const { store, rootKey, clock, randomness, s3, sts, kms, workers } = facts;
  return {
    store,
    rootKey,
    clock,
    randomness,
    workers,
    library: new Library(store.resources, rootKey),
    events: new JobEvents(facts.events, clock),
    s3,
    preflightParts: { sts, s3, kms, keyProvider: facts.keyProvider },
    prober: new MediaProber(),
    privateInputHosts: facts.privateInputHosts,
    runner: new JobRunner(facts),
  };
}
